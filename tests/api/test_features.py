"""OGC API Features over the small published world."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
import threading

import numpy as np
import pyproj
import pytest
import shapely

from tests.published_world import LONG_AGO

pytestmark = pytest.mark.database

ITEMS = "/ogc/collections/{}/items"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/{}"


def get(client, path, **parameters):
    answer = client.get(path, query_string=parameters)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


def pages(client, path, **parameters):
    """Every feature, page by page, along the next links."""
    found, page = [], get(client, path, **parameters)
    while True:
        found += page["features"]
        onward = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not onward:
            return found, page
        assert len(page["features"]) == page["numberReturned"]
        page = client.get(onward[0]).get_json()


def test_every_link_leads_somewhere(client):
    waiting, seen = ["http://localhost/ogc"], set()
    while waiting:
        url = waiting.pop()
        answer = client.get(url)
        assert answer.status_code == 200, url
        seen.add(url)
        text = answer.get_data(as_text=True)
        if "/openapi.json" not in url:
            assert answer.mimetype in ("application/json", "application/geo+json", "application/schema+json")
            found = {h for h in re.findall(r'"href":"([^"]+)"', text) if h.startswith("http://localhost")}
            waiting += sorted(found - seen - set(waiting))
        for link in re.findall(r'\{[^{}]*"rel":"self"[^{}]*\}', text):
            assert json.loads(link)["href"].startswith("http://localhost/")
    assert len(seen) == 25
    deeper = "http://localhost/ogc/collections/grids/items?limit=50"
    while deeper:
        page = client.get(deeper).get_json()
        assert page["numberMatched"] == 128
        deeper = next((x["href"] for x in page["links"] if x["rel"] == "next"), None)


@pytest.mark.parametrize(
    "path",
    ["/ogc", "/ogc/collections", "/ogc/conformance", "/ogc/collections/grids", "/ogc/collections/grids/items"],
)
def test_a_slash_at_the_end_does_not_matter(client, path):
    assert get(client, f"{path}/") == get(client, path)


def test_the_collections_say_what_they_are(client):
    found = get(client, "/ogc/collections")
    assert [c["id"] for c in found["collections"]] == ["grids", "communities", "buildings", "addresses", "plans"]
    grids = found["collections"][0]
    assert grids["title"] == "责任网格"
    assert grids["itemType"] == "feature"
    assert grids["storageCrs"] == EPSG.format(3857)  # two territories, two metre CRS
    assert grids["crs"] == [CRS84, *(EPSG.format(n) for n in (4326, 4490, 3857, 4547, 32635))]
    west, south, east, north = grids["extent"]["spatial"]["bbox"][0]
    assert 24 < west < 25 < 112 < east < 114
    assert 28 < south < 29 < 59 < north < 61
    words = get(client, "/ogc/collections/grids", lang="en")
    assert words["title"] == "Responsibility grids"


@pytest.mark.parametrize("limit", [1, 7, 64, 127, 128, 500])
def test_pages_hold_every_grid_once_in_a_stable_order(client, world, limit):
    found, last = pages(client, ITEMS.format("grids"), limit=limit)
    ids = [f["id"] for f in found]
    assert ids == [g for t in sorted(world.grids) for g, _ in world.grids[t]]
    assert last["numberMatched"] == 128


def test_geometry_is_that_of_the_database(client, world):
    found, _ = pages(client, ITEMS.format("grids"), limit=100)
    drawn = {g: (t, p) for t in world.grids for g, p in world.grids[t]}
    for f in found:
        territory, polygon = drawn[f["id"]]
        got = shapely.from_geojson(json.dumps(f["geometry"]))
        want = shapely.transform(polygon, lambda c, t=territory: np.column_stack(world.wgs84(t, c[:, 0], c[:, 1])))
        assert np.abs(shapely.get_coordinates(got) - shapely.get_coordinates(want)).max() < 1e-8
        assert f["properties"]["grid_id"] == f["id"]
        assert f["properties"]["valid_to"] is None


@pytest.mark.parametrize(("srid", "swap"), [(4326, True), (4490, True), (3857, False), (4547, True), (32635, False)])
def test_coordinates_by_reference(client, world, srid, swap):
    """A CRS whose authority puts the northing first has it first here too."""
    answer = client.get(ITEMS.format("grids"), query_string={"crs": EPSG.format(srid), "limit": 3})
    assert answer.headers["Content-Crs"] == f"<{EPSG.format(srid)}>"
    first = answer.get_json()["features"][0]
    territory, polygon = next((t, p) for t in world.grids for g, p in world.grids[t] if g == first["id"])
    move = pyproj.Transformer.from_crs(world.crs[territory], srid, always_xy=True).transform
    want = np.column_stack(move(*shapely.get_coordinates(polygon).T))
    got = np.array(first["geometry"]["coordinates"][0])
    assert np.abs(got - (want[:, ::-1] if swap else want)).max() < (1e-7 if srid in (4326, 4490) else 2e-3)


def test_a_grid_in_its_own_crs_is_exact(client, world):
    territory = next(t for t, crs in world.crs.items() if crs == "EPSG:4547")
    grid, polygon = world.grids[territory][0]
    one = get(client, f"{ITEMS.format('grids')}/{grid}", crs=EPSG.format(4547))
    got = np.array(one["geometry"]["coordinates"][0])[:, ::-1]
    assert np.abs(got - shapely.get_coordinates(polygon)).max() < 1e-4
    assert one["id"] == grid
    assert {link["rel"] for link in one["links"]} == {"self", "collection"}


def test_bbox_finds_what_it_meets(client, world):
    territory = next(t for t, crs in world.crs.items() if crs == "EPSG:4547")
    _, polygon = world.grids[territory][20]
    box = shapely.box(*shapely.transform(polygon.buffer(100), lambda c: c).bounds)
    in_metres = [g for g, p in world.grids[territory] if p.intersects(box)]
    w, s, e, n = box.bounds
    got, page = pages(client, ITEMS.format("grids"), bbox=f"{s},{w},{n},{e}", **{"bbox-crs": EPSG.format(4547)})
    assert [f["id"] for f in got] == in_metres
    assert page["numberMatched"] == len(in_metres) < 20
    middle = world.wgs84(territory, polygon.centroid.x, polygon.centroid.y)
    got, _ = pages(client, ITEMS.format("grids"), bbox=",".join(map(str, [*middle, *middle])))
    assert len(got) == 1
    got, page = pages(client, ITEMS.format("grids"), bbox="0,0,1,1")
    assert (got, page["numberMatched"]) == ([], 0)
    everything, _ = pages(client, ITEMS.format("grids"), bbox="-180,-90,180,90")
    across, _ = pages(client, ITEMS.format("grids"), bbox="100,-10,-170,60")
    assert len(everything) == 128
    assert len(across) == 64


FILTERS = [
    ("households > 450", lambda p: p["households"] > 450),
    ("households BETWEEN 410 AND 420", lambda p: 410 <= p["households"] <= 420),
    ("households >= 410.5 AND NOT (households > 420 OR kind = 'rural')", lambda p: 410.5 <= p["households"] <= 420),
    ("name LIKE '第1%网格'", lambda p: p["name"].startswith("第1") and p["name"].endswith("网格")),
    ("name NOT LIKE '第1_网格'", lambda p: not re.fullmatch("第1.网格", p["name"])),
    ("code IN ('sample-001', 'helsinki-002', 'it''s')", lambda p: p["code"] in ("sample-001", "helsinki-002")),
    ("note IS NULL", lambda p: False),
    ("valid_to IS NULL AND on_street_share IS NOT NULL", lambda p: True),
    ("CASEI(code) = CASEI('SAMPLE-003')", lambda p: p["code"] == "sample-003"),
    ("\"community\" <> '东湖社区'", lambda p: p["community"] != "东湖社区"),
    ("valid_from > DATE('2019-01-01')", lambda p: True),
    ("valid_from < TIMESTAMP('2019-01-01T00:00:00Z')", lambda p: False),
    ("households = counted", lambda p: True),
    ("TRUE AND NOT FALSE", lambda p: True),
    ("compactness > 0.7000001 OR households = 99999999999999999999", lambda p: False),
]  # fmt: skip


@pytest.mark.parametrize(("text", "meant"), FILTERS)
def test_filters(client, text, meant):
    everything, _ = pages(client, ITEMS.format("grids"), limit=1000)
    found, page = pages(client, ITEMS.format("grids"), filter=text, limit=20)
    assert [f["id"] for f in found] == [f["id"] for f in everything if meant(f["properties"])]
    assert page["numberMatched"] == len(found)


def test_filters_on_geometry(client, world):
    territory = next(t for t, crs in world.crs.items() if crs == "EPSG:4547")
    grid, polygon = world.grids[territory][9]
    middle = world.wgs84(territory, polygon.centroid.x, polygon.centroid.y)
    point = f"POINT({middle[0]} {middle[1]})"
    for text in (f"S_INTERSECTS(geometry, {point})", f"S_WITHIN({point}, geometry)", f"S_CONTAINS(geom, {point})"):
        found, _ = pages(client, ITEMS.format("grids"), filter=text)
        assert [f["id"] for f in found] == [grid], text
    near = ",".join(str(v) for v in (middle[0] - 1e-5, middle[1] - 1e-5, middle[0] + 1e-5, middle[1] + 1e-5))
    for name in ("BBOX", "ENVELOPE"):
        found, _ = pages(client, ITEMS.format("grids"), filter=f"S_INTERSECTS(geometry, {name}({near}))")
        assert [f["id"] for f in found] == [grid]
    ring = ", ".join(f"{y} {x}" for x, y in shapely.get_coordinates(polygon.buffer(5).simplify(1)))
    text = f"S_WITHIN(geometry, POLYGON(({ring})))"
    found, _ = pages(client, ITEMS.format("grids"), filter=text, **{"filter-crs": EPSG.format(4547)})
    assert [f["id"] for f in found] == [grid]
    found, _ = pages(client, ITEMS.format("grids"), filter=f"S_DISJOINT(geometry, {point})", limit=1000)
    assert len(found) == 127


def test_queryables_are_parameters_too(client):
    names = get(client, "/ogc/collections/grids/queryables")["properties"]
    assert {"geometry", "code", "community", "households", "valid_from"} <= set(names)
    found, _ = pages(client, ITEMS.format("grids"), community="东湖社区", households="405")
    assert {f["properties"]["code"] for f in found} == {"sample-005", "helsinki-005"}
    assert all(f["properties"]["households"] == 405 for f in found)


def test_another_day(client, world):
    path = ITEMS.format("grids")
    now, _ = pages(client, path, limit=1000)
    then, _ = pages(client, path, limit=1000, datetime="2021-05-05")
    assert {f["properties"]["valid_from"] for f in then} == {LONG_AGO.isoformat()}
    assert [f["id"] for f in then] == [f["id"] for f in now]
    assert pages(client, path, datetime="2019-12-31")[0] == []
    assert pages(client, path, datetime="2021-05-05T", limit=1000)[0] == then
    assert pages(client, path, datetime="../2019-12-31")[0] == []
    # late in the evening of 2019-12-31 in London, 2020 has come to Changsha, and not to Helsinki's own clock here
    assert len(pages(client, path, limit=1000, datetime="2019-12-31T16:30:00Z")[0]) == 128
    assert pages(client, path, datetime="2019-12-31T15:30:00Z")[0] == []
    assert len(pages(client, path, limit=1000, datetime="2019-01-01/..")[0]) == 128


def test_addresses_and_buildings(client, world):
    found, _ = pages(client, ITEMS.format("addresses"))
    assert {f["id"] for f in found} == {world.codes["good"], world.codes["lost"]}
    good = next(f for f in found if f["id"] == world.codes["good"])
    assert good["geometry"]["type"] == "Point"
    assert good["properties"]["text"] == "麓山路12号"
    assert good["properties"]["street"] == "麓山路"
    assert good["properties"]["grid"].startswith("sample-")
    assert client.get(f"{ITEMS.format('addresses')}/{world.codes['revoked']}").status_code == 404
    houses, _ = pages(client, ITEMS.format("buildings"), filter=f"grid_id = '{good['properties']['grid_id']}'")
    assert len(houses) == 1
    one = get(client, f"{ITEMS.format('buildings')}/{houses[0]['id']}")
    assert one["properties"] == houses[0]["properties"]
    squares, _ = pages(client, ITEMS.format("communities"))
    assert [(f["properties"]["grids"], f["properties"]["territory"]) for f in squares] == [
        (32, "sample"), (32, "sample"), (32, "helsinki"), (32, "helsinki"),
    ]  # fmt: skip
    assert squares[0]["properties"]["households"] == sum(400 + k for k in range(32))


def test_drafts_are_for_the_operator(client, app, world):
    import psycopg

    from api.services.operating import operator

    url = world.url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url, autocommit=True) as connection:
        draft = connection.execute(
            "INSERT INTO plan_version (plan_id, number, atom_set_id, status, ruleset, seed, grid_of_atom, report, "
            "certificate) SELECT plan_id, 2, atom_set_id, 'draft', ruleset, 1, grid_of_atom, report, certificate "
            "FROM plan_version ORDER BY id LIMIT 1 RETURNING id"
        ).fetchone()[0]
    key = {"Authorization": f"Bearer {operator.renew(world.url)}"}
    path = ITEMS.format("plans")
    for _ in range(2):  # what one may see never shows to the other
        mine = client.get(path, headers=key)
        assert mine.headers["Cache-Control"] == "private, no-store"
        assert draft in [f["id"] for f in mine.get_json()["features"]]
        public = client.get(path).get_json()
        assert draft not in [f["id"] for f in public["features"]]
        assert public["numberMatched"] == 2
        assert client.get(f"{path}/{draft}").status_code == 404
        assert client.get(f"{path}/{draft}", headers=key).get_json()["properties"]["status"] == "draft"
    assert client.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_what_is_unchanged_is_not_sent_again(client, world):
    import psycopg

    path = f"{ITEMS.format('grids')}?limit=5"
    first = client.get(path)
    assert first.headers["Cache-Control"] == "no-cache"
    tag = first.headers["ETag"]
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
    packed = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["ETag"] != tag
    assert gzip.decompress(packed.get_data()) == first.get_data() == client.get(path).get_data()
    url = world.url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url, autocommit=True) as connection:
        grid = first.get_json()["features"][0]["id"]
        connection.execute("UPDATE grid_version SET name = '新名' WHERE grid_id = %s", (grid,))
    again = client.get(path, headers={"If-None-Match": tag})
    assert again.status_code == 200
    assert again.get_json()["features"][0]["properties"]["name"] == "新名"


@pytest.mark.parametrize(
    ("path", "parameters", "status", "code"),
    [
        ("/ogc/collections/nothing", {}, 404, "features.collection"),
        ("/ogc/collections/nothing/items", {}, 404, "features.collection"),
        (ITEMS.format("grids") + "/no-grid", {}, 404, "features.feature"),
        (ITEMS.format("grids") + "/00000000-0000-0000-0000-00000000000f", {}, 404, "features.feature"),
        (ITEMS.format("buildings") + "/99999999999999999999", {}, 404, "features.feature"),
        (ITEMS.format("buildings") + "/-1", {}, 404, "features.feature"),
        (ITEMS.format("addresses") + "/%00", {}, 404, "features.feature"),
        (ITEMS.format("grids"), {"limit": "0"}, 400, "http.invalid"),
        (ITEMS.format("grids"), {"limit": "-1"}, 400, "http.invalid"),
        (ITEMS.format("grids"), {"limit": "ten"}, 400, "http.invalid"),
        (ITEMS.format("grids"), {"limit": "1e30"}, 400, "http.invalid"),
        (ITEMS.format("grids"), {"limit": "9999999999999999999999"}, 400, "http.invalid"),
        (ITEMS.format("grids"), {"bbox": "1,2,3,4,5"}, 400, "features.bbox"),
        (ITEMS.format("grids"), {"bbox": "1,2,nan,4"}, 400, "features.bbox"),
        (ITEMS.format("grids"), {"bbox": "1,2,inf,4"}, 400, "features.bbox"),
        (ITEMS.format("grids"), {"bbox": "a,b,c,d"}, 400, "features.bbox"),
        (ITEMS.format("grids"), {"bbox": "113,28,112,29"}, 400, "features.bbox_swapped"),
        (ITEMS.format("grids"), {"bbox": "112,29,113,28"}, 400, "features.bbox_swapped"),
        (ITEMS.format("grids"), {"bbox": "28,112,29,113"}, 400, "features.bbox_swapped"),
        (ITEMS.format("grids"), {"crs": EPSG.format(999999)}, 400, "features.crs"),
        (ITEMS.format("grids"), {"crs": "wgs84"}, 400, "features.crs"),
        (ITEMS.format("grids"), {"crs": EPSG.format(4978)}, 400, "features.crs"),
        (ITEMS.format("grids"), {"bbox": "1,2,3,4", "bbox-crs": "EPSG:1"}, 400, "features.crs"),
        (ITEMS.format("grids"), {"datetime": "yesterday"}, 400, "features.datetime"),
        (ITEMS.format("grids"), {"datetime": "2020-01-02/2020-01-01"}, 400, "features.datetime"),
        (ITEMS.format("grids"), {"datetime": "../.."}, 400, "features.datetime"),
        (ITEMS.format("grids"), {"datetime": "2020-01-01T10:00:00"}, 400, "features.datetime"),
        (ITEMS.format("grids"), {"datetime": "0001-01-01"}, 400, "features.datetime"),
        (ITEMS.format("grids"), {"cursor": "x"}, 400, "features.cursor"),
        (ITEMS.format("grids"), {"cursor": "1.'"}, 400, "features.cursor"),
        (ITEMS.format("buildings"), {"cursor": "1.99999999999999999999"}, 400, "features.cursor"),
        (ITEMS.format("grids"), {"nothing": "1"}, 400, "features.parameter"),
        (ITEMS.format("grids"), {"limit": ["5", "6"]}, 400, "features.twice"),
        (ITEMS.format("grids"), {"kind": ["rural", "residential"]}, 400, "features.twice"),
        ("/ogc", {"lang": ["en", "en"]}, 400, "features.twice"),
        (ITEMS.format("grids"), {"f": "html"}, 400, "http.invalid"),
        (ITEMS.format("grids"), {"households": "many"}, 400, "features.value"),
        (ITEMS.format("grids"), {"name": "a\0b"}, 400, "features.value"),
        (ITEMS.format("grids"), {"filter": "households >"}, 400, "features.filter"),
        (ITEMS.format("grids"), {"filter": "name = 'a\0'"}, 400, "features.filter"),
        (ITEMS.format("grids"), {"filter": "nothing = 1"}, 400, "features.property"),
        (ITEMS.format("grids"), {"filter": "households = 'many'"}, 400, "features.kind"),
        (ITEMS.format("grids"), {"filter": "households LIKE '4%'"}, 400, "features.kind"),
        (ITEMS.format("grids"), {"filter": "name > 5"}, 400, "features.kind"),
        (ITEMS.format("grids"), {"filter": "S_INTERSECTS(name, POINT(1 2))"}, 400, "features.property"),
        (ITEMS.format("grids"), {"filter": "S_INTERSECTS(geometry, POINT(200 2))"}, 400, "features.place"),
        (ITEMS.format("grids"), {"filter": "1=1; DROP TABLE grid"}, 400, "features.filter"),
        (ITEMS.format("grids"), {"filter": "x" * 9000}, 400, "features.filter_long"),
        (ITEMS.format("grids"), {"filter": "(" * 100 + "a=1"}, 400, "features.filter_deep"),
        (ITEMS.format("grids"), {"filter": "a=1", "filter-lang": "cql2-json"}, 400, "features.filter_language"),
    ],
)  # fmt: skip
def test_bad_questions_are_told_what_is_wrong(client, path, parameters, status, code):
    answer = client.get(path, query_string=parameters)
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["code"] == code


def test_a_limit_above_the_most_is_the_most(client):
    assert get(client, ITEMS.format("grids"), limit=10**6)["numberReturned"] == 128


@pytest.fixture(scope="module")
def served(app):
    """The application behind a real socket, for programs that come over HTTP."""
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/ogc"
    server.shutdown()
    thread.join()
    server.server_close()


#: Run apart: GDAL waits for the answer with Python's lock held, and the server is in this process.
GDAL = """
import json, sys
import pyogrio

