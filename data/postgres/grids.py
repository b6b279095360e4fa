"""Permanent grids and their published versions: identity, code, shape, and the grid of every building."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import Connection, select, text, update

from data.postgres import schema
from data.postgres.bulk import copy_rows, ewkb, geometry_columns
from data.postgres.publications import Publication
from data.postgres.territories import Territory
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


def codes_ever(connection: Connection, territory_id: int) -> dict[str, UUID]:
    """Every grid code a territory ever published, and the grid it belongs to for ever."""
    rows = connection.execute(
        text(
            "SELECT DISTINCT g.code, g.grid_id FROM grid_version g JOIN publication p ON p.id = g.publication_id"
            " WHERE p.territory_id = :territory"
        ),
        {"territory": territory_id},
    )
    found: dict[str, UUID] = dict(rows.all())
    return found


def free_codes(
    wanted: Iterable[Draft], known: Mapping[UUID, tuple[str, str, str]], ever: Mapping[str, UUID]
) -> list[Draft]:
    """Give every grid its code and name: kept by grids that go on, new ones appended, none ever reused.

    A new grid takes the plan's code where nobody ever had it, else the next free number after the highest.
    """
    rows = [(d, known.get(d.grid_id) if d.grid_id else None) for d in wanted]
    kept = [old for _, old in rows if old is not None]
    taken = set(ever) | {code for code, _, _ in kept}
    names = {(community, name) for _, name, community in kept}
    settled: list[Draft] = []
    for d, old in rows:
        if old is not None:
            settled.append(replace(d, code=old[0], name=old[1]))
            continue
        code = d.code if d.code not in taken else _next_code(d.code, taken)
        taken.add(code)
        name = d.name if (d.community, d.name) not in names else f"{d.name} ({code[-3:]})"
        settled.append(replace(d, code=code, name=name))
    return settled


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
