"""Lookup over HTTP and in bulk, with PostGIS as the independent judge."""

from __future__ import annotations

import csv
import gzip
import io
import json

import numpy as np
import psycopg
import pyarrow as pa
import pytest
import shapely

from api.context import KEY
from api.services.lookup import lookup, pointcolumns, pointfiles
from data import arrow_points
from gis.locate import datums

pytestmark = pytest.mark.database


@pytest.fixture
def published(app):
    return app.extensions[KEY].published


@pytest.fixture
def first(world):
    return min(world.grids)


def ask(client, **query):
    return client.get("/api/lookup", query_string=query)


def test_the_middle_of_a_grid(client, world, first):
    grid_id, polygon = world.grids[first][3]
    lon, lat = world.wgs84(first, polygon.centroid.x, polygon.centroid.y)
    answer = ask(client, lon=lon, lat=lat, crs="wgs84")
    assert answer.status_code == 200, answer.text
    found = answer.json
    assert found["status"] == "certain"
    assert found["grid_id"] == grid_id
    assert found["candidates"] == []
    assert found["edge_m"] == pytest.approx(polygon.exterior.distance(polygon.centroid), abs=0.02)
    assert found["wgs84"] == pytest.approx([lon, lat], abs=1e-8)
    assert found["community"] in ("东湖社区", "西湖社区")
    assert found["as_of"] is not None
    assert found["version"] is not None


def test_every_datum_gives_the_same_grid(client, world, first):
    grid_id, polygon = world.grids[first][20]
    x, y = polygon.centroid.x, polygon.centroid.y
    lon, lat = world.wgs84(first, x, y)
    for crs in ("wgs84", "cgcs2000", "gcj02", "bd09", "EPSG:4490", "EPSG:3857", "EPSG:32649"):
        a, b = datums.from_wgs84(np.array([lon]), np.array([lat]), datums.parse(crs))
        found = ask(client, lon=float(a[0]), lat=float(b[0]), crs=crs).json
        assert found["grid_id"] == grid_id, crs
        assert found["wgs84"] == pytest.approx([lon, lat], abs=1e-8)
    assert ask(client, lon=x, lat=y, crs="EPSG:4547").json["grid_id"] == grid_id  # easting first, northing second
    english = client.get(
        "/api/lookup", query_string={"lon": lon, "lat": lat, "crs": "gcj02"}, headers={"Accept-Language": "en"}
    )
    assert "converted from gcj02" in english.json["note"]


def test_people_are_named_and_contacts_public_only(client, world, first):
    seen = [
        ask(client, lon=p.centroid.x, lat=p.centroid.y, crs="EPSG:4547").json["people"] for _, p in world.grids[first]
    ]
    named = [p for p in seen if p]
    assert len(named) == 10
    assert named[0] == [{"name": "张三", "post": "网格长", "phone": "0731-5550001"}]


def test_near_a_border_the_neighbour_is_named(client, world, first):
    (own, a), (other, b) = next(
        (p, q)
        for i, p in enumerate(world.grids[first])
        for q in world.grids[first][i + 1 :]
        if p[1].intersection(q[1]).length > 100
    )
    middle = shapely.line_merge(a.intersection(b)).interpolate(0.5, normalized=True)
    centre = a.centroid
    toward = np.array([centre.x - middle.x, centre.y - middle.y])
    inside = np.array([middle.x, middle.y]) + toward / np.hypot(*toward) * 4.0
    found = ask(client, lon=inside[0], lat=inside[1], crs="EPSG:4547", accuracy=15).json
    assert found["status"] == "uncertain"
    assert found["grid_id"] == own
    assert other in [c["grid_id"] for c in found["candidates"]]
    assert own not in [c["grid_id"] for c in found["candidates"]]
    for c in found["candidates"]:
        polygon = dict(world.grids[first])[c["grid_id"]]
        assert c["distance_m"] == pytest.approx(polygon.distance(shapely.Point(inside)), abs=0.02)
        assert c["distance_m"] <= 15
    assert ask(client, lon=inside[0], lat=inside[1], crs="EPSG:4547", accuracy=0.5).json["status"] == "certain"


