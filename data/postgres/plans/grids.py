"""Permanent grids and their published versions: identity, code, shape, and the grid of every building."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from data.postgres import schema
from data.postgres.bulk import copy_rows, ewkb, geometry_columns
from data.postgres.imported.territories import Territory
from data.postgres.plans.publications import Publication
from gis.districting.codes import code_of, name_of, next_numbers
from gis.territory.model import Floats, Geometries, Ints


@dataclass(frozen=True)
class Draft:
    """A grid of a plan version before publication; ``grid_id`` is None for one not known yet."""

    number: int
    grid_id: UUID | None
    code: str
    name: str
    kind: str
    community_id: int | None
    community: str
    community_code: str
    note: str
    code_form: str = ""  # the code with its running number left open (gis.districting.codes)
    name_form: str = ""


@dataclass(frozen=True)
class Measured:
    """What publication adds to drafts: arrays by grid number. ``on_street_share`` is NaN without a border."""

    geometry: Geometries
    label: Geometries  # points in EPSG:3857
    households: Ints
    counted: Ints
    work: Floats
    buildings: Ints
    on_street_share: Floats
    compactness: Floats
    bounds: Sequence[Mapping[str, Any]] = ()  # the four bounds, JSON; empty: not known
    tone: Ints | None = None  # fill tones; None: readers make them up


def drafts(connection: Connection, version_id: int) -> list[Draft]:
    """The grids of a plan version by number."""
    table = schema.version_grid
    columns = [table.c[f] for f in Draft.__dataclass_fields__]
    rows = connection.execute(select(*columns).where(table.c.plan_version_id == version_id).order_by(table.c.number))
    return [Draft(*row) for row in rows]


def published(connection: Connection, publication_id: int) -> dict[UUID, tuple[str, str, str]]:
    """Code, name and community of every grid of a publication."""
    g = schema.grid_version
    rows = connection.execute(
        select(g.c.grid_id, g.c.code, g.c.name, g.c.community).where(g.c.publication_id == publication_id)
    )
    return {grid: (code, name, community) for grid, code, name, community in rows}


def building_grids(connection: Connection, publication_id: int) -> dict[int, UUID]:
    """The grid of every building in a publication."""
    b = schema.building_grid
    rows = connection.execute(select(b.c.building_id, b.c.grid_id).where(b.c.publication_id == publication_id))
    found: dict[int, UUID] = dict(rows.all())
    return found


def codes_ever(connection: Connection, territory_id: int) -> dict[str, bool]:
    """Every grid code a territory ever issued, and whether to a dedicated grid."""
    c = schema.grid_code
    rows = connection.execute(select(c.c.code, c.c.dedicated).where(c.c.territory_id == territory_id))
    found: dict[str, bool] = dict(rows.all())
    return found


def free_codes(
    wanted: Iterable[Draft], known: Mapping[UUID, tuple[str, str, str]], ever: Mapping[str, bool]
) -> list[Draft]:
    """Give every grid its code and name: kept by grids that go on, new ones appended, none ever reused.

    ``ever``: codes once issued, and whether to dedicated grids, which have numbers of their own. The first grids of
    a community take the plan's numbers, which are in reading order; later ones the next after the highest issued.
    """
    rows = [(d, known.get(d.grid_id) if d.grid_id else None) for d in wanted]
    kept = [old for _, old in rows if old is not None]
    issued = dict.fromkeys((code for code, _, _ in kept), False) | dict(ever)
    new = sorted((d for d, old in rows if old is None), key=lambda d: (d.code_form, d.code))
    coded = {d.number: n for d, n in zip(new, _new_numbers(new, issued), strict=True)}
    taken = set(issued)
    names = {(community, name) for _, name, community in kept}
    settled: list[Draft] = []
    for d, old in rows:
        if old is not None:
            settled.append(replace(d, code=old[0], name=old[1]))
            continue
        if d.code_form:
            code, name = code_of(d.code_form, coded[d.number]), name_of(d.name_form or d.name, coded[d.number])
        else:
            code = d.code if d.code not in taken else _next_code(d.code, taken)
            name = d.name
        taken.add(code)
        settled.append(replace(d, code=code, name=_apart(d.community, name, code, names)))
    return settled


def _apart(community: str, name: str, code: str, names: set[tuple[str, str]]) -> str:
    """The name, with the end of the code where another grid of the community has it; remembered in ``names``."""
    out = name if (community, name) not in names else f"{name} ({code[-3:]})"
    names.add((community, out))
    return out


def _new_numbers(new: Sequence[Draft], issued: Mapping[str, bool]) -> list[int]:
    """Running numbers of new grids by the forms of their codes; 0 for drafts without a form."""
    patterns = {d.code_form: _pattern(d.code_form) for d in new if d.code_form}
    before = [
        (form, dedicated, int(m[1]))
        for form, pattern in patterns.items()
        for code, dedicated in issued.items()
        if (m := pattern.fullmatch(code))
    ]
    wanted = []
    for d in new:
        own = patterns[d.code_form].fullmatch(d.code) if d.code_form else None
        wanted.append((d.code_form, d.kind == "dedicated", int(own[1]) if own else 1))
    return next_numbers(before, wanted)


def _pattern(form: str) -> re.Pattern[str]:
    """Codes of a form, whose running number is group 1 (wider than the form where it had to be)."""
    head, width, tail = re.split(r"\{number:([0-9]+)\}", form)
    return re.compile(f"{re.escape(head)}([0-9]{{{width},}}){re.escape(tail)}")


def register_codes(
    connection: Connection, territory: Territory, publication: Publication, rows: Iterable[Draft]
) -> None:
    """Enter the codes of a publication in the register, where they stay for ever."""
    values = [
        {
            "territory_id": territory.id,
            "code": d.code,
            "grid_id": d.grid_id,
            "dedicated": d.kind == "dedicated",
            "issued_for": publication.valid_from,
        }
        for d in rows
    ]
    if values:
        connection.execute(upsert(schema.grid_code).on_conflict_do_nothing(), values)


@dataclass(frozen=True)
class IssuedCode:
    """A code of the register. Its grid had it on days ``[valid_from, valid_to)``; both None: it was withdrawn.

    ``valid_to`` is None as well while the code is in force without an end.
    """

    code: str
    grid_id: UUID
    dedicated: bool
    issued_for: date
    valid_from: date | None
    valid_to: date | None


def register(connection: Connection, territory_id: int) -> list[IssuedCode]:
    """Every code a territory ever issued, with the days on which it was in force."""
    rows = connection.execute(
        text(
            "SELECT c.code, c.grid_id, c.dedicated, c.issued_for, min(p.valid_from),"
            " CASE WHEN bool_or(p.valid_from IS NOT NULL AND p.valid_to IS NULL) THEN NULL ELSE max(p.valid_to) END"
            " FROM grid_code c LEFT JOIN grid_version g ON g.grid_id = c.grid_id AND g.code = c.code"
            " LEFT JOIN publication p ON p.id = g.publication_id AND p.territory_id = c.territory_id"
            " WHERE c.territory_id = :territory GROUP BY c.code, c.grid_id, c.dedicated, c.issued_for ORDER BY c.code"
        ),
        {"territory": territory_id},
    )
    return [IssuedCode(*row) for row in rows]


def _next_code(code: str, taken: Iterable[str]) -> str:
    """The code with the next running number of its community: its last digits, up to three, count."""
    found = re.fullmatch(r"(.*?)([0-9]{1,3})", code)
    head, digits = (found[1], found[2]) if found else (code, "0")
    same = re.compile(re.escape(head) + rf"([0-9]{{{len(digits)},}})")
    numbers = [int(m[1]) for c in taken if (m := same.fullmatch(c))]
    return f"{head}{max([int(digits), *numbers]) + 1:0{len(digits)}d}"


def settle(connection: Connection, territory: Territory, version_id: int, rows: Iterable[Draft]) -> None:
    """Make the grids that are new, and write identity, code and name back to the plan version."""
    settled = list(rows)
    grid, table = schema.grid, schema.version_grid
    have = set(connection.execute(select(grid.c.grid_id).where(grid.c.territory_id == territory.id)).scalars())
    new = [d.grid_id for d in settled if d.grid_id not in have]
    copy_rows(connection, grid, {"grid_id": new, "territory_id": [territory.id] * len(new)})
    # codes may change places: free them all first
    connection.execute(
        update(table).where(table.c.plan_version_id == version_id).values(code=text("'#' || number"), grid_id=None)
    )
    for d in settled:
        connection.execute(
            update(table)
            .where(table.c.plan_version_id == version_id, table.c.number == d.number)
            .values(grid_id=d.grid_id, code=d.code, name=d.name)
        )


def save_versions(
    connection: Connection,
    territory: Territory,
    publication: Publication,
    rows: list[Draft],
    measured: Measured,
) -> None:
    """Write the published grids."""
    copy_rows(
        connection,
        schema.grid_version,
        {
            "publication_id": [publication.id] * len(rows),
            **{f: [getattr(d, f) for d in rows] for f in ("grid_id", "number", "code", "name", "kind")},
            **{f: [getattr(d, f) for d in rows] for f in ("community_id", "community", "note")},
            "households": measured.households,
            "counted": measured.counted,
            "work": measured.work,
            "buildings": measured.buildings,
            "on_street_share": measured.on_street_share,
            "compactness": measured.compactness,
            "bounds": list(measured.bounds) or [{}] * len(rows),
            "tone": [None] * len(rows) if measured.tone is None else measured.tone,
            "label_3857": ewkb(measured.label, 3857),
            **geometry_columns(measured.geometry, territory.crs, territory.srid),
        },
    )


def save_building_grids(
    connection: Connection, publication: Publication, grid_of: Mapping[int, UUID]
) -> tuple[int, int]:
    """Give every building of the territory its grid; how many were newer than the atoms, how many lie outside.

    ``grid_of`` has the buildings of the atom set. Newer ones, imported since, get the grid their inner point lies
    in: lowest ``grid_id`` on a border. So do buildings that the sources dropped but an address still names: the
    plate hangs, and whoever scans it is answered.
    """
    copy_rows(
        connection,
        schema.building_grid,
        {
            "publication_id": [publication.id] * len(grid_of),
            "building_id": list(grid_of),
            "grid_id": list(grid_of.values()),
        },
    )
    # materialised: fresh rows have no statistics, and the planner would look up every building's position
    missing, placed = connection.execute(
        text(
            "WITH missing AS MATERIALIZED (SELECT b.id, ST_PointOnSurface(b.geom) AS point FROM building b"
            "  WHERE b.territory_id = :territory AND (b.present OR EXISTS"
            "  (SELECT 1 FROM address a WHERE a.building_id = b.id AND a.valid_to IS NULL)) AND NOT EXISTS"
            "  (SELECT 1 FROM building_grid x WHERE x.publication_id = :publication AND x.building_id = b.id)),"
            " placed AS (INSERT INTO building_grid (publication_id, building_id, grid_id)"
            "  SELECT DISTINCT ON (m.id) :publication, m.id, g.grid_id FROM missing m JOIN grid_version g"
            "  ON g.publication_id = :publication AND ST_Intersects(g.geom, m.point) ORDER BY m.id, g.grid_id"
            "  RETURNING 1)"
            " SELECT (SELECT count(*) FROM missing), (SELECT count(*) FROM placed)"
        ),
        {"publication": publication.id, "territory": publication.territory_id},
    ).one()
    return placed, missing - placed
