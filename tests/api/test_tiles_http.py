"""Tiles of what is published: decoded and compared with the database, cached by strong ETags, seamless."""

from __future__ import annotations

import gzip

import mapbox_vector_tile
import numpy as np
import psycopg
import pyproj
import pytest
import shapely
from shapely.geometry import shape

from gis.tiles import pyramid

pytestmark = pytest.mark.database


@pytest.fixture
def first(world):
    return min(world.grids)


def get(client, layers, z, x, y, **headers):
    return client.get(f"/tiles/{layers}/{z}/{x}/{y}.mvt", headers={"Accept-Encoding": "gzip", **headers})


def decoded(answer):
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/vnd.mapbox-vector-tile"
    return mapbox_vector_tile.decode(gzip.decompress(answer.data), default_options={"y_coord_down": True})


def tiles_of(client, world, territory, z):
    box = shapely.total_bounds([p for _, p in world.grids[territory]])
    west, south = world.wgs84(territory, box[0], box[1])
    east, north = world.wgs84(territory, box[2], box[3])
    return pyramid.covering(z, west, south, east, north)


def test_every_grid_with_its_properties(client, world, first):
    seen = {}
    for x, y in tiles_of(client, world, first, 14):
        for f in decoded(get(client, "grids", 14, x, y)).get("grids", {}).get("features", []):
            seen[f["properties"]["grid_id"]] = f["properties"]
    assert set(seen) == {g for g, _ in world.grids[first]}
    properties = seen[world.grids[first][0][0]]
    assert set(properties) == {"grid_id", "code", "name", "kind", "community", "households", "tone"}
    assert {p["tone"] for p in seen.values()} <= set(range(6))


