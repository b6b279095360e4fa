"""Lost connections, wrong databases and many readers at once: clean refusals, and recovery by itself."""

from __future__ import annotations

import threading

import psycopg
import pytest

pytestmark = pytest.mark.database


def cut_connections(world) -> None:
    """What a restart of the server does to the service's connections."""
    with psycopg.connect(world.url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_the_service_recovers_when_the_database_comes_back(client, world):
    assert client.get("/api/territories").status_code == 200
    cut_connections(world)
    assert client.get("/api/territories").status_code == 200  # the pool notices before it asks
    assert client.get("/readyz").status_code == 200


def test_requests_under_way_fail_cleanly_and_the_next_ones_work(app, world):
    statuses: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        client = app.test_client()
        while not stop.is_set():
            answer = client.get("/tiles/grids,streets,buildings/14/13332/6831.mvt")
            statuses.append(answer.status_code)
            assert answer.status_code == 200 or answer.mimetype == "application/problem+json"

    readers = [threading.Thread(target=ask) for _ in range(4)]
    for reader in readers:
        reader.start()
    for _ in range(5):
        cut_connections(world)
        stop.wait(0.15)
    stop.set()
    for reader in readers:
        reader.join()
    assert set(statuses) <= {200, 503}
    assert app.test_client().get("/tiles/grids/14/13332/6831.mvt").status_code == 200


def test_many_threads_make_a_snapshot_once(world, monkeypatch):
    from api.app import create_app
    from api.config import Config
    from api.context import KEY
    from data.postgres.plans import read_published

    read, real = [], read_published.grids

    def counting(connection, publication):
        read.append(publication)
        return real(connection, publication)

    monkeypatch.setattr(read_published, "grids", counting)
    app = create_app(Config(world.url))
    grid_id, polygon = world.grids[min(world.grids)][7]
    found: list[str] = []

    def ask() -> None:
        spot = {"lon": polygon.centroid.x, "lat": polygon.centroid.y, "crs": "EPSG:4547"}
        found.append(app.test_client().get("/api/lookup", query_string=spot).json["grid_id"])

    readers = [threading.Thread(target=ask) for _ in range(8)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert found == [grid_id] * 8
    assert len(read) == len(set(read)) == len(world.grids)
    app.extensions[KEY].engine.dispose()
