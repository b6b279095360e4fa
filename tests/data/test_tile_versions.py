"""Versions by tile: each change marks the tiles of its old and new place, in its own transaction, and no other."""

from __future__ import annotations

import psycopg
import pytest
import shapely

from data.postgres.connect import engine_of
from data.postgres.tiles.tile_versions import DEEPEST, ancestor, touching
from gis.tiles import pyramid
from tests.published_world import world as world

pytestmark = pytest.mark.database


@pytest.fixture
def connection(world):
    """A transaction that is undone at the end."""
    with psycopg.connect(world.url.replace("postgresql+psycopg://", "postgresql://")) as held:
        yield held
        held.rollback()


def versions(connection):
    rows = connection.execute("SELECT territory_id, layer, z, x, y, version FROM tile_version").fetchall()
    return {tuple(row[:5]): row[5] for row in rows}


def marked(connection, statement, *values):
    """(layer, z, x, y) of the tiles whose version a statement changed."""
    before = versions(connection)
    connection.execute(statement, values)
    return {key[1:] for key, version in versions(connection).items() if before.get(key) != version}


def deepest(cells, layer):
    return {(x, y) for name, z, x, y in cells if z == DEEPEST and name == layer}


def touched_by(connection, table, row, z=DEEPEST):
    """Tiles whose box touches that of a row, as arithmetic in Python has it."""
    (wkb,) = connection.execute(f"SELECT ST_AsBinary(geom_3857) FROM {table} WHERE {row}").fetchone()
    w, s, e, n = shapely.from_wkb(wkb).bounds
    side = 2 * pyramid.HALF / (1 << z)
    x0, x1 = int((w + pyramid.HALF) // side), int((e + pyramid.HALF) // side)
    y0, y1 = int((pyramid.HALF - n) // side), int((pyramid.HALF - s) // side)
    return {(x, y) for x in range(x0, x1 + 1) for y in range(y0, y1 + 1)}


def around(cells):
    return {(x + i, y + j) for x, y in cells for i in (-1, 0, 1) for j in (-1, 0, 1)}


@pytest.mark.parametrize(
    ("statement", "layer", "table", "row"),
    [
        ("UPDATE building SET households = 99 WHERE source_id = 'b0'", "building", "building", "source_id = 'b0'"),
        ("UPDATE building SET present = false WHERE source_id = 'b1'", "building", "building", "source_id = 'b1'"),
        ("UPDATE street SET name = '新路'", "street", "street", "true"),
        ("UPDATE barrier SET kind = 'rail'", "barrier", "barrier", "true"),
        ("UPDATE address SET status = 'revoked' WHERE number = 12", "address", "address", "number = 12"),
        (
            "UPDATE grid_version SET name = '新名' WHERE code = 'sample-009'",
            "grid", "grid_version", "code = 'sample-009'",
        ),
        (
            "UPDATE building_grid SET grid_id = (SELECT max(grid_id::text)::uuid FROM grid_version"
            " WHERE publication_id = building_grid.publication_id)"
            " WHERE building_id = (SELECT id FROM building WHERE source_id = 'b0')",
            "building", "building", "source_id = 'b0'",
        ),
    ],
)  # fmt: skip
def test_a_change_marks_its_tiles(connection, statement, layer, table, row):
    place = touched_by(connection, table, row)
    cells = marked(connection, statement)
    assert {name for name, *_ in cells} == {layer}
    found = deepest(cells, layer)
    assert place <= found <= around(place)
    for z in range(DEEPEST):  # every ancestor, and little more
        up = {(x, y) for _, level, x, y in cells if level == z}
        assert touched_by(connection, table, row, z) <= up <= around(touched_by(connection, table, row, z))


def test_both_the_old_and_the_new_place_are_marked(connection):
    old = touched_by(connection, "building", "source_id = 'b0'")
    cells = marked(
        connection, "UPDATE building SET geom_3857 = ST_Translate(geom_3857, 1500, 0) WHERE source_id = 'b0'"
    )
    new = touched_by(connection, "building", "source_id = 'b0'")
    found = deepest(cells, "building")
    assert old | new <= found <= around(old) | around(new)
    assert len(found) < 12  # not all that lies between


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE building SET levels = 7",
        "UPDATE building SET name = name, geom_3857 = geom_3857",
        "UPDATE grid_version SET note = 'x'",
        "UPDATE address SET mess = 'x'",
        "DELETE FROM street WHERE false",
        "INSERT INTO person (territory_id, staff_id, name) SELECT id, 'new', '李四' FROM territory",
    ],
)
def test_what_no_tile_shows_marks_no_tile(connection, statement):
    assert {cell for cell in marked(connection, statement) if cell[0] != "feature"} == set()


def test_rows_that_come_and_go(connection):
    place = touched_by(connection, "street", "true")
    assert place <= deepest(marked(connection, "DELETE FROM street"), "street") <= around(place)
    cells = marked(
        connection,
        "INSERT INTO street (territory_id, position, source_id, highway, geom, geom_3857)"
        " SELECT territory_id, 0, 's', 'primary', ST_MakeLine(ST_PointN(ST_ExteriorRing(geom), 1),"
        " ST_PointN(ST_ExteriorRing(geom), 2)), ST_MakeLine(ST_PointN(ST_ExteriorRing(geom_3857), 1),"
        " ST_PointN(ST_ExteriorRing(geom_3857), 2)) FROM building WHERE source_id = 'b0'",
    )
    place = touched_by(connection, "street", "true")
    assert place <= deepest(cells, "street") <= around(place)


def test_a_community_s_name_is_shown_by_three_layers(connection):
    cells = marked(connection, "UPDATE community SET name = '新社区' WHERE code = '430104007000'")
    assert {name for name, *_ in cells} == {"grid", "building", "address"}


def test_a_new_publication_is_a_state_of_the_territory(connection):
    cells = marked(
        connection, "UPDATE publication SET published_by = 'x' WHERE territory_id = (SELECT min(id) FROM territory)"
    )
    assert cells == {("publication", 0, 0, 0)}


def test_readers_are_told_at_the_commit(world):
    plain = world.url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(plain, autocommit=True) as reader, psycopg.connect(plain) as writer:
        reader.execute("LISTEN served")
        writer.execute("UPDATE building SET name = name")
        writer.commit()
        assert list(reader.notifies(timeout=0.1, stop_after=1)) == []
        writer.execute("UPDATE building SET households = households + 1")
        writer.execute("UPDATE person SET name = name || 'x'")
        assert list(reader.notifies(timeout=0.1, stop_after=1)) == []
        writer.commit()
        assert len(list(reader.notifies(timeout=120, stop_after=1))) == 1


def test_touching_reads_territories_and_versions_in_one_question(world):
    first = min(world.grids)
    x, y = world.grids[first][0][1].centroid.coords[0]
    lon, lat = world.wgs84(first, x, y)
    tile = (17, *pyramid.tile_at(17, lon, lat))
    cell = (13, *pyramid.tile_at(13, lon, lat))
    with engine_of(world.url) as engine, engine.connect() as connection:
        (found,) = touching(connection, tile, [cell])
        assert found.info.territory == first
        assert found.publications is not None
        assert found.version("address", cell) is not None
        assert found.version("street", cell) != found.version("building", cell)
        assert touching(connection, (16, 0, 0)) == ()
        assert {t.info.territory for t in touching(connection, (0, 0, 0))} == set(world.grids)
    assert ancestor((18, 7, 5)) == (16, 1, 1)
    assert ancestor((3, 7, 5)) == (3, 7, 5)
