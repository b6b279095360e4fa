"""Features answered in front of Flask are Flask's own answers, to the byte; what is not plain is left to Flask."""

from __future__ import annotations

import gzip

import psycopg
import pytest
from werkzeug.test import EnvironBuilder

from api.app import HEADERS
from api.context import KEY
from api.front.sharing import SHARED
from api.front.wsgi import takes_gzip
from api.services.features.hot_features import HotFeatures
from data.postgres.features.feature_collections import COLLECTIONS

pytestmark = pytest.mark.database

ITEMS = "/ogc/collections/{}/items"
#: A condition that nothing meets, and that nothing in front of Flask looks at.
BEHIND = {"If-None-Match": '"none"'}
#: Headers of every answer of these routes.
COMMON = (*HEADERS.items(), *SHARED)


@pytest.fixture(scope="module")
def counted():
    return []


@pytest.fixture(scope="module")
def hot(app, counted):
    features = app.extensions[KEY].features
    return HotFeatures(features, COMMON, takes_gzip, lambda *said: counted.append(said[:2]))


def ask(hot, path, host="http://localhost", **headers):
    return hot.answer(EnvironBuilder(path, base_url=host, headers=headers).get_environ())


def assert_same(hot, client, path, **headers):
    """Both say the same; the answer's JSON."""
    found = ask(hot, path, **headers)
    assert found is not None
    flask = client.get(path, headers={**BEHIND, **headers})
    assert (found[0], found[1], found[2]) == (flask.status_code, list(flask.headers), flask.data)
    through = client.get(path, headers=headers)  # the whole service
    assert (list(through.headers), through.data) == (found[1], found[2])
    return flask


@pytest.mark.parametrize("encoding", ["gzip", "identity", "br, gzip;q=0.5"])
@pytest.mark.parametrize(
    "query", ["", "?limit=3", "?limit=99999", "?bbox=112.9,28.1,113,28.3&limit=5", "?bbox=0,0,1,1"]
)
def test_pages(hot, client, query, encoding):
    for name in COLLECTIONS:
        assert_same(hot, client, ITEMS.format(name) + query, **{"Accept-Encoding": encoding})


def test_every_page_and_every_grid(hot, client):
    path, seen = ITEMS.format("grids") + "?limit=50", 0
    while path:
        page = assert_same(hot, client, path).get_json()
        for f in page["features"]:
            one = assert_same(hot, client, f"{ITEMS.format('grids')}/{f['id']}").get_json()
            assert {k: one[k] for k in f} == f
            seen += 1
        onward = [x["href"] for x in page["links"] if x["rel"] == "next"]
        path = onward[0].removeprefix("http://localhost") if onward else ""
    assert seen == page["numberMatched"] == 128


@pytest.mark.parametrize("name", list(COLLECTIONS))
def test_one_of_every_collection(hot, client, counted, name):
    first = client.get(ITEMS.format(name) + "?limit=1").get_json()["features"][0]
    assert_same(hot, client, f"{ITEMS.format(name)}/{first['id']}")
    assert counted[-1] == ("/ogc/collections/<collection>/items/<feature>", 200)


def test_answers_are_counted_under_flask_s_route(app, client):
    requests = app.extensions[KEY].requests
    for headers in ({}, BEHIND):
        before = requests.copy()
        client.get(ITEMS.format("grids"), headers=headers)
        assert requests - before == {("/ogc/collections/<collection>/items", 200): 1}


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=-1", "limit=x", "limit=05", "limit=5&limit=6", "limit", "f=json", "lang=en", "kind=rural",
        "filter=households>5", "datetime=2020-01-01", "crs=CRS84", "bbox=1,2,3", "bbox=9,9,1,1", "bbox=1,2,x,4",
        "bbox=0%2C0,1,1", "cursor=1.zz", "cursor=x", "cursor=1.5", "unheard=1", "bbox-crs=CRS84",
    ],
)  # fmt: skip
def test_other_questions_are_left_to_flask(hot, client, query):
    path = f"{ITEMS.format('grids')}?{query}"
    assert ask(hot, path) is None
    plain, behind = client.get(path), client.get(path, headers=BEHIND)
    assert (plain.status_code, plain.data) == (behind.status_code, behind.data)


@pytest.mark.parametrize(
    "path",
    [
        "/ogc/collections/", "/ogc/collections/grids", "/ogc/collections/none/items", "/ogc/collections/grids/schema",
        "/ogc/collections/grids/items/", "/ogc/collections/grids/items/1", "/ogc/collections/buildings/items/999999",
        "/ogc/collections/buildings/items/x", "/ogc/collections/grids/items/a/b",
        "/ogc/collections/grids/items/00000000-0000-4000-8000-000000000000",
        "/ogc/collections/buildings/items/%31%00",
    ],
)  # fmt: skip
def test_what_is_not_there_is_left_to_flask(hot, path):
    assert ask(hot, path) is None


def test_a_feature_with_parameters_is_left_to_flask(hot, client):
    first = client.get(ITEMS.format("grids") + "?limit=1").get_json()["features"][0]
    assert ask(hot, f"{ITEMS.format('grids')}/{first['id']}?f=json") is None