@pytest.mark.parametrize("z", [14, 16])
def test_shapes_agree_with_postgis(client, world, first, z):
    """Each decoded grid against ST_Intersection with the tile, within two tile units of area along its border."""
    unit = pyramid.unit(z)
    x, y = tiles_of(client, world, first, z)[0]
    west, south, east, north = pyramid.bounds(z, x, y, pyramid.BUFFER)
    _, _, _, top = pyramid.bounds(z, x, y)
    left = pyramid.bounds(z, x, y)[0]
    features = decoded(get(client, "grids", z, x, y)).get("grids", {}).get("features", [])
    with psycopg.connect(world.url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        rows = connection.execute(
            """SELECT g.grid_id::text, ST_AsBinary(ST_Intersection(g.geom_3857, ST_MakeEnvelope(%s,%s,%s,%s,3857)))
            FROM grid_version g JOIN publication p ON p.id = g.publication_id WHERE p.valid_to IS NULL
            AND g.geom_3857 && ST_MakeEnvelope(%s,%s,%s,%s,3857)""",
            (west, south, east, north) * 2,
        ).fetchall()
    true = {g: shapely.from_wkb(w) for g, w in rows}
    assert features
    for f in features:
        drawn = shapely.transform(shape(f["geometry"]), lambda c: np.array([left, top]) + c * [unit, -unit])
        exact = true[f["properties"]["grid_id"]]
        assert shapely.area(shapely.symmetric_difference(drawn, exact)) <= 2 * unit * max(exact.length, unit)


@pytest.mark.parametrize("z", [10, 11, 12, 13])
def test_low_zooms_have_no_gap_and_no_overlap(client, world, first, z):
    """The decoded grids of a tile tile their own union: pairwise overlap and gaps are zero tile units."""
    for x, y in tiles_of(client, world, first, z):
        features = decoded(get(client, "grids", z, x, y)).get("grids", {}).get("features", [])
        shapes = np.array([shape(f["geometry"]) for f in features], dtype=object)
        if not len(shapes):
            continue
        whole = shapely.union_all(shapes)
        assert shapely.area(shapes).sum() == pytest.approx(shapely.area(whole), abs=1e-6)
        assert sum(len(p.interiors) for p in shapely.get_parts(whole)) == 0


def test_communities_follow_the_grids_at_every_zoom(client, world, first):
    for z in (11, 13, 15):
        x, y = tiles_of(client, world, first, z)[0]
        found = decoded(get(client, "grids,communities", z, x, y))
        union = shapely.union_all([shape(f["geometry"]) for f in found["grids"]["features"]])
        whole = shapely.union_all([shape(f["geometry"]) for f in found["communities"]["features"]])
        assert shapely.area(shapely.symmetric_difference(union, whole)) <= 1e-3 * shapely.area(union)


def test_a_label_stands_in_one_tile_only(client, world, first):
    names = [
        f["properties"]["grid_id"]
        for x, y in tiles_of(client, world, first, 16)
        for f in decoded(get(client, "labels", 16, x, y)).get("labels", {}).get("features", [])
        if f["properties"]["kind"] == "grid"
    ]
    assert len(names) == len(set(names)) == len(world.grids[first])


def test_all_layers_in_one_tile(client, world, first):
    every = "grids,communities,atoms,blocks,streets,buildings,addresses,water,rail,labels"
    lon, lat = _spot(world, first)
    x, y = pyramid.tile_at(16, lon, lat)
    found = decoded(get(client, every, 16, x, y))
    assert {"grids", "atoms", "blocks", "buildings", "addresses", "communities"} <= set(found)
    address = found["addresses"]["features"][0]["properties"]
    assert address["label"] in ("12号", "14号")
    assert found["buildings"]["features"][0]["properties"]["grid_id"]


def _spot(world, territory):
    """Where the first address stands."""
    with psycopg.connect(world.url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        x, y = connection.execute("SELECT ST_X(geom), ST_Y(geom) FROM address ORDER BY id LIMIT 1").fetchone()
    return world.wgs84(territory, x, y)


def test_revoked_addresses_are_not_shown(client, world, first):
    codes = set()
    for x, y in tiles_of(client, world, first, 15):
        layer = decoded(get(client, "addresses", 15, x, y)).get("addresses", {})
        codes |= {f["properties"]["code"] for f in layer.get("features", [])}
    assert world.codes["good"] in codes
    assert world.codes["revoked"] not in codes


def test_addresses_appear_on_their_day_in_the_territory_s_own_time_zone(client, world, first):
    """West of the date line it is still yesterday where it is already today in the east."""

    def shown(zone):
        with psycopg.connect(world.url.replace("postgresql+psycopg://", "postgresql://")) as connection:
            connection.execute("UPDATE territory SET time_zone = %s WHERE id = %s", (zone, first))
            connection.execute(
                "UPDATE address SET valid_from = (now() AT TIME ZONE 'Pacific/Kiritimati')::date WHERE code = %s",
                (world.codes["good"],),
            )
        codes = set()
        for x, y in tiles_of(client, world, first, 15):
            layer = decoded(get(client, "addresses", 15, x, y)).get("addresses", {})
            codes |= {f["properties"]["code"] for f in layer.get("features", [])}
        return world.codes["good"] in codes

    assert shown("Pacific/Kiritimati")  # UTC+14
    assert not shown("Etc/GMT+12")  # UTC-12: always a day behind
    assert shown("Pacific/Kiritimati")


def test_etag(client, world, first):
    x, y = tiles_of(client, world, first, 14)[0]
    one = get(client, "grids", 14, x, y)
    etag = one.headers["ETag"]
    assert not etag.startswith("W/")
    assert one.headers["Cache-Control"] == "no-cache"
    assert one.headers["Content-Encoding"] == "gzip"
    for tag in (etag, f"W/{etag}", f'"other", {etag}'):
        again = get(client, "grids", 14, x, y, **{"If-None-Match": tag})
        assert again.status_code == 304
        assert again.data == b""


def test_a_reader_without_gzip_is_served_too(client, world, first):
    x, y = tiles_of(client, world, first, 14)[0]
    packed = get(client, "grids", 14, x, y)
    plain = client.get(f"/tiles/grids/14/{x}/{y}.mvt", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.data == gzip.decompress(packed.data)
    assert plain.headers["ETag"] != packed.headers["ETag"]
    assert plain.headers["Vary"] == "Accept-Encoding"


def test_an_empty_tile_is_a_tile(client):
    assert decoded(get(client, "grids,streets", 14, 0, 0)) == {}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/tiles/secrets/14/0/0.mvt", 404),
        ("/tiles/grids,drafts/14/0/0.mvt", 404),
        ("/tiles/grids/14/99999/0.mvt", 400),
        ("/tiles/grids/99/0/0.mvt", 400),
        ("/tiles/grids/a/0/0.mvt", 404),
        ("/tiles/secrets.json", 404),
    ],
)
def test_no_such_tile(client, path, status):
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"


def test_a_tilejson_asks_its_tiles_for_what_it_was_asked(client):
    found = client.get("/tiles/grids,labels.json?community=a%26b&community=c&as_of=2026-05-01&lang=en").json
    assert found["tiles"] == [
        "http://localhost/tiles/grids,labels/{z}/{x}/{y}.mvt?community=a%26b&community=c&as_of=2026-05-01"
    ]
    assert client.get("/tiles/grids.json?colour=red").json["code"] == "tiles.filter"
    assert client.get("/tiles/grids.json?as_of=yesterday").status_code == 400


def test_tilejson(client, world):
    found = client.get("/tiles/grids,streets.json").json
    assert found["tilejson"] == "3.0.0"
    assert found["tiles"] == ["http://localhost/tiles/grids,streets/{z}/{x}/{y}.mvt"]
    assert [n["id"] for n in found["vector_layers"]] == ["grids", "streets"]
    west, south, east, north = found["bounds"]
    for t in world.grids:
        p = world.grids[t][0][1].centroid
        lon, lat = world.wgs84(t, p.x, p.y)
        assert west < lon < east
        assert south < lat < north
    first = min(world.grids)
    onto = pyproj.Transformer.from_crs("EPSG:4326", world.crs[first], always_xy=True)
    middle = onto.transform(*found["center"][:2])
    whole = shapely.union_all([p for _, p in world.grids[first]])
    assert whole.envelope.contains(shapely.Point(middle))  # on a territory, not on the way between two
    assert "OpenStreetMap" in found["attribution"]