def test_a_tie_goes_to_the_lowest_grid_id(client, world, first):
    corners = shapely.get_coordinates([p for _, p in world.grids[first]])
    x, y = corners[len(corners) // 2]
    touching = [g for g, p in world.grids[first] if p.covers(shapely.Point(x, y))]
    assert len(touching) > 1
    assert ask(client, lon=x, lat=y, crs="EPSG:4547").json["grid_id"] == min(touching)


def test_outside_names_the_nearest(client, world, first):
    west, south, _, _ = shapely.total_bounds([p for _, p in world.grids[first]])
    found = ask(client, lon=west - 500, lat=south - 500, crs="EPSG:4547").json
    assert found["status"] == "outside"
    assert found["grid_id"] is None
    assert found["edge_m"] is None
    nearest = min(world.grids[first], key=lambda g: g[1].distance(shapely.Point(west - 500, south - 500)))
    assert found["candidates"][0]["grid_id"] == nearest[0]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"lon": 112.9, "lat": 28.2}, "lookup.datum_missing"),
        ({"lon": 112.9, "lat": 28.2, "crs": "gps"}, "lookup.datum_unknown"),
        ({"lon": 28.2, "lat": 112.9, "crs": "wgs84"}, "lookup.swapped"),
        ({"lon": 500, "lat": 500, "crs": "wgs84"}, "lookup.impossible"),
        ({"lon": "nan", "lat": 1, "crs": "wgs84"}, "lookup.impossible"),
        ({"lon": "x", "lat": 1, "crs": "wgs84"}, "http.invalid"),
        ({"lat": 1, "crs": "wgs84"}, "http.invalid"),
        ({"lon": 1, "lat": 1, "crs": "wgs84", "accuracy": -1}, "http.invalid"),
        ({"lon": 1, "lat": 1, "crs": "wgs84", "as_of": "soon"}, "http.invalid"),
    ],
)
def test_faults_are_problem_documents(client, query, code):
    answer = ask(client, **query)
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    problem = json.loads(answer.data)
    assert problem["code"] == code
    assert problem["status"] == 400
    assert problem["detail"]


def test_swapped_projected_and_northern_coordinates_are_noticed(client, world):
    first, second = sorted(world.grids)
    p = world.grids[first][30][1].centroid
    assert ask(client, lon=p.y, lat=p.x, crs="EPSG:4547").json["code"] == "lookup.swapped"
    q = world.grids[second][30][1].centroid
    lon, lat = world.wgs84(second, q.x, q.y)
    assert ask(client, lon=lat, lat=lon, crs="wgs84").json["code"] == "lookup.swapped"


def test_swapped_coordinates_beside_the_grids_are_noticed_too(client, world):
    """A place a kilometre outside the territory, written the wrong way round, is thousands of kilometres off."""
    for territory in sorted(world.grids):
        west, south, _, _ = shapely.total_bounds([p for _, p in world.grids[territory]])
        x, y = float(west) - 1000.0, float(south) - 1000.0
        crs = world.crs[territory]
        assert ask(client, lon=x, lat=y, crs=crs).json["status"] == "outside"
        assert ask(client, lon=y, lat=x, crs=crs).json["code"] == "lookup.swapped"
        lon, lat = world.wgs84(territory, x, y)
        assert ask(client, lon=lat, lat=lon, crs="wgs84").json["code"] == "lookup.swapped"


def test_a_packed_body_is_refused_as_such(client):
    body = gzip.compress(b"lon,lat\n113,28\n")
    for kind in (pointfiles.CSV, pointfiles.JSON, pointfiles.STREAM):
        answer = client.post(
            "/api/lookup?crs=wgs84", data=body, content_type=kind, headers={"Content-Encoding": "gzip"}
        )
        assert (answer.status_code, answer.mimetype) == (415, "application/problem+json")
        assert answer.headers["Accept-Encoding"] == "identity"
    plain = client.post(
        "/api/lookup?crs=wgs84", data=b"lon,lat\n", content_type="text/csv", headers={"Content-Encoding": "identity"}
    )
    assert plain.status_code == 200


def test_as_of_answers_from_the_version_of_that_day(client, world, first):
    p = world.grids[first][5][1].centroid
    old = ask(client, lon=p.x, lat=p.y, crs="EPSG:4547", as_of="2021-06-01").json
    assert old["version"] == world.old_publication
    assert old["as_of"] == "2021-06-01"
    assert old["people"] == []
    never = ask(client, lon=p.x, lat=p.y, crs="EPSG:4547", as_of="2019-12-31").json
    assert never["status"] == "outside"
    assert never["candidates"] == []


def test_many_as_json_and_csv(client, world, first):
    middles = [(p.centroid.x, p.centroid.y) for _, p in world.grids[first]]
    answer = client.post("/api/lookup", json={"crs": "EPSG:4547", "points": middles})
    assert answer.status_code == 200, answer.text
    assert [r["grid_id"] for r in answer.json["results"]] == [g for g, _ in world.grids[first]]
    rows = "\n".join(f"{i},{x},{y}" for i, (x, y) in enumerate(middles))
    answer = client.post(
        "/api/lookup?crs=EPSG:4547", data=f"\ufeffname,X,Y\n{rows}\n".encode(), content_type="text/csv"
    )
    lines = answer.text.splitlines()
    assert lines[0].startswith("name_,X,Y,status,grid_id")
    assert [line.split(",")[4] for line in lines[1:]] == [g for g, _ in world.grids[first]]