source, told = "OAPIF:" + sys.argv[1], {}
told["layers"] = sorted(pyogrio.list_layers(source)[:, 0])
whole = pyogrio.read_dataframe(source, layer="grids", PAGE_SIZE="50")
told["ids"], told["households"] = sorted(whole.grid_id), sorted(set(int(h) for h in whole.households))
told["crs"] = whole.crs.to_epsg()
some = pyogrio.read_dataframe(source, layer="grids", where="households > 450 AND kind = 'residential'")
told["filtered"] = len(some)
box = tuple(whole.geometry.iloc[0].bounds)
near = pyogrio.read_dataframe(source, layer="grids", bbox=box)
told["dated"] = len(pyogrio.read_dataframe(source, layer="grids", where="valid_from >= '2020/01/01'"))
own = pyogrio.read_dataframe(source, layer="grids", CRS="EPSG:4547", bbox=(394000, 3120000, 394400, 3120400))
told["own"] = sorted(own.grid_id)
told["near"], told["first"] = sorted(near.grid_id), whole.grid_id.iloc[0]
told["codes"] = sorted(pyogrio.read_dataframe(source, layer="addresses").code)
told["areas"] = dict(zip(whole.grid_id, whole.geometry.to_crs(4547).area))
print(json.dumps(told))
"""


def test_gdal_reads_it(served, world):
    """GDAL's OAPIF driver: layers, every feature over its pages, filters sent to the server."""
    run = subprocess.run(
        [sys.executable, "-c", GDAL, served], capture_output=True, text=True, timeout=600, check=False
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert told["layers"] == ["addresses", "buildings", "communities", "grids", "plans"]
    assert told["ids"] == sorted(g for t in world.grids for g, _ in world.grids[t])
    assert told["households"] == [400 + k for k in range(64)]
    assert told["filtered"] == 26
    assert told["dated"] == 128
    assert told["first"] in told["near"]
    assert len(told["near"]) < 15
    assert told["codes"] == sorted((world.codes["good"], world.codes["lost"]))
    territory = next(t for t, crs in world.crs.items() if crs == "EPSG:4547")
    box = shapely.box(394000, 3120000, 394400, 3120400)
    assert told["own"] == [grid for grid, polygon in world.grids[territory] if polygon.intersects(box)]
    for grid, polygon in world.grids[territory]:
        assert told["areas"][grid] == pytest.approx(polygon.area, abs=1)


def test_a_lost_connection_is_replaced(client, world):
    """The database was started anew: the next question is answered as if nothing had been."""
    import psycopg

    path = ITEMS.format("buildings")
    before = get(client, path)
    url = world.url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert get(client, path, limit=99)["features"] == before["features"]


def test_links_keep_the_question(client):
    found = get(client, ITEMS.format("grids"), filter="households > 0 AND code <> 'a&b'", limit=2)
    onward = next(link["href"] for link in found["links"] if link["rel"] == "next")
    assert client.get(onward).get_json()["numberMatched"] == 128
