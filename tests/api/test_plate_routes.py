"""Plates and codes in use over HTTP: only with the operator's token, every fault a clear refusal."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from api.context import KEY
from api.services.operating import operator
from gis.addressing import signed_list
from tests.published_world import code_of

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def staff(app, world):
    """Headers of somebody with the token."""
    return {"Authorization": f"Bearer {operator.renew(world.url)}"}


def spot(world):
    polygon = next(p for g, p in world.grids[min(world.grids)] if g.endswith("0" * 11 + "0"))
    return world.wgs84(min(world.grids), polygon.centroid.x, polygon.centroid.y)


def test_nothing_is_written_without_the_token(client, world):
    code = world.codes["good"]
    for path, body in (
        ("/api/plates/install", {"plate": code}),
        ("/api/plates/check", {"plate": code, "lon": 1, "lat": 2, "crs": "wgs84"}),
        ("/api/plates/mark", {"plate": code, "status": "lost"}),
        ("/api/plates/settle", {"plate": code}),
        (f"/api/addresses/{code}/end", {"status": "revoked"}),
        ("/api/foreign-codes", {"address_code": code, "system": "s", "code": "c"}),
    ):
        assert client.post(path, json=body).status_code == 401
    for path in ("todo", "batches", "list"):
        assert client.get(f"/api/plates/{path}?territory=sample").status_code == 401


def test_a_plate_is_hung_seen_elsewhere_and_listed(client, world, staff):
    code, (lon, lat) = world.codes["good"], spot(world)
    out = io.BytesIO()
    Image.new("RGB", (40, 30)).save(out, "PNG")
    body = {
        "plate": code,
        "by": "李四",
        "lon": lon,
        "lat": lat,
        "crs": "wgs84",
        "photo": base64.b64encode(out.getvalue()).decode(),
    }
    hung = client.post("/api/plates/install", json=body, headers=staff).json
    assert (hung["status"], hung["nearness"], hung["distance_m"]) == ("installed", "near", 0.0)
    seen = {"plate": code, "lon": lon + 0.01, "lat": lat, "crs": "wgs84"}
    assert client.post("/api/plates/check", json=seen, headers=staff).json["nearness"] == "far"
    todo = client.get("/api/plates/todo?territory=sample", headers=staff).json
    assert [(t["code"], t["why"]) for t in todo["plates"]] == [(code, "moved")]
    again = client.get("/api/plates/todo?territory=sample&what=reprint", headers=staff).json
    assert ([t["why"] for t in again["plates"]], again["next"]) == (["revoked"], None)
    (batch,) = client.get("/api/plates/batches?territory=sample", headers=staff).json["batches"]
    assert batch["states"] == {"installed": 1, "printed": 1, "revoked": 1}
    client.post("/api/plates/settle", json={"plate": code}, headers=staff)
    assert client.get("/api/plates/todo?territory=sample", headers=staff).json["plates"] == []
    data = client.get("/api/plates/list?territory=sample", headers=staff).data
    key = signed_list.key_of(data.split(b'"key":"')[1][:43].decode())
    assert signed_list.read(data, key).check(code).verdict == "typed"


def test_lists_come_in_pages(client, world, staff):
    import psycopg

    with psycopg.connect(world.url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        connection.execute(
            "INSERT INTO plate_batch (territory_id, size, plates) SELECT t.id, 'small', 0 FROM territory t,"
            " generate_series(1, 4) WHERE t.name = 'helsinki'"
        )
    path, ids = "/api/plates/batches?territory=helsinki&limit=3", []
    while path:
        page = client.get(path, headers=staff).json
        ids.append([b["id"] for b in page["batches"]])
        path = page["next"]
    assert [len(p) for p in ids] == [3, 1]
    assert ids[0] == sorted(ids[0])
    assert ids[0][-1] < ids[1][0]
    page = client.get("/api/plates/todo?territory=sample&what=reprint&limit=1", headers=staff).json
    assert (len(page["plates"]), page["next"]) == (1, None)
    assert client.get("/api/plates/todo?territory=sample&limit=0", headers=staff).status_code == 400


def test_a_police_code_leads_to_our_address(client, world, staff):
    body = {"address_code": world.codes["good"], "system": "公安", "code": "P-1", "valid_from": "2020-01-01"}
    assert client.post("/api/foreign-codes", json=body, headers=staff).status_code == 200
    assert client.post("/api/foreign-codes", json=body, headers=staff).status_code == 409
    (found,) = client.get("/api/foreign-codes?code=P-1").json["links"]
    assert (found["address_code"], found["address"]) == (world.codes["good"], "麓山路12号")
    assert client.get("/api/foreign-codes?code=none").status_code == 404


def test_foreign_codes_of_what_is_not_published_are_not_told(app, client, world):
    from sqlalchemy import text

    with app.extensions[KEY].engine.begin() as connection:
        connection.execute(
            text(
                "WITH t AS (INSERT INTO territory (name, crs, srid, digest, geom, geom_3857) SELECT 'draft', crs,"
                " srid, digest, geom, geom_3857 FROM territory WHERE name = 'sample' RETURNING id), a AS (INSERT INTO"
                " address (territory_id, code, level, building_id, text, origin, valid_from, geom, geom_3857,"
                " community_id)"
                " SELECT t.id, :code, g.level, g.building_id, 'draft', g.origin, g.valid_from, g.geom, g.geom_3857,"
                " g.community_id FROM address g, t WHERE g.code = :good RETURNING id)"
                " INSERT INTO foreign_code (address_id, system, code, valid_from) SELECT id, 's', 'D-1', '2020-01-01'"
                " FROM a"
            ),
            {"code": code_of(123456789077), "good": world.codes["good"]},
        )
    assert client.get("/api/foreign-codes?code=D-1").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/plates/install", {"plate": "hello"}, 400),
        ("/api/plates/install", {"plate": code_of(7)}, 404),
        ("/api/plates/install", {"plate": "a\x00"}, 400),
        ("/api/plates/install", {"plate": "GOOD", "lon": 1.0}, 400),
        ("/api/plates/install", {"plate": "GOOD", "on": "2999-01-01"}, 400),
        ("/api/plates/install", {"plate": "GOOD", "photo": "AAAA"}, 400),
        ("/api/plates/install", {"plate": "GOOD", "photo": "!"}, 400),
        ("/api/plates/check", {"plate": "GOOD", "lon": 1e300, "lat": 0, "crs": "EPSG:4547"}, 400),
        ("/api/plates/check", {"plate": "GOOD", "lon": 1, "lat": 0, "crs": "mars"}, 400),
        ("/api/plates/mark", {"plate": "GOOD", "status": "eaten"}, 400),
        ("/api/plates/mark", {"plate": "REVOKED", "status": "lost"}, 409),
        ("/api/addresses/GOOD/end", {"status": "merged", "into": []}, 400),
        ("/api/addresses/GOOD/end", {"status": "merged", "into": ["GOOD"]}, 400),
        ("/api/addresses/GOOD/end", {"status": "split", "into": ["GOOD"]}, 400),
        ("/api/addresses/12345678901147/end", {"status": "revoked"}, 404),
        ("/api/foreign-codes", {"address_code": "GOOD", "system": "", "code": "x"}, 400),
    ],
)
def test_faults_are_told(client, world, staff, path, body, status):
    named = {"GOOD": world.codes["good"], "REVOKED": world.codes["lost"]}
    path = path.replace("GOOD", named["GOOD"])
    body = {k: [named.get(x, x) for x in v] if isinstance(v, list) else named.get(v, v) for k, v in body.items()}
    answer = client.post(path, json=body, headers=staff)
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    assert answer.json["detail"]


def test_an_address_ends_over_http_and_its_page_says_so(app, client, world, staff):
    from sqlalchemy import text

    code = code_of(123456789099)
    with app.extensions[KEY].engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO address (territory_id, code, level, building_id, community_id, text, origin, valid_from,"
                " geom, geom_3857) SELECT territory_id, :code, level, building_id, community_id, '麓山路99号',"
                " origin, valid_from, geom, geom_3857 FROM address WHERE code = :good"
            ),
            {"code": code, "good": world.codes["good"]},
        )
    done = client.post(
        f"/api/addresses/{code}/end", json={"status": "merged", "into": [world.codes["good"]]}, headers=staff
    ).json
    assert done["into"] == [world.codes["good"]]
    assert client.get(f"/d/{code}.json").json["verdict"] == "merged"
    again = client.post(f"/api/addresses/{code}/end", json={"status": "revoked"}, headers=staff)
    assert (again.status_code, again.json["code"]) == (409, "life.ended")
