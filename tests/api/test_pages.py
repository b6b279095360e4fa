"""Plate pages, search, grid cards, operations and the API description."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from openapi_spec_validator import validate

from api.context import KEY
from gis.addressing.codes import plate_url, printed

pytestmark = pytest.mark.database

SECRET = b"a secret of thirty-two bytes....."


def tail(world, what):
    return plate_url("plates.example", world.codes[what], "A", SECRET).rpartition("/")[2]


def test_a_scanned_plate(client, world):
    answer = client.get(f"/d/{tail(world, 'good')}")
    page = answer.text
    assert answer.status_code == 200
    assert len(answer.data) <= 10_240
    assert "<script" not in page
    assert 'lang="zh-CN"' in page
    words = (
        "麓山路12号",
        printed(world.codes["good"]),
        "第1网格",
        "张三",
        "网格长",
        "0731-5550001",
        "12345",
        "已验证",
    )
    assert [w for w in words if w not in page] == []
    assert "手工输入" not in page
    assert "虚构" in page
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert not re.findall(r"(?:src|href)=\"(?!/|tel:)", page)


def test_a_typed_code_resolves_and_says_so(client, world):
    for text in (world.codes["good"], printed(world.codes["good"])):
        page = client.get(f"/d/{text}")
        assert page.status_code == 200
        assert "麓山路12号" in page.text
        assert "手工输入" in page.text


def test_english_when_preferred(client, world):
    page = client.get(f"/d/{tail(world, 'good')}", headers={"Accept-Language": "en-GB,en;q=0.9"}).text
    assert 'lang="en"' in page
    assert "genuine" in page
    assert 'lang="zh-CN"' in client.get("/", headers={"Accept-Language": "fr"}).text


@pytest.mark.parametrize(
    ("make", "status", "verdict"),
    [
        (lambda w: tail(w, "good")[:-1] + ("A" if tail(w, "good")[-1] != "A" else "B"), 403, "forged"),
        (lambda w: tail(w, "good").replace(".A", ".Z"), 403, "forged"),
        (lambda w: f"{w.codes['good'][:-1]}{(int(w.codes['good'][-1]) + 1) % 10}", 404, "mistyped"),
        (lambda _: "12345678901147", 404, "unknown"),
        (lambda _: "hello", 404, "not_a_code"),
        (lambda w: tail(w, "revoked"), 410, "revoked"),
        (lambda w: tail(w, "lost"), 410, "revoked"),
    ],
)
def test_refusals_say_why_and_nothing_else(client, world, make, status, verdict):
    text = make(world)
    page = client.get(f"/d/{text}")
    assert page.status_code == status
    assert "麓山路" not in page.text
    assert "张三" not in page.text
    assert "12345" in page.text
    as_json = client.get(f"/d/{text}.json")
    assert as_json.status_code == status
    assert as_json.json["verdict"] == verdict
    assert as_json.json["address"] == ""


def test_the_address_of_a_lost_plate_still_resolves_when_typed(client, world):
    assert client.get(f"/d/{world.codes['lost']}").status_code == 200


def test_plate_json(client, world):
    found = client.get(f"/d/{tail(world, 'good')}.json").json
    assert found["verdict"] == "signed"
    assert found["address"] == "麓山路12号"
    assert found["grid"]["code"] == "sample-000"
    assert found["people"] == [{"name": "张三", "post": "网格长", "phone": "0731-5550001"}]


def test_typing_is_throttled_scanning_is_not(world, monkeypatch):
    from api import context
    from api.app import create_app
    from api.config import Config

    # one and the same minute, whenever it is and however long it takes
    monkeypatch.setattr(context, "time", SimpleNamespace(monotonic=lambda: 6000.0))
    app = create_app(Config(world.url, typed_per_minute=3))
    client = app.test_client()
    statuses = [client.get(f"/d/{world.codes['good']}").status_code for _ in range(8)]
    assert 429 in statuses
    assert client.get(f"/d/{tail(world, 'good')}").status_code == 200
    assert client.get("/api/search", query_string={"q": world.codes["good"]}).status_code == 429
    assert client.get("/api/search", query_string={"q": "麓山路"}).status_code == 200
    app.extensions[KEY].engine.dispose()


@pytest.mark.parametrize(
    ("q", "kind", "label"),
    [
        ("麓山路12号", "address", "麓山路12号"),
        ("麓山路", "street", "麓山路"),
        ("sample-003", "grid", "第4网格"),
        ("第4网格", "grid", "第4网格"),
        ("东湖", "community", "东湖社区"),
        ("112.94, 28.2", "coordinate", "112.94, 28.2"),
        ("28.2，112.94", "coordinate", "112.94, 28.2"),
    ],
)
def test_search(client, world, q, kind, label):
    results = client.get("/api/search", query_string={"q": q}).json["results"]
    assert results[0]["kind"] == kind
    assert results[0]["label"] == label


def test_search_by_code_gives_the_exact_grid(client, world):
    grid = next(g for g, _ in world.grids[min(world.grids)] if g.endswith("0" * 11 + "0"))
    for text in (
        world.codes["good"],
        printed(world.codes["good"]),
        f"https://plates.example/d/{tail(world, 'good')}",
    ):
        (found,) = client.get("/api/search", query_string={"q": text}).json["results"]
        assert found["kind"] == "plate"
        assert found["grid_id"] == grid
        assert found["url"] == f"/d/{world.codes['good']}"


def test_search_finds_nothing_revoked_and_takes_any_text(client, world):
    assert client.get("/api/search", query_string={"q": world.codes["revoked"]}).json["results"] == []
    for q in ("", "  ", "%", "_", "\\", "'; DROP TABLE grid", "麓" * 200, "😀", "\x00"):
        assert client.get("/api/search", query_string={"q": q}).status_code == 200
    assert client.get("/api/search", query_string={"q": "x" * 500}).status_code == 400


def test_grid_card(client, world):
    territory = min(world.grids)
    grid_id, polygon = world.grids[territory][0]
    card = client.get(f"/api/grids/{grid_id}").json
    assert card["grid_id"] == grid_id
    assert card["area_m2"] == pytest.approx(polygon.area, abs=0.1)
    west, south, east, north = card["bbox"]
    assert west < card["center"][0] < east
    assert south < card["center"][1] < north
    assert card["households"] >= 400
    for wrong in ("nonsense", "00000000-0000-0000-0000-000000000000"):
        answer = client.get(f"/api/grids/{wrong}")
        assert answer.status_code == 404
        assert answer.json["code"] == "grids.unknown"


def test_territories(client, world):
    found = client.get("/api/territories").json["territories"]
    assert [t["name"] for t in found] == ["样例", "helsinki"]
    assert found[0]["grids"] == 64
    assert found[0]["in_range_share"] == 1.0
    assert found[0]["attribution"]


def test_api_description_is_valid_and_complete(app, client):
    described = client.get("/api/openapi.json").json
    lookup = described["paths"]["/api/lookup"]["get"]["parameters"]
    assert {p["name"] for p in lookup if p["required"]} == {"lon", "lat", "crs"}  # no datum is ever guessed
    validate(described)
    rules = {
        (re.sub(r"<(?:int:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    listed = {(path, method) for path, operations in described["paths"].items() for method in operations}
    assert rules == listed
    names = [o["operationId"] for operations in described["paths"].values() for o in operations.values()]
    assert len(names) == len(set(names))


def test_operations(client):
    assert client.get("/healthz").json["status"] == "ok"
    assert client.get("/readyz").json["status"] == "ok"
    client.get("/api/territories")
    assert 'wangge_requests_total{route="/api/territories",status="200"}' in client.get("/metrics").text


def test_a_database_that_is_away_is_said_so():
    from api.app import create_app
    from api.config import Config

    client = create_app(Config("postgresql://nobody@127.0.0.1:1/nothing")).test_client()
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    answer = client.get("/api/territories")
    assert answer.status_code == 503
    assert answer.mimetype == "application/problem+json"


def test_pages_ask_nothing_of_another_host(client):
    for path in ("/", "/locate"):
        page = client.get(path)
        assert page.status_code == 200
        assert not re.findall(r"(?:src|href)=\"(?!/)", page.text)
        assert "https:" not in page.headers["Content-Security-Policy"]


def test_unknown_paths_and_methods(client):
    assert client.get("/nothing").mimetype == "application/problem+json"
    answer = client.delete("/api/lookup")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    too_large = client.post("/api/lookup", data=b" " * (33 << 20), content_type="application/json")
    assert too_large.status_code == 413
