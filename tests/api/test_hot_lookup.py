"""Lookups in front of Flask say byte for byte what Flask says, or leave it to Flask."""

from __future__ import annotations

from urllib.parse import urlencode

import numpy as np
import psycopg
import pytest

from api.context import KEY
from api.services.lookup.hot_lookup import HotLookup
from gis.locate import datums

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def hot(app):
    return HotLookup(app.extensions[KEY].published)


def both(client, hot, query, **headers):
    """Flask's answer and ours to one question."""
    text = query if isinstance(query, str) else urlencode(query)
    environ = {"QUERY_STRING": text} | {f"HTTP_{k.upper()}": v for k, v in headers.items()}
    said = client.get(f"/api/lookup?{text}", headers={k.replace("_", "-"): v for k, v in headers.items()})
    return said, hot.answer(environ)


def test_the_same_bytes_for_every_datum_and_accuracy(client, hot, world):
    rng = np.random.default_rng(5)
    asked = 0
    for territory, grids in world.grids.items():
        west, south, east, north = np.array([p.bounds for _, p in grids]).T
        for _ in range(25):
            x, y = rng.uniform(west.min() - 50, east.max() + 50), rng.uniform(south.min() - 50, north.max() + 50)
            lon, lat = (np.array([v]) for v in world.wgs84(territory, x, y))
            for crs in ("wgs84", "cgcs2000", "gcj02", "bd09", "EPSG:4547", "epsg:3857"):
                a, b = datums.from_wgs84(lon, lat, datums.parse(crs))
                query = {"lon": f"{a[0]:.9f}", "lat": f"{b[0]:.9f}", "crs": crs, "accuracy": rng.integers(0, 40)}
                said, ours = both(client, hot, query, accept_language=("en", "zh", "fr;q=0.1,en;q=0.2")[asked % 3])
                asked += 1
                if said.status_code != 200:  # EPSG:4547 in Helsinki, say
                    assert ours is None
                    continue
                assert ours is not None, query
                status, headers, body = ours
                assert (status, body) == (said.status_code, said.data)
                assert dict(headers)["Content-Type"] == said.headers["Content-Type"]
                assert dict(headers)["Cache-Control"] == said.headers["Cache-Control"]
    assert asked == 300


@pytest.mark.parametrize(
    "query",
    [
        "",
        "lon=1&lat=2",
        "lon=1&lat=2&crs=gps",
        "lon=1&lat=2&crs=wgs84&as_of=2021-01-01",
        "lon=1&lat=2&lat=3&crs=wgs84",
        "lon=nan&lat=2&crs=wgs84",
        "lon=1_0&lat=2&crs=wgs84",
        "lon=1e3&lat=2&crs=wgs84",
        "lon=28.2&lat=112.9&crs=wgs84",
        "lon=500&lat=2&crs=wgs84",
        "lon=1&lat=2&crs=wgs84&accuracy=-1",
        "lon=1&lat=2&crs=wgs84&accuracy=100001",
        "lon=%FF&lat=2&crs=wgs84",
        "lon=\u0661&lat=2&crs=wgs84",
        "lon=1&lat=2&crs=wgs84&plan=5",
    ],
)
def test_what_is_not_plain_is_left_to_flask(hot, query):
    assert hot.answer({"QUERY_STRING": query}) is None


def test_a_caller_with_a_token_is_left_to_flask(hot):
    assert hot.answer({"QUERY_STRING": "lon=1&lat=2&crs=wgs84", "HTTP_AUTHORIZATION": "Bearer x"}) is None


def test_people_and_names_are_never_stale(client, hot, world):
    """Without a running watch the database is asked every time."""
    first = min(world.grids)
    p = world.grids[first][0][1].centroid
    query = {"lon": p.x, "lat": p.y, "crs": "EPSG:4547"}
    with psycopg.connect(world.url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        for phone in ("0731-5550002", "0731-5550001"):
            connection.execute("UPDATE person SET public_phone = %s", (phone,))
            connection.commit()
            said, ours = both(client, hot, query)
            assert ours[2] == said.data
            assert phone in said.text


class Told:
    """A watch that says what it is told to say."""

    def __init__(self):
        self.epoch = 1
        self.listening = True

    def fresh(self, epoch):
        return self.listening and epoch == self.epoch


def test_memory_answers_only_while_nothing_changed(app, world, monkeypatch):
    from api.services.published import Published

    watch = Told()
    published = Published(app.extensions[KEY].engine, watch=watch)
    hot, asked = HotLookup(published), []
    real = Published.reading
    monkeypatch.setattr(Published, "reading", lambda self: asked.append(1) or real(self))
    p = world.grids[min(world.grids)][0][1].centroid
    environ = {"QUERY_STRING": urlencode({"lon": p.x, "lat": p.y, "crs": "EPSG:4547"})}
    first = hot.answer(environ)
    counts = [len(asked)]
    for change in (lambda: None, lambda: setattr(watch, "epoch", 2), lambda: setattr(watch, "listening", False)):
        for _ in range(2):
            change()
            assert hot.answer(environ) == first
            counts.append(len(asked))
    read = counts[0]
    assert read == 2  # what is in force, and the people of one grid
    assert counts[1:3] == [read, read]
    assert counts[3:5] == [2 * read, 2 * read]
    assert counts[5:7] == [3 * read, 4 * read]


def test_at_once_nothing_is_asked_of_the_database(app, world, monkeypatch):
    """The same answer as ever while memory has it all; none while it lacks anything, or something changed."""
    from api.services.published import Published

    watch = Told()
    published = Published(app.extensions[KEY].engine, watch=watch)
    hot, asked = HotLookup(published), []
    real = Published.reading
    monkeypatch.setattr(Published, "reading", lambda self: asked.append(1) or real(self))
    p = world.grids[min(world.grids)][0][1].centroid
    query = urlencode({"lon": p.x, "lat": p.y, "crs": "EPSG:4547"})
    nothing_known = hot.at_once(query, "en")
    published.standing()
    nobody_known = hot.at_once(query, "en")
    said = hot.answer({"QUERY_STRING": query, "HTTP_ACCEPT_LANGUAGE": "en"})
    asked.clear()
    assert (nothing_known, nobody_known) == (None, None)
    assert hot.at_once(query, "en") == said
    for other in ("lon=1&lat=2&crs=gps", "lon=1&lat=2", f"{query}&as_of=2021-01-01", f"{query}&accuracy=99999"):
        assert hot.at_once(other, "en") is None
    watch.epoch = 2
    assert hot.at_once(query, "en") is None
    assert asked == []


def test_while_nothing_changes_the_people_of_all_grids_are_read_at_once(app, client, world):
    from api.services.published import Published

    published = Published(app.extensions[KEY].engine, watch=Told())
    hot = HotLookup(published)
    for n, (_, polygon) in enumerate(world.grids[min(world.grids)]):
        p = polygon.centroid
        said, ours = both(client, hot, {"lon": p.x, "lat": p.y, "crs": "EPSG:4547"})
        assert ours[2] == said.data
        if n == 0:
            known = len(published.standing().people)
    assert known == len(published.standing().people) == len(world.grids[min(world.grids)])