def in_arrow(table, form):
    return arrow_points.write(pa.table(table), form)


@pytest.mark.parametrize("form", [pointfiles.STREAM, pointfiles.FILE])
def test_many_as_arrow(client, world, first, form):
    middles = np.array([(p.centroid.x, p.centroid.y) for _, p in world.grids[first]])
    asked = {"name": [f"第{i}点" for i in range(len(middles))], "X": middles[:, 0], "y": middles[:, 1]}
    answer = client.post("/api/lookup?crs=EPSG:4547&accuracy=2", data=in_arrow(asked, form), content_type=form)
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == form
    assert answer.data.startswith(b"ARROW1") == (form == pointfiles.FILE)
    found = arrow_points.read(answer.data)
    assert found.column_names == ["name_", "X", "y", *pointfiles.ADDED]
    assert found["grid_id"].to_pylist() == [g for g, _ in world.grids[first]]
    assert set(found["status"].to_pylist()) == {"certain"}
    assert found["edge_m"].to_numpy() == pytest.approx(
        [p.exterior.distance(p.centroid) for _, p in world.grids[first]]
    )
    assert found["people"].to_pylist().count([{"name": "张三", "post": "网格长", "phone": "0731-5550001"}]) == 10


def test_one_question_in_every_form_has_one_answer(client, world, first):
    """Inside, near a border, outside: JSON, CSV and Arrow say the same, whichever of them asked."""
    corner = shapely.get_coordinates([p for _, p in world.grids[first]])[40]
    west, south, _, _ = shapely.total_bounds([p for _, p in world.grids[first]])
    points = [tuple(corner + 3.0), (west - 400.0, south - 400.0), world.grids[first][9][1].centroid.coords[0]]
    x, y = (list(map(float, v)) for v in zip(*points, strict=True))
    text = "x,y\n" + "".join(f"{a!r},{b!r}\n" for a, b in zip(x, y, strict=True))
    bodies = {
        pointfiles.JSON: json.dumps({"points": points, "crs": "EPSG:4547", "accuracy": 12}).encode(),
        pointfiles.CSV: text.encode(),
        pointfiles.STREAM: in_arrow({"x": x, "y": y}, pointfiles.STREAM),
        pointfiles.FILE: in_arrow({"x": x, "y": y}, pointfiles.FILE),
    }
    for form, body in bodies.items():
        for wanted in pointfiles.FORMS:
            answer = client.post(
                "/api/lookup?crs=EPSG:4547&accuracy=12", data=body, content_type=form, headers={"Accept": wanted}
            )
            assert (answer.status_code, answer.mimetype) == (200, wanted)
            if wanted == pointfiles.JSON:
                told = answer.json["results"]
                seen = [(r["status"], r["grid_id"], [c["code"] for c in r["candidates"]]) for r in told]
                full = seen
            elif wanted == pointfiles.CSV:
                rows = list(csv.DictReader(io.StringIO(answer.text)))
                seen = [(r["status"], r["grid_id"] or None, r["candidates"].split(";")) for r in rows]
            else:
                rows = arrow_points.read(answer.data).to_pylist()
                seen = [(r["status"], r["grid_id"], [c["code"] for c in r["candidates"]]) for r in rows]
                assert [r["edge_m"] is None for r in rows] == [False, True, False]
            seen = [(status, grid, [c for c in near if c]) for status, grid, near in seen]
            assert [s for s, _, _ in seen] == ["uncertain", "outside", "certain"], (form, wanted)
            assert [len(near) > 0 for _, _, near in seen] == [True, True, False]
            assert seen == full