@pytest.mark.parametrize(
    "headers",
    [BEHIND, {"If-None-Match": "*"}, {"Authorization": "Basic YTpi"}],
)
def test_unusual_requests_are_left_to_flask(hot, headers):
    assert ask(hot, ITEMS.format("grids"), **headers) is None


FORWARDED = [
    {"X-Forwarded-Host": "map.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "10.9.8.7"},
    {"X-Forwarded-Host": "forged.example, map.example:8443", "X-Forwarded-Proto": "ftp, https"},
    {"X-Forwarded-Proto": "https"},
    {"X-Forwarded-Host": "map.example", "X-Forwarded-Port": "99", "X-Forwarded-Prefix": "/x"},
]
#: What is left to Flask even so.
ODD = [
    {"X-Forwarded-Host": '"map.example"'}, {"X-Forwarded-Host": "map.example:443"}, {"X-Forwarded-Host": "a b"},
    {"X-Forwarded-Proto": "gopher"}, {"X-Forwarded-Host": "Map.Example"}, {"X-Forwarded-Host": "a.example,"},
]  # fmt: skip


@pytest.mark.parametrize("headers", FORWARDED + ODD)
def test_without_a_proxy_nobody_is_believed(hot, client, headers):
    for path in (ITEMS.format("grids") + "?limit=2", ITEMS.format("buildings") + "/1"):
        assert b"http://localhost/" in assert_same(hot, client, path, **headers).data


@pytest.fixture(scope="module")
def proxied(world):
    from api.app import create_app
    from api.config import Config

    made = create_app(Config(world.url, typed_per_minute=0, behind_proxy=True))
    yield made
    made.extensions[KEY].engine.dispose()


@pytest.mark.parametrize("headers", FORWARDED)
@pytest.mark.parametrize("path", [ITEMS.format("grids") + "?limit=2", ITEMS.format("buildings") + "/1"])
def test_behind_a_proxy_links_are_those_of_its_address(proxied, path, headers):
    client = proxied.test_client()
    flask = client.get(path, headers={**BEHIND, **headers})
    assert flask.status_code == 200
    links = {link["href"].partition("/ogc/")[0] for link in flask.get_json()["links"]}
    assert links == {
        headers.get("X-Forwarded-Proto", "http").rpartition(" ")[2] + "://"
        + headers.get("X-Forwarded-Host", "localhost").rpartition(" ")[2]
    }  # fmt: skip
    features = proxied.extensions[KEY].features
    hot = HotFeatures(features, COMMON, takes_gzip, lambda *_: None, behind_proxy=True)
    found = ask(hot, path, **headers)
    assert (found[0], found[1], found[2]) == (flask.status_code, list(flask.headers), flask.data)
    through = client.get(path, headers=headers)
    assert (list(through.headers), through.data) == (found[1], found[2])


@pytest.mark.parametrize("headers", ODD)
def test_behind_a_proxy_what_takes_thought_is_left_to_flask(proxied, headers):
    features = proxied.extensions[KEY].features
    hot = HotFeatures(features, COMMON, takes_gzip, lambda *_: None, behind_proxy=True)
    path, client = ITEMS.format("grids") + "?limit=2", proxied.test_client()
    found = ask(hot, path, **headers)
    flask = client.get(path, headers={**BEHIND, **headers})
    assert found is None or (found[1], found[2]) == (list(flask.headers), flask.data)
    assert client.get(path, headers=headers).data == flask.data


@pytest.mark.parametrize(
    ("host", "plain"),
    [
        ("http://map.example:8000", True), ("https://10.0.0.1", True), ("http://localhost:80", False),
        ("http://xn--fiqs8s.example", False), ("http://[::1]:8000", False), ("http://localhost/under", False),
    ],
)  # fmt: skip
def test_hosts(hot, client, host, plain):
    path = ITEMS.format("grids") + "?limit=2"
    found = ask(hot, path, host)
    assert (found is not None) == plain
    if plain:
        flask = client.get(path, base_url=host, headers=BEHIND)
        assert (found[1], found[2]) == (list(flask.headers), flask.data)


def test_a_tag_from_the_front_is_good_behind(hot, client):
    found = dict(ask(hot, ITEMS.format("grids"), **{"Accept-Encoding": "gzip"})[1])
    again = client.get(ITEMS.format("grids"), headers={"Accept-Encoding": "gzip", "If-None-Match": found["ETag"]})
    assert again.status_code == 304
    assert again.headers["ETag"] == found["ETag"]


def test_a_database_that_is_away_is_told_by_flask(hot, app, monkeypatch):
    def away(*_, **__):
        raise psycopg.OperationalError("away")

    monkeypatch.setattr(app.extensions[KEY].features, "page", away)
    assert ask(hot, ITEMS.format("grids")) is None


def test_a_change_is_seen_at_once(hot, world):
    """Nothing is remembered that the database would not say again."""
    path = ITEMS.format("buildings") + "?limit=1"
    before = gzip.decompress(ask(hot, path, **{"Accept-Encoding": "gzip"})[2])
    with psycopg.connect(world.url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        connection.execute("UPDATE building SET name = name || '!' WHERE present")
    after = gzip.decompress(ask(hot, path, **{"Accept-Encoding": "gzip"})[2])
    assert before != after
    assert b"!" in after
