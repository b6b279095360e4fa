"""Fresh at once: after a change the tiles it touches are new at the next GET; every other tile answers 304."""

from __future__ import annotations

import time

import pytest
import shapely

from api.app import create_app
from api.config import Config
from api.context import KEY
from api.front.wsgi import count
from data.postgres.connect import engine_of
from data.postgres.unit_of_work import UnitOfWork
from gis.tiles import pyramid

pytestmark = pytest.mark.database

LAYERS = "grids,communities,labels,streets,buildings,addresses,water"


@pytest.fixture
def change(world):
    """Runs statements in a transaction of their own, as another process of ours would."""
    with engine_of(world.url) as engine:

        def run(*statements):
            with UnitOfWork(engine) as work:
                for statement in statements:
                    work.connection.exec_driver_sql(statement)
                work.commit()

        yield run


class Map:
    """A client that keeps tiles by their ETag, as a browser does."""

    def __init__(self, client, world, territory, z=16, layers=LAYERS):
        box = shapely.total_bounds([p for _, p in world.grids[territory]])
        west, south = world.wgs84(territory, box[0], box[1])
        east, north = world.wgs84(territory, box[2], box[3])
        self.client, self.z, self.layers = client, z, layers
        self.tags = dict.fromkeys(pyramid.covering(z, west, south, east, north), "")
        self.load()

    def load(self):
        """Ask for every tile; the ones that are new, with their bodies."""
        new = {}
        for (x, y), tag in self.tags.items():
            answer = self.client.get(
                f"/tiles/{self.layers}/{self.z}/{x}/{y}.mvt",
                headers={"Accept-Encoding": "gzip", **({"If-None-Match": tag} if tag else {})},
            )
            if answer.status_code == 200:
                assert answer.headers["ETag"] != tag
                self.tags[x, y] = answer.headers["ETag"]
                new[x, y] = answer.data
            else:
                assert answer.status_code == 304
                assert answer.headers["ETag"] == tag
        return new


@pytest.fixture(scope="module", params=[False, True], ids=["asking", "watching"])
def app(world, request):
    """Two ways to know what changed: by asking the database every time, and by hearing of it."""
    made = create_app(Config(world.url))
    context = made.extensions[KEY]
    if request.param:
        context.watch.start()
        end = time.monotonic() + 60
        while not context.watch.fresh(context.watch.epoch):
            assert time.monotonic() < end
            time.sleep(0.01)
    yield made
    context.watch.stop()
    context.engine.dispose()


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def first(world):
    return min(world.grids)


def near(world, territory, geometry, z=16):
    """Tiles that a geometry (metre CRS) touches, and those around them."""
    west, south = world.wgs84(territory, *geometry.bounds[:2])
    east, north = world.wgs84(territory, *geometry.bounds[2:])
    (x0, y0), (x1, y1) = pyramid.tile_at(z, west, north), pyramid.tile_at(z, east, south)
    return {(x, y) for x in range(x0 - 1, x1 + 2) for y in range(y0 - 1, y1 + 2)}


def shape_of(world, table, row):
    with engine_of(world.url) as engine, engine.connect() as connection:
        wkb = connection.exec_driver_sql(f"SELECT ST_AsBinary(geom) FROM {table} WHERE {row}").scalar_one()
        return shapely.from_wkb(wkb)


IN_FORCE = (
    "publication_id = (SELECT id FROM publication WHERE valid_to IS NULL"
    " AND territory_id = (SELECT min(id) FROM territory))"
)


@pytest.mark.parametrize(
    ("table", "row", "value"),
    [
        ("building", "source_id = 'b0'", "name = name || '新'"),
        ("building", "source_id = 'b0'", "geom_3857 = ST_Translate(geom_3857, 3, 0)"),
        ("street", "source_id = 's'", "name = name || '新'"),
        ("barrier", "source_id = 'w'", "name = name || '新'"),
        ("grid_version", f"code = 'sample-063' AND {IN_FORCE}", "name = name || '新'"),
        ("address", "number = 12", "text = text || '新'"),
    ],
)
def test_an_edit_changes_the_tiles_it_touches_and_no_other(client, world, first, change, table, row, value):
    shown, far = Map(client, world, first), Map(client, world, max(world.grids), z=14)
    assert shown.load() == {}
    change(f"UPDATE {table} SET {value} WHERE {row}")
    new = shown.load()
    assert new
    assert new.keys() <= near(world, first, shape_of(world, table, row))
    assert shown.load() == {}
    assert far.load() == {}


