"""What is remembered of the database: the same as it says, only while nothing changed, and bounded."""

from __future__ import annotations

import datetime

import pytest

from api.services.published import Published
from api.services.tiles.tile_memory import DatabaseNeededError, Versions, no_connection, reading_later
from api.services.tiles.tile_request import TileRequest
from api.services.tiles.tile_tables import cell_of
from api.services.tiles.tiles import state_of
from api.services.watch import Watch
from data.postgres.connect import engine_of
from data.postgres.tiles import tile_versions
from gis.tiles import pyramid

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def published(world):
    with engine_of(world.url) as engine:
        yield Published(engine)


@pytest.fixture
def watch():
    """One that is taken to have heard of everything."""
    made = Watch("")
    made.until = float("inf")
    return made


@pytest.fixture
def spot(world):
    first = min(world.grids)
    point = world.grids[first][0][1].centroid
    return world.wgs84(first, point.x, point.y)


def asked(spot, z, on=None):
    return TileRequest(("grids", "buildings"), z, *pyramid.tile_at(z, *spot), as_of=on)


@pytest.mark.parametrize("z", [0, 2, 3, 9, 13, 16, 17])
def test_neighbours_asked_along_have_what_they_would_have_alone(published, watch, spot, z):
    versions = Versions(watch)
    request = asked(spot, z)
    with published.reading() as connection:
        versions.ask(connection, request)
        for x in {request.x, request.x ^ 1}:
            for y in {request.y, request.y ^ 1}:
                other = TileRequest(request.layers, z, x, y)
                if max(x, y) >= 1 << z:
                    continue
                known = versions.known(other)
                alone = tile_versions.touching(connection, other.tile, [cell_of(other.tile)])
                assert known is not None
                assert [t.info for t in known] == [t.info for t in alone]
                assert state_of(other, known) == state_of(other, alone)
                for one, two in zip(known, alone, strict=True):
                    assert one.publications == two.publications
                    assert two.versions.items() <= one.versions.items()
    assert len(versions) == 1


def test_nothing_is_known_once_something_changed(published, watch, spot):
    versions, request = Versions(watch), asked(spot, 14)
    assert versions.known(request) is None
    with published.reading() as connection:
        versions.ask(connection, request)
        assert versions.known(request)
        watch.epoch += 1
        assert versions.known(request) is None
        versions.ask(connection, request)
        assert versions.known(request)
        watch.until = 0.0
        assert versions.known(request) is None


def test_what_was_asked_before_a_change_is_of_the_time_before(published, watch, spot):
    """A change that is heard of while the database answers."""
    versions, request = Versions(watch), asked(spot, 14)

    class Connection:
        def __init__(self, held):
            self._held = held

        @property
        def connection(self):
            watch.epoch += 1
            return self._held.connection

    with published.reading() as connection:
        assert versions.ask(Connection(connection), request)
    assert versions.known(request) is None


def test_without_a_watch_nothing_is_remembered(published, spot):
    versions, request = Versions(Watch("")), asked(spot, 14)
    with published.reading() as connection:
        assert versions.ask(connection, request)
    assert versions.known(request) is None
    assert len(versions) == 0


def test_days_are_kept_apart_and_few(published, watch, spot):
    versions = Versions(watch, most=3)
    days = [datetime.date(2000, 1, 1 + k) for k in range(5)]
    with published.reading() as connection:
        today = versions.ask(connection, asked(spot, 14))
        for day in days:
            assert versions.ask(connection, asked(spot, 14, day)) != today
    assert len(versions) == 3
    assert [versions.known(asked(spot, 14, day)) is None for day in days] == [True, True, False, False, False]


def test_a_connection_is_opened_when_it_is_used(published):
    before = published._engine.pool.checkedout()
    with reading_later(published) as connection:
        assert published._engine.pool.checkedout() == before
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
        assert published._engine.pool.checkedout() == before + 1
    assert published._engine.pool.checkedout() == before
    with pytest.raises(DatabaseNeededError):
        no_connection().exec_driver_sql("SELECT 1")