def test_too_much_for_one_answer_is_refused(client, world, first, monkeypatch):
    p = world.grids[first][0][1].centroid
    rows = f"x,y\n{f'{p.x},{p.y}' + chr(10)}" + f"{p.x},{p.y}\n" * 20
    monkeypatch.setattr(pointfiles, "MOST_JSON", 20)
    monkeypatch.setattr(lookup, "_MOST_CANDIDATES", 1000)
    many = client.post(
        "/api/lookup?crs=EPSG:4547", data=rows, content_type="text/csv", headers={"Accept": "application/json"}
    )
    assert (many.status_code, many.json["code"]) == (400, "lookup.too_many_json")
    wide = client.post("/api/lookup?crs=EPSG:4547&accuracy=100000", data=rows, content_type="text/csv")
    assert (wide.status_code, wide.json["code"]) == (400, "lookup.too_many_candidates")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"points": [[1]]}', "application/json", 400),
        (b'{"points": [[1, 2]], "crs": "gps"}', "application/json", 400),
        (b'{"points": [[1, 2]], "crs": 5}', "application/json", 400),
        (b"\xff\xfe\x00", "application/json", 400),
        (b"a,b\n1,2\n", "text/csv", 400),
        (b"", "text/csv", 400),
        (b"lon,lat\n1,x\n", "text/csv", 400),
        (b"lon,lat\n1\n", "text/csv", 400),
        ("经度".encode("gbk"), "text/csv", 400),
        (b'lon,lat\n"1,2', "text/csv", 400),
        (b"x", "application/xml", 415),
        (b"", pointfiles.STREAM, 400),
        (b"ARROW1\0\0", pointfiles.FILE, 400),
        (b"\xff" * 64, pointfiles.STREAM, 400),
        (in_arrow({"lon": [1.0]}, pointfiles.STREAM), pointfiles.STREAM, 400),
        (in_arrow({"lon": ["1"], "lat": ["2"]}, pointfiles.STREAM), pointfiles.STREAM, 400),
        (in_arrow({"lon": [1.0, None], "lat": [2.0, 3.0]}, pointfiles.FILE), pointfiles.FILE, 400),
        (in_arrow({"lon": [1.0], "lat": [2.0]}, pointfiles.FILE)[:100], pointfiles.FILE, 400),
    ],
)
def test_hostile_bodies_are_refused(client, body, kind, status):
    answer = client.post("/api/lookup?crs=wgs84", data=body, content_type=kind)
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"


def test_postgis_agrees_on_every_point(published, world):
    """Uniform points, and points on vertices, on edges and a micrometre beside them; PostGIS judges."""
    rng = np.random.default_rng(11)
    with psycopg.connect(world.url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        for territory, grids in world.grids.items():
            polygons = np.array([p for _, p in grids], dtype=object)
            west, south, east, north = shapely.total_bounds(polygons)
            xy = [
                np.column_stack([rng.uniform(west - 20, east + 20, 4000), rng.uniform(south - 20, north + 20, 4000)])
            ]
            corner = shapely.get_coordinates(polygons)
            k = rng.integers(0, len(corner) - 1, 1500)
            on = corner[k] + (corner[k + 1] - corner[k]) * rng.choice([0.25, 0.5, 1 / 3], 1500)[:, None]
            xy += [
                corner[k],
                on,
                on + rng.uniform(-1e-6, 1e-6, on.shape),
                np.nextafter(on, rng.choice([-1e9, 1e9], on.shape)),
            ]
            xy = np.vstack(xy)
            snapshot = _snapshot(published, territory)
            found = snapshot.index.locate(xy[:, 0], xy[:, 1])
            ours = [snapshot.grids.grid_id[f] if f >= 0 else None for f in found]
            theirs = connection.execute(
                """SELECT (SELECT min(g.grid_id::text) FROM grid_version g
                           JOIN publication p ON p.id = g.publication_id
                           WHERE p.territory_id = %s AND p.valid_to IS NULL AND ST_Covers(g.geom, q.point))
                   FROM (SELECT n, ST_SetSRID(ST_MakePoint(x, y), %s) AS point
                         FROM unnest(%s::float8[], %s::float8[]) WITH ORDINALITY AS f(x, y, n)) q ORDER BY q.n""",
                (territory, int(world.crs[territory][5:]), xy[:, 0].tolist(), xy[:, 1].tolist()),
            ).fetchall()
            assert [xy[i] for i, (a, (b,)) in enumerate(zip(ours, theirs, strict=True)) if a != b] == []


def _snapshot(published, territory):
    with published.reading() as connection:
        info = next(i for i in published.in_force(connection) if i.territory == territory)
        return published.snapshot(connection, info.publication, info.crs)


def test_columns_for_files_agree_with_single_answers(published, world, first):
    xy = np.array([[p.centroid.x, p.centroid.y] for _, p in world.grids[first][:20]] + [[0.0, 3_120_000.0]])
    columns = pointcolumns.columns(published, xy[:, 0], xy[:, 1], "EPSG:4547", accuracy=200.0)
    for i, (x, y) in enumerate(xy):
        single = lookup.one(published, x, y, "EPSG:4547", 200.0)
        assert columns["status"][i] == single.status
        assert columns["grid_id"][i] == (single.grid_id or "")
        assert columns["candidates"][i] == ";".join(c.code for c in single.candidates)
