"""The database itself stopped and started again while a server of two workers is asked without pause."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import psycopg
import pytest

from data.machine import places, processes
from data.postgres.server import migrate
from data.postgres.server.cluster import Cluster
from gis.tiles import pyramid
from tests.running_server import Server

pytestmark = [pytest.mark.database, pytest.mark.slow]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster of this module's own, in a home of its own: every other one is left alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANGGE_HOME", str(tmp_path_factory.mktemp("restart") / "home"))
        patch.delenv("DATABASE_URL", raising=False)
        patch.setenv("WANGGE_TYPED_PER_MINUTE", "0")  # codes are typed here as fast as they are answered
        made = Cluster("restart", durable=False)
        made.up()
        try:
            yield made
        finally:
            made.down()
            if places.is_root():
                shutil.rmtree(Path("/var/lib/wangge") / places.home_key(), ignore_errors=True)


@pytest.fixture(scope="module")
def database_url(cluster):
    """In place of the shared server's: the world is drawn into this cluster."""
    migrate.upgrade(cluster.url())
    return cluster.url()


@pytest.fixture(scope="module")
def server(world, tmp_path_factory):
    with Server(world, tmp_path_factory.mktemp("cache")) as made:
        made.until(lambda: made.get("/readyz")[0] == 200)
        made.until(lambda: len(made.workers()) == 2)
        yield made


@pytest.fixture(scope="module")
def paths(world, server):
    """A kept tile, one made anew, lists, features, lookups in front of Flask and behind it, a plate's page."""
    first = min(world.grids)
    spot = world.grids[first][0][1].centroid
    lon, lat = world.wgs84(first, spot.x, spot.y)
    x, y = pyramid.tile_at(15, lon, lat)
    return [
        server.tile,
        f"/tiles/grids,buildings/15/{x}/{y}.mvt?kind=residential",
        "/api/territories",
        "/ogc/collections/grids/items?limit=5",
        f"/api/lookup?lon={lon}&lat={lat}&crs=wgs84",
        f"/api/lookup?lon={lon}&lat={lat}&crs=wgs84&as_of=2021-06-01",
        f"/d/{world.codes['good']}",
        "/readyz",
    ]


def fast(cluster, pid):
    """As ``pg_ctl stop -m fast``: every session is told and ended."""
    os.kill(pid, signal.SIGINT)


def immediate(cluster, pid):
    """As ``pg_ctl stop -m immediate``, or a crash: sessions break off, and the next start recovers."""
    os.kill(pid, signal.SIGQUIT)


@pytest.mark.parametrize("stop", [fast, immediate])
def test_the_database_restarted_under_load(cluster, world, server, paths, stop):
    """503 as a problem document at worst, nobody waits for ever, and all is as before without a restart of ours."""
    workers = {p.pid for p in server.workers()}
    server.until(lambda: all(server.get(path)[0] == 200 for path in paths))
    with server.asked(paths) as seen:
        pid = cluster.status().pid
        stop(cluster, pid)
        server.until(lambda: not processes.alive(pid))
        # what is in memory may be answered for a moment; then everybody is told
        server.until(lambda: all(server.get(path)[0] == 503 for path in paths))
        before = len(seen)
        server.until(lambda: len(seen) > before + 4 * len(paths))  # asked while it is away, by all
        cluster.up()
        server.until(lambda: all(server.get(path)[0] == 200 for path in paths))
    assert {p.pid for p in server.workers()} == workers
    assert {status for _, status, _ in seen} == {200, 503}
    for path, status, body in seen:
        assert status == 200 or path == "/readyz" or b"urn:wangge:problem:http.database" in body, (path, body[:300])
    assert "Traceback" not in server.said.read_text(encoding="utf-8")


def test_changes_are_heard_of_again_afterwards(cluster, world, server):
    """Who lost the database listens again: a change is in the next tile, of every worker."""
    _, old = server.get(server.tile)
    with psycopg.connect(world.url.replace("+psycopg", "")) as connection:
        connection.execute("UPDATE grid_version SET name = name || '乙' WHERE publication_id IN"
                           " (SELECT id FROM publication WHERE valid_to IS NULL)")  # fmt: skip
    server.until(lambda: all(server.get(server.tile)[1] != old for _ in range(8)))
