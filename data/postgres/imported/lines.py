"""Names of the streets and barriers of a territory."""

from __future__ import annotations

from sqlalchemy import Connection, text


def names_of_lines(connection: Connection, territory_id: int) -> dict[str, str]:
    """Name of every named street and barrier by its source id; a street's wins."""
    rows = connection.execute(
        text(
            "SELECT source_id, name FROM barrier WHERE territory_id = :t AND name <> ''"
            " UNION ALL SELECT source_id, name FROM street WHERE territory_id = :t AND name <> ''"
        ),
        {"t": territory_id},
    )
    found: dict[str, str] = dict(rows.all())
    return found