def test_a_community_s_name_changes_its_grids(client, world, first, change):
    shown = Map(client, world, first, z=14)
    change("UPDATE community SET name = name || '新' WHERE code = '430104007001'")
    assert shown.load()


def test_rows_that_go_and_come_back(client, world, first, change):
    shown = Map(client, world, first, layers="addresses")
    before = dict(shown.tags)
    place = near(world, first, shape_of(world, "address", "number = 12"))
    change("UPDATE address SET status = 'revoked' WHERE number = 12")
    assert set(shown.load()) <= place
    assert shown.tags != before
    change("UPDATE address SET status = 'issued' WHERE number = 12")
    assert set(shown.load()) <= place
    assert shown.tags == before  # the same picture has the same tag


def test_publications_that_differ_in_one_corner(world, first, change):
    """Grids 0 and 1 become one grid from today on: only tiles with one of them change, at every zoom."""
    app = create_app(Config(world.url))  # one test, one application: it publishes once
    client = app.test_client()
    change("UPDATE grid_version SET tone = (number %% 8 + number / 8 * 2) %% 6")  # as publications give them
    shown = [Map(client, world, first, z=z, layers="grids,streets,addresses") for z in (10, 13, 16)]
    with engine_of(world.url) as engine, engine.connect() as connection:
        old, version = connection.exec_driver_sql(
            f"SELECT id, plan_version_id FROM publication WHERE valid_to IS NULL AND territory_id = {first}"
        ).one()
        pair = connection.exec_driver_sql(
            f"SELECT ST_AsBinary(ST_Union(geom)) FROM grid_version WHERE number < 2 AND publication_id = {old}"
        ).scalar_one()
    columns = (
        "number, code, name, kind, community_id, community, households, counted, work, buildings, on_street_share,"
        " compactness, tone, label_3857"
    )
    joined = ", ".join(
        f"CASE WHEN number = 0 THEN (SELECT ST_Union(o.{g}) FROM grid_version o WHERE o.number < 2"
        f" AND o.publication_id = {old}) ELSE {g} END"
        for g in ("geom", "geom_3857")
    )
    change(
        f"UPDATE publication SET valid_to = (now() AT TIME ZONE 'Asia/Shanghai')::date WHERE id = {old}",
        "INSERT INTO publication (territory_id, plan_version_id, valid_from)"
        f" VALUES ({first}, {version}, (now() AT TIME ZONE 'Asia/Shanghai')::date)",
        f"INSERT INTO grid_version (publication_id, grid_id, {columns}, geom, geom_3857) SELECT"
        f" (SELECT max(id) FROM publication), grid_id, {columns}, {joined} FROM grid_version"
        f" WHERE publication_id = {old} AND number <> 1",
    )
    for held in shown:
        new = held.load()
        assert new
        assert new.keys() <= near(world, first, shapely.from_wkb(pair), held.z)
        assert held.load() == {}
    assert len(new) < len(held.tags) / 2
    app.extensions[KEY].engine.dispose()


def test_what_is_rolled_back_changes_nothing(client, world, first):
    shown = Map(client, world, first)
    with engine_of(world.url) as engine, UnitOfWork(engine) as work:
        work.connection.exec_driver_sql("UPDATE building SET name = 'never'")
    assert shown.load() == {}


def test_what_no_tile_shows_is_not_made_anew(client, app, world, first, change):
    shown, tiles = Map(client, world, first), app.extensions[KEY].tiles
    made = count(tiles.made)
    change("UPDATE building SET levels = 3", "UPDATE person SET name = name || 'x'")
    assert shown.load() == {}
    assert count(tiles.made) == made


def test_workers_agree(client, world, first):
    """Another worker, which never heard of this one, gives the same tag for the same bytes."""
    one = Map(client, world, first)
    other = create_app(Config(world.url))
    try:
        assert Map(other.test_client(), world, first).tags == one.tags
    finally:
        other.extensions[KEY].engine.dispose()
