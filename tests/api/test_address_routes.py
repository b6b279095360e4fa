"""Parsing, matching and points over HTTP: one and many, JSON and CSV, bad input."""

from __future__ import annotations

import csv
import io

import pytest

from tests.published_world import code_of

pytestmark = pytest.mark.database
GOOD = code_of(123456789012)


def test_one_text_to_its_address(client):
    found = client.get("/api/match", query_string={"q": "湖南省 麓山路１２號"}).get_json()
    assert found["status"] == "unsure", "the deployment has no province of that name"
    found = client.get("/api/match", query_string={"q": "麓山路１２號"}).get_json()
    assert (found["status"], found["addresses"][0]["code"]) == ("exact", GOOD)
    assert found["addresses"][0]["community"] == "东湖社区"
    assert 112 < found["addresses"][0]["lon"] < 114
    assert [p["kind"] for p in found["parts"]] == ["road", "number"]


def test_a_revoked_address_is_not_exact(client):
    found = client.get("/api/match", query_string={"q": "麓山路13号"}).get_json()
    assert found["status"] == "unsure"
    assert [r["code"] for r in found["reasons"]] == ["ended"]
    assert "失效" in found["reasons"][0]["text"]
    english = client.get("/api/match", query_string={"q": "麓山路13号", "lang": "en"})
    assert english.status_code in (200, 400)


def test_parts_of_a_text(client):
    found = client.get("/api/parse", query_string={"q": "西湖街道麓山路12号3栋402室"}).get_json()
    assert [(p["kind"], p["text"]) for p in found["parts"]][-2:] == [("building", "3栋"), ("room", "402室")]
    many = client.post("/api/parse", json={"texts": ["麓山路12号", ""]}).get_json()["results"]
    assert [len(r["parts"]) for r in many] == [2, 0]


def test_many_texts(client):
    texts = ["麓山路12号", "", "'; DROP TABLE address;--", "麓山路99号", "路" * 10_000]
    found = client.post("/api/match", json={"texts": texts}).get_json()["results"]
    assert [r["status"] for r in found] == ["exact", "none", "none", "none", "none"]
    assert all(r["reasons"] for r in found[1:])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_in_and_out(client, encoding):
    body = "编号,地址\n1,麓山路12号\n2,=HYPERLINK(麓山路)\n3,麓山路附近\n".encode(encoding)
    answer = client.post("/api/match", data=body, content_type="text/csv")
    assert answer.status_code == 200
    rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert rows[0]["status"] == "exact"
    assert rows[0]["code"] == GOOD
    assert rows[0]["score"] == "1.000"
    assert rows[1]["地址"].startswith("'=")
    assert all(r["reason"] for r in rows[1:])


def test_a_point_finds_the_addresses_of_its_street(client, world):
    territory = min(world.crs)
    at = client.get("/api/match", query_string={"q": "麓山路12号"}).get_json()["addresses"][0]
    asked = {"lon": at["lon"], "lat": at["lat"], "crs": "wgs84", "territory": territory}
    found = client.get("/api/reverse", query_string=asked).get_json()
    assert found["street"] == "麓山路"
    assert found["addresses"][0]["code"] == GOOD
    assert client.get("/api/reverse", query_string={**asked, "crs": "mars"}).status_code == 400
    assert client.get("/api/reverse", query_string={"lon": 113, "lat": 28}).status_code == 400
    for lon, lat, why in (
        ("nan", 28, "lookup.impossible"),
        (28, 113, "lookup.swapped"),
        (200, 28, "lookup.impossible"),
    ):
        answer = client.get("/api/reverse", query_string={"lon": lon, "lat": lat, "crs": "wgs84"})
        assert (answer.status_code, answer.get_json()["code"]) == (400, why)


@pytest.mark.parametrize("q", ["", "\x00", "😀", "<b>麓山路</b>12号", "麓" * 9_999])
def test_odd_texts_are_answered(client, q):
    for route in ("/api/parse", "/api/match"):
        answer = client.get(route, query_string={"q": q})
        assert answer.status_code == 200
        assert answer.get_json().get("status", "none") in ("none", "unsure")


def test_faults_are_told(client):
    assert client.get("/api/match").status_code == 400
    assert client.get("/api/match", query_string={"q": "x", "territory": 999}).status_code == 404
    assert client.post("/api/match", data=b"{}", content_type="application/json").status_code == 400
    assert client.post("/api/match", data=b"x", content_type="text/plain").status_code == 415
    assert client.post("/api/parse", data=b"{}", content_type="text/plain").status_code == 415
    assert client.post("/api/match", data=b"", content_type="text/csv").status_code == 400
    assert client.post("/api/parse", json={"texts": ["x"] * 10_001}).status_code == 400
    for body in (b'{"texts": ["\xff"]}', b'{"texts": ["\\ud800"]}', b'{"texts": ["\xe9\xba"]}'):
        for route in ("/api/match", "/api/parse"):
            answer = client.post(route, data=body, content_type="application/json")
            assert (answer.status_code, answer.get_json()["code"]) == (400, "http.invalid")
