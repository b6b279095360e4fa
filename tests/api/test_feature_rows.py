"""Pages made of what is in memory are those that PostGIS finds: features, counts and places to go on from."""

from __future__ import annotations

import random

import numpy as np
import psycopg
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text as sql

from api.services.features import feature_rows
from api.services.features.feature_questions import Asked, question
from api.services.features.feature_rows import BEFORE, Sheets
from api.services.features.features import Features
from api.services.watch import Watch
from data.postgres.connect import engine_of
from data.postgres.features.read_features import EDGE, TODAY, State
from data.postgres.unit_of_work import UnitOfWork
from gis.features.references import LONLAT
from tests.published_world import Writer

pytestmark = pytest.mark.database

MERCATOR = "http://www.opengis.net/def/crs/EPSG/0/3857"
NAMES = ("grids", "communities", "buildings", "addresses")


@pytest.fixture(scope="module")
def plain_url(world):
    return world.url.replace("postgresql+psycopg://", "postgresql://")


@pytest.fixture(scope="module")
def crowd(world, plain_url):
    """Houses of many forms, some of them in the far corner of the world or of a millimetre; their bounds."""
    rng = np.random.default_rng(5)
    with psycopg.connect(plain_url) as connection:
        for territory, crs in world.crs.items():
            write = Writer(connection, int(crs.split(":")[1]))
            west, south, east, north = shapely.union_all([p for _, p in world.grids[territory]]).bounds
            for k in range(120):
                x, y = rng.uniform(west, east), rng.uniform(south, north)
                size = rng.choice([0.001, 4.0, 30.0, 400.0])
                shape = shapely.affinity.rotate(shapely.box(x, y, x + size, y + size / 3), rng.uniform(0, 90))
                if k % 5 == 0:
                    shape = shape.union(shapely.affinity.translate(shape, 2 * size, 0))
                write.add(
                    "building", shape, source_id=f"m{k}", position=k, households=k, counted=k, work=1,
                    households_source="given", territory_id=territory, name=f'"楼"\\{k}', levels=k / 7,
                )  # fmt: skip
        rows = connection.execute("SELECT ST_AsBinary(geom_3857) FROM building").fetchall()
        grids = connection.execute("SELECT ST_AsBinary(geom_3857) FROM grid_version").fetchall()
    return np.asarray(shapely.from_wkb([r[0] for r in (*rows, *grids)]))


@pytest.fixture(scope="module")
def both(world, crowd):
    """Features with rows in memory, kept pages off; and those of the database alone."""
    with engine_of(world.url) as engine:
        memory, database = Features(engine, 0), Features(engine, 0, sheet_bytes=0)
        for name in NAMES:
            for k in range(BEFORE):
                memory.page(question(name, Asked(limit=k + 1)))
        assert set(memory.sheets.held()) == set(NAMES)
        yield memory, database


def same(both, name, asked):
    mine, theirs = (f.page(question(name, asked)) for f in both)
    assert mine.features.plain == theirs.features.plain
    assert (mine.returned, mine.matched, mine.following, mine.mark) == (
        theirs.returned, theirs.matched, theirs.following, theirs.mark,
    )  # fmt: skip
    return mine


def text(*numbers):
    return ",".join(repr(float(v)) for v in numbers)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_boxes_along_edges_and_vertices(both, crowd, data):
    """Sides of the box lie on, a hair inside and a hair outside of what is there."""
    corners = shapely.get_coordinates(crowd)
    picked = data.draw(st.tuples(*[st.integers(0, len(corners) - 1)] * 2))
    hair = data.draw(st.sampled_from([0.0, 1e-9, -1e-9, 1e-3, -1e-3, 0.4, -0.4, 50.0]))
    (x0, y0), (x1, y1) = corners[picked[0]], corners[picked[1]]
    west, east = sorted((x0, x1))
    south, north = sorted((y0, y1))
    if data.draw(st.booleans()):  # the box of one feature
        west, south, east, north = crowd[picked[0] % len(crowd)].bounds
    if east - west + 2 * hair < 0 or north - south + 2 * hair < 0:
        hair = 0.0
    asked = Asked(
        limit=data.draw(st.sampled_from([1, 3, 100, 1000])),
        bbox=text(west - hair, south - hair, east + hair, north + hair),
        bbox_crs=MERCATOR,
        crs=data.draw(st.sampled_from(["", MERCATOR, "EPSG:4326"])),
    )
    name = data.draw(st.sampled_from(NAMES))
    while asked.cursor != "end":
        page = same(both, name, asked)
        onward = page.following or "end"
        asked = Asked(max(asked.limit, 40), onward, asked.bbox, asked.bbox_crs, asked.crs)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_every_page_of_everything(both, name, limit):
    page, seen = same(both, name, Asked(limit=limit)), 0
    while page.following and seen < 40:
        page, seen = same(both, name, Asked(limit=limit, cursor=page.following)), seen + 1


def test_boxes_of_other_crs_and_over_the_antimeridian(both, world):
    for territory, crs in world.crs.items():
        west, south, east, north = shapely.union_all([p for _, p in world.grids[territory][:9]]).bounds
        box = (south, west, north, east) if crs == "EPSG:4547" else (west, south, east, north)
        for name in NAMES:
            same(both, name, Asked(bbox=text(*box), bbox_crs=crs))
            assert same(both, name, Asked(bbox="110,-80,-170,80")).matched == (
                same(both, name, Asked(bbox="110,-80,180,80")).matched
            )
            assert same(both, name, Asked(bbox="0,0,0.1,0.1")).matched == 0


