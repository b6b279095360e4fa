"""What changed in addresses, so that libraries for matching read only that (data/postgres/schema/changes.py).

Statement triggers see the old and the new rows of whoever writes them: imports, numbering, edits, hands.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ADDRESS: Final = (
    "code,text,level,parent_id,community_id,thoroughfare_id,number_text,compound_id,building_no,unit,room,status,"
    "valid_from,valid_to,geom_3857"
)
_OF_ADDRESS: Final = "SELECT territory_id, array_agg(id ORDER BY id), false FROM {rows} GROUP BY 1"
_OF_ALIAS: Final = "SELECT a.territory_id, array_agg(DISTINCT a.id), false FROM {rows} s JOIN address a ON a.id = s.address_id GROUP BY 1"
_NONE_OF: Final = "SELECT DISTINCT territory_id, ARRAY[]::bigint[], {streets} FROM {rows}"
_NONE_OF_ALL: Final = "SELECT t.id, ARRAY[]::bigint[], false FROM territory t WHERE EXISTS (SELECT 1 FROM {rows})"
#: Named things on which addresses hang: the column of address, what else is read of them, whether they are streets.
_HANGING: Final = (
    ("thoroughfare", "thoroughfare_id", "aliases,geom,valid_from,valid_to", "true"),
    ("compound", "compound_id", "aliases", "false"),
    ("community", "community_id", "division_id", "false"),
)
_DIVISION: Final = """
WITH RECURSIVE below (id) AS (
  SELECT n.id FROM newer n JOIN older o USING (id)
  WHERE ROW(n.name, n.level, n.parent_id) IS DISTINCT FROM ROW(o.name, o.level, o.parent_id)
  UNION SELECT d.id FROM division d JOIN below b ON d.parent_id = b.id)
SELECT a.territory_id, array_agg(a.id), false
FROM below b JOIN community c ON c.division_id = b.id JOIN address a ON a.community_id = c.id GROUP BY 1
UNION ALL SELECT t.id, ARRAY[]::bigint[], false FROM territory t
WHERE EXISTS (SELECT 1 FROM newer n JOIN older o USING (id) WHERE n.aliases IS DISTINCT FROM o.aliases)
"""

#: Argument: a query of (territory_id, addresses, streets) over the rows of the statement.
_FUNCTION: Final = """
CREATE FUNCTION addresses_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE newest bigint;
BEGIN
  EXECUTE 'WITH made AS (INSERT INTO address_change (territory_id, transaction, addresses, streets)'
    ' SELECT territory_id, pg_current_xact_id()::text::bigint, addresses, streets FROM (' || TG_ARGV[0]
    || ') AS c (territory_id, addresses, streets) RETURNING id) SELECT max(id) FROM made' INTO newest;
  IF newest IS NOT NULL THEN
    DELETE FROM address_change WHERE id < newest - 100000;
    PERFORM tell_readers();
  END IF;
  RETURN NULL;
END $$
"""
_SEES: Final = {
    "INSERT": "NEW TABLE AS newer",
    "DELETE": "OLD TABLE AS older",
    "UPDATE": "NEW TABLE AS newer OLD TABLE AS older",
}
_ROWS: Final = {"INSERT": "newer", "DELETE": "older"}
_TABLES: Final = ("address", "address_alias", "thoroughfare", "compound", "community", "division")


def upgrade() -> None:
    op.create_table(
        "address_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("territory_id", sa.BigInteger(), nullable=False),
        sa.Column("transaction", sa.BigInteger(), nullable=False),
        sa.Column("addresses", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("streets", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_change")),
    )
    op.create_index("ix_address_change_transaction", "address_change", ["transaction"])
    op.create_index("ix_address_parent_id", "address", ["parent_id"])
    op.execute(_FUNCTION)
    for table, event, query in _queries():
        text = " ".join(query.split()).replace("'", "''")
        op.execute(
            f"CREATE TRIGGER addresses_{event.lower()} AFTER {event} ON {table} REFERENCING {_SEES[event]}"
            f" EXECUTE FUNCTION addresses_changed('{text}')"
        )


def _queries() -> list[tuple[str, str, str]]:
    """Table, event, and the query that tells what it changed."""
    newer = "newer n JOIN older o USING (id)"
    found = [
        (
            "address", "UPDATE",
            f"SELECT n.territory_id, array_agg(n.id ORDER BY n.id), false FROM {newer}"  # noqa: S608 - ours
            f" WHERE {_differ(_ADDRESS)} GROUP BY 1",
        ),
        ("address_alias", "UPDATE", _OF_ALIAS.format(rows="(TABLE newer UNION ALL TABLE older)")),
        ("division", "UPDATE", _DIVISION),
    ]  # fmt: skip
    for event, rows in _ROWS.items():
        found.append(("address", event, _OF_ADDRESS.format(rows=rows)))
        found.append(("address_alias", event, _OF_ALIAS.format(rows=rows)))
        found.append(("division", event, _NONE_OF_ALL.format(rows=rows)))
    for table, column, more, streets in _HANGING:
        if table != "community":
            found += [(table, e, _NONE_OF.format(rows=r, streets=streets)) for e, r in _ROWS.items()]
        renamed = "n.name IS DISTINCT FROM o.name" + (f" OR {_differ(more)}" if table == "community" else "")
        found.append((
            table, "UPDATE",
            f"SELECT n.territory_id, coalesce(array_agg(a.id) FILTER (WHERE a.id IS NOT NULL), '{{}}'), {streets}"  # noqa: S608 - ours
            f" FROM {newer} LEFT JOIN address a ON a.{column} = n.id AND ({renamed})"
            f" WHERE {_differ('name,' + more)} GROUP BY 1",
        ))  # fmt: skip
    return found


def _differ(columns: str) -> str:
    mine, theirs = (",".join(f"{side}.{c}" for c in columns.split(",")) for side in "no")
    return f"ROW({mine}) IS DISTINCT FROM ROW({theirs})"


def downgrade() -> None:
    op.execute("DROP FUNCTION addresses_changed() CASCADE")  # with its triggers
    op.drop_index("ix_address_parent_id", "address")
    op.drop_table("address_change")
