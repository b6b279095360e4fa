"""Pages of other hosts: what they may read, from memory as from Flask, and that nobody's token is ever invited."""

from __future__ import annotations

import pytest

from api.app import create_app
from api.config import Config
from api.context import KEY
from api.front.sharing import SHARED
from api.routes import endpoints
from api.services.operating import operator
from gis.tiles import pyramid

pytestmark = pytest.mark.database

ELSEWHERE = {"Origin": "https://elsewhere.example", "Accept-Encoding": "gzip"}


def application(world, **settings):
    made = create_app(Config(world.url, typed_per_minute=0, **settings))
    made.extensions[KEY].watch.until = float("inf")
    return made


@pytest.fixture(scope="module")
def app(world):
    made = application(world)
    yield made
    made.extensions[KEY].engine.dispose()


@pytest.fixture(scope="module")
def shared(world):
    """Addresses of every kind that other hosts' pages read."""
    first = min(world.grids)
    grid_id, polygon = world.grids[first][0]
    lon, lat = world.wgs84(first, polygon.centroid.x, polygon.centroid.y)
    x, y = pyramid.tile_at(14, lon, lat)
    return (
        f"/tiles/grids/14/{x}/{y}.mvt",
        f"/tiles/grids/14/{x}/{y}.mvt?kind=residential",
        "/tiles/grids,labels.json",
        f"/api/lookup?lon={lon:.6f}&lat={lat:.6f}&crs=wgs84",
        "/ogc",
        "/ogc/conformance",
        "/ogc/collections",
        "/ogc/collections/grids",
        "/ogc/collections/grids/queryables",
        "/ogc/collections/grids/schema",
        "/ogc/collections/grids/items?limit=2",
        "/ogc/collections/grids/items?limit=2&community=nowhere",
        f"/ogc/collections/grids/items/{grid_id}",
        "/api/openapi.json",
    )


def cors(answer):
    return {name: value for name, value in answer.headers if name.startswith("Access-Control-")}


def tagged(answer):
    return {**ELSEWHERE, "If-None-Match": answer.headers.get("ETag", '"none"')}


def test_what_is_public_may_be_read_hot_or_not(app, shared):
    client = app.test_client()
    for path in shared:
        for _ in ("from Flask", "from memory"):
            answer = client.get(path, headers=ELSEWHERE)
            assert (answer.status_code, cors(answer)) == (200, dict(SHARED)), path
            assert len(answer.headers.getlist("Access-Control-Allow-Origin")) == 1  # two of them mean none
            again = client.get(path, headers=tagged(answer))
            assert again.status_code == (304 if "ETag" in answer.headers else 200)
            assert cors(again) == dict(SHARED), path
        assert cors(client.head(path)) == dict(SHARED)


def test_faults_of_these_routes_may_be_read_too(app):
    client = app.test_client()
    for path in (
        "/tiles/nothing/1/0/0.mvt",
        "/tiles/grids/1/0/7.mvt",
        "/tiles/nothing.json",
        "/api/lookup?lon=1&lat=2",
        "/ogc/collections/grids/items?limit=none",
        "/ogc/collections/grids/items/none",
        "/tiles/grids/1/0/0.mvt?plan=1000000",
    ):
        answer = client.get(path, headers=ELSEWHERE)
        assert answer.status_code in {400, 401, 404}, path
        assert answer.mimetype == "application/problem+json"
        assert cors(answer) == dict(SHARED), path


def test_an_answer_to_a_token_is_for_nobody_else(world, app, shared):
    client = app.test_client()
    for token, status in ((operator.renew(world.url), 200), ("wangge_wrong", 401)):
        for path in shared:
            answer = client.get(path, headers={**ELSEWHERE, "Authorization": f"Bearer {token}"})
            assert (answer.status_code, cors(answer)) == (status, {}), path


def test_a_browser_that_asks_beforehand_is_told_what_it_may(app, shared):
    client = app.test_client()
    asking = {**ELSEWHERE, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "if-none-match"}
    for path in shared:
        answer = client.options(path, headers=asking)
        said = cors(answer)
        assert answer.status_code == 200
        assert said["Access-Control-Allow-Origin"] == "*"
        assert said["Access-Control-Allow-Methods"] == "GET, HEAD"
        assert said["Access-Control-Allow-Headers"] == "If-None-Match"  # and never Authorization
        assert "Access-Control-Allow-Credentials" not in said


def test_everything_else_says_nothing(app):
    """Writing, plates, pages, downloads; only reading without a token is ever shared."""
    listed = endpoints()
    assert all(e.method == "GET" and e.needs == "public" for e in listed if e.shared)
    client, rules = app.test_client(), {e.rule for e in listed if e.shared}
    for endpoint in listed:
        if endpoint.rule not in rules:
            path = endpoint.path.replace("{", "").replace("}", "")
            assert cors(client.options(path, headers=ELSEWHERE)) == {}, path
    for path in ("/", "/api/download", "/api/search?q=a", "/metrics", "/d/12345678901234", "/nothing"):
        assert cors(client.get(path, headers=ELSEWHERE)) == {}, path
    body = {"points": [[112.9, 28.2]], "crs": "wgs84"}
    assert cors(client.post("/api/lookup", json=body, headers=ELSEWHERE)) == {}


def test_an_intranet_switches_it_off(world, shared):
    app = application(world, cross_origin=False)
    client = app.test_client()
    for path in shared:
        for _ in ("from Flask", "from memory"):
            answer = client.get(path, headers=ELSEWHERE)
            assert (answer.status_code, cors(answer)) == (200, {}), path
            assert cors(client.get(path, headers=tagged(answer))) == {}
        assert cors(client.options(path, headers=ELSEWHERE)) == {}
    app.extensions[KEY].engine.dispose()
    database = {"DATABASE_URL": world.url}
    assert Config.from_environment(database).cross_origin
    assert not Config.from_environment({**database, "WANGGE_CROSS_ORIGIN": "0"}).cross_origin