@pytest.mark.parametrize("cursor", ["1.5", "2.99", "0.1", "99.1", "1.999999999999999999"])
def test_cursors_that_no_page_gave(both, cursor):
    same(both, "buildings", Asked(limit=3, cursor=cursor))


def test_a_box_finds_nothing_a_metre_outside(both, crowd):
    """Boxes of PostGIS are of single precision: here they may not decide."""
    for shape in crowd[:40]:
        east = shape.bounds[2] + 0.01
        found = same(
            both, "buildings", Asked(limit=1000, bbox=text(east, -EDGE, east + 0.001, EDGE), bbox_crs=MERCATOR)
        )
        strip = shapely.box(east, -EDGE, east + 0.001, EDGE)
        assert found.matched == int(shapely.intersects(crowd[:243], strip).sum())


def test_rows_in_memory_stay_in_their_bounds(world, crowd, both):
    with engine_of(world.url) as engine:
        small = Features(engine, 0, sheet_bytes=60_000)
        for k in range(BEFORE + 20):
            page = small.page(question("buildings", Asked(limit=random.Random(k).randint(1, 200))))
        sheet = small.sheets.held()["buildings"]
        assert 20_000 < sheet.nbytes <= 60_000
        assert page.matched == both[1].page(question("buildings", Asked(limit=1))).matched


def test_a_layer_that_is_too_large_is_left_to_the_database(world, crowd, monkeypatch):
    monkeypatch.setattr(feature_rows, "MOST", 200)
    with engine_of(world.url) as engine:
        features = Features(engine, 0)
        for k in range(2 * BEFORE):
            assert features.page(question("buildings", Asked(limit=k + 1))).matched == 243
        assert features.sheets.held() == {}


def test_a_change_makes_the_rows_in_memory_useless(both, plain_url):
    asked = Asked(limit=5)
    before = same(both, "buildings", asked)
    with psycopg.connect(plain_url, autocommit=True) as connection:
        for k in range(3 * BEFORE):
            connection.execute("UPDATE building SET levels = %s WHERE position = 0", [100 + k])
            for _ in range(k % (2 * BEFORE)):
                assert b"%d" % (100 + k) in same(both, "buildings", asked).features.plain
    assert same(both, "buildings", asked).mark != before.mark


def test_a_change_of_one_collection_is_none_of_the_others(both, plain_url):
    marks = {name: same(both, name, Asked()).mark for name in NAMES}
    with psycopg.connect(plain_url, autocommit=True) as connection:
        connection.execute("UPDATE address SET text = text || '!'")
    after = {name: same(both, name, Asked()).mark for name in NAMES}
    assert [n for n in NAMES if marks[n] != after[n]] == ["addresses"]


def test_a_sheet_is_read_by_one_alone():
    sheets, state = Sheets(1 << 20), State("m", ())
    read = [sheets.sheet("grids", state, lambda *_: None) is not None for _ in range(BEFORE + 1)]
    assert read == [False] * (BEFORE - 1) + [True, True]


class Sure:
    """A watch that always knows that nothing has changed since it was told."""

    def __init__(self):
        self.epoch = 1

    def fresh(self, epoch):
        return epoch == self.epoch


def test_while_nothing_changes_the_database_is_not_asked(world, crowd, monkeypatch):
    with engine_of(world.url) as engine:
        features, asked = Features(engine, 0, Sure()), []
        read = features._pool.read
        monkeypatch.setattr(features._pool, "read", lambda ask: asked.append(1) or read(ask))
        box = text(*crowd[0].bounds)
        for limit in range(1, 3 * BEFORE):
            page = features.page(question("buildings", Asked(limit=limit, bbox=box, bbox_crs=MERCATOR)))
        one = features.one("buildings", "1", LONLAT, TODAY, lambda _: (), drafts=False)
        asked.clear()
        again = features.page(question("buildings", Asked(limit=limit, bbox=box, bbox_crs=MERCATOR)))
        assert again.features.plain == page.features.plain
        assert features.one("buildings", "1", LONLAT, TODAY, lambda _: (), drafts=False) == one
        assert asked == []
        features._watch.epoch += 1
        features.page(question("buildings", Asked()))
        features.one("buildings", "1", LONLAT, TODAY, lambda _: (), drafts=False)
        assert len(asked) >= 2


def test_every_worker_has_heard_before_the_writer_goes_on(world, crowd):
    """Two workers that listen: neither shows what was before, from whichever memory it answers."""
    with engine_of(world.url) as engine:
        watches = [Watch(world.url) for _ in range(2)]
        workers = [Features(engine, 1 << 20, watch) for watch in watches]
        try:
            for watch in watches:
                watch.start()
            for k in range(12):
                with UnitOfWork(engine) as work:
                    work.connection.execute(sql("UPDATE building SET height = :h WHERE id = 1"), {"h": 1000 + k})
                    work.commit()
                for worker in workers:
                    for limit in range(1, k + 2):
                        page = worker.page(question("buildings", Asked(limit=limit)))
                        assert b'"height":%d' % (1000 + k) in page.features.plain
                    one = worker.one("buildings", "1", LONLAT, TODAY, lambda _: (), drafts=False)
                    assert b'"height":%d' % (1000 + k) in one
        finally:
            for watch in watches:
                watch.stop()
