"""What a caller may ask of a tile: layers, filters, plan versions, days; and who may ask for drafts."""

from __future__ import annotations

import datetime
import gzip

import mapbox_vector_tile
import psycopg
import pytest
import shapely
from shapely.geometry import shape

from api.services.operating import operator
from api.services.tiles.tile_request import TileRequest, parse
from data.postgres.tiles.read_tiles import LAYERS
from gis.errors import InputError, NotFoundError
from gis.tiles import pyramid
from tests.published_world import YESTERDAY


def test_a_request_is_a_key():
    one = parse("grids,streets", 14, 3, 4, [("community", "b"), ("kind", "x"), ("community", "a"), ("lang", "en")])
    assert one == parse("grids,streets,grids", 14, 3, 4, [("kind", "x"), ("community", "a"), ("community", "b")])
    assert one == TileRequest(("grids", "streets"), 14, 3, 4, (("community", "a"), ("community", "b"), ("kind", "x")))
    assert hash(one) == hash(parse("grids,streets", 14, 3, 4, one.filters))
    assert parse("grids", 1, 0, 0, [("plan", "7")]).plan == 7
    assert parse("grids", 1, 0, 0, [("as_of", "2024-02-29")]).as_of == datetime.date(2024, 2, 29)
    assert parse("grids", 1, 0, 0) != parse("grids", 1, 0, 0, drafts=True)


@pytest.mark.parametrize(
    ("layers", "query", "code"),
    [
        ("grids,secrets", [], "tiles.layer"),
        ("", [], "tiles.layer"),
        ("water", [("community", "a")], "tiles.filter"),
        ("grids", [("community_code", "1")], "tiles.filter"),
        ("grids", [("kind'; DROP TABLE grid; --", "a")], "tiles.filter"),
        ("grids", [("community", "x" * 101)], "tiles.filters"),
        ("grids", [("community", str(k)) for k in range(9)], "tiles.filters"),
        ("grids", [("plan", "0x1")], "tiles.plan"),
        ("grids", [("plan", "")], "tiles.plan"),
        ("grids", [("plan", "٣")], "tiles.plan"),
        ("grids", [("plan", "1"), ("plan", "2")], "tiles.plan"),
        ("grids", [("plan", "9" * 5000)], "tiles.plan"),
        ("grids", [("as_of", "2024-02-30")], "tiles.as_of"),
        ("grids", [("as_of", "20240229")], "tiles.as_of"),
        ("grids", [("as_of", "tomorrow")], "tiles.as_of"),
        ("grids", [("as_of", "2024-01-01"), ("plan", "1")], "tiles.both"),
    ],
)
def test_what_is_no_request(layers, query, code):
    with pytest.raises((InputError, NotFoundError)) as fault:
        parse(layers, 14, 0, 0, query)
    assert fault.value.code == code


def read(answer):
    assert answer.status_code == 200, answer.text
    found = mapbox_vector_tile.decode(gzip.decompress(answer.data), default_options={"y_coord_down": True})
    return {name: layer["features"] for name, layer in found.items()}


def get(client, layers, place, **options):
    z, x, y = place
    headers = {"Accept-Encoding": "gzip", **options.pop("headers", {})}
    return client.get(f"/tiles/{layers}/{z}/{x}/{y}.mvt", headers=headers, **options)


@pytest.fixture
def place(world):
    """A tile in the middle of the first territory."""
    territory = min(world.grids)
    box = shapely.total_bounds([p for _, p in world.grids[territory]])
    lon, lat = world.wgs84(territory, (box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    return 13, *pyramid.tile_at(13, lon, lat)


@pytest.fixture(scope="module")
def draft(world):
    """A plan version that was never published: two grids, the west and the east half."""
    with psycopg.connect(world.url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        number, atoms, n = connection.execute(
            "INSERT INTO plan_version (plan_id, number, atom_set_id, status, ruleset, seed, grid_of_atom, report,"
            " certificate) SELECT v.plan_id, 2, v.atom_set_id, 'draft', 'default', 1,"
            " ARRAY(SELECT (k % 8 / 4)::int FROM generate_series(0, cardinality(v.grid_of_atom) - 1) k), '{}', '{}'"
            " FROM plan_version v ORDER BY v.id LIMIT 1 RETURNING id, atom_set_id, cardinality(grid_of_atom)"
        ).fetchone()
        for k, side in enumerate(("西", "东")):
            connection.execute(
                "INSERT INTO version_grid (plan_version_id, number, code, name, kind, community, community_code)"
                " VALUES (%s, %s, %s, %s, 'residential', '湖社区', '430104')",
                (number, k, f"D-{k}", side),
            )
        assert n == 64
        assert atoms
    return number


@pytest.mark.database
def test_filters(client, place):
    every = read(get(client, "grids,labels,streets", place))
    names = {f["properties"]["community"] for f in every["grids"]}
    assert names == {"东湖社区", "西湖社区"}
    for value in ("东湖社区", "430104007000"):  # by name and by code
        found = read(get(client, "grids,labels,streets", place, query_string={"community": value}))
        assert {f["properties"]["community"] for f in found["grids"]} == {"东湖社区"}
        shown = {f["properties"]["grid_id"] for f in found["grids"]}
        assert {f["properties"].get("grid_id") for f in found["labels"]} <= shown | {None}
        assert found["streets"] == every["streets"]  # no community: stays whole
    both = read(get(client, "grids", place, query_string=[("community", "东湖社区"), ("community", "西湖社区")]))
    assert len(both["grids"]) == len(every["grids"])
    code = every["grids"][0]["properties"]["code"]
    one = read(get(client, "grids,atoms", (14, place[1] * 2, place[2] * 2), query_string={"code": code}))
    assert {f["properties"]["code"] for f in one.get("grids", [])} <= {code}
    assert read(get(client, "grids", place, query_string={"community": "nowhere"})) == {}
    assert get(client, "grids", place, query_string={"secret": "x"}).status_code == 400


@pytest.mark.database
def test_days(client, world, place):
    before = YESTERDAY - datetime.timedelta(days=1)
    assert read(get(client, "grids", place, query_string={"as_of": before.isoformat()}))["grids"]
    assert read(get(client, "grids", place, query_string={"as_of": "2019-12-31"})) == {}  # nothing in force yet
    assert get(client, "grids", place, query_string={"as_of": "soon"}).status_code == 400


@pytest.mark.database
def test_drafts_are_for_the_operator(client, world, place, draft):
    said = get(client, "grids", place, query_string={"plan": draft})
    assert said.status_code == 401
    assert said.mimetype == "application/problem+json"
    # what does not exist is told apart only by those who may know
    assert get(client, "grids", place, query_string={"plan": 999_999}).data == said.data
    token = {"Authorization": f"Bearer {operator.renew(world.url)}"}
    assert get(client, "grids", place, query_string={"plan": 999_999}, headers=token).status_code == 404
    answer = get(
        client, "grids,labels,atoms,blocks,buildings,micro-grids", place, query_string={"plan": draft}, headers=token
    )
    found = read(answer)
    assert {f["properties"]["code"] for f in found["grids"]} == {"D-0", "D-1"}
    assert sum(f["properties"]["households"] for f in found["grids"]) == sum(400 + k for k in range(64))
    shapes = [shape(f["geometry"]) for f in found["grids"]]
    whole = shapely.union_all(shapes)
    assert shapely.area(shapes).sum() == whole.area
    published = read(get(client, "grids", place))["grids"]
    assert len(published) > 2  # the draft shows in no other answer
    etag = {"If-None-Match": answer.headers["ETag"]}
    assert get(client, "grids", place, query_string={"plan": draft}, headers=etag).status_code == 401
    deep = (14, place[1] * 2, place[2] * 2)
    atoms = read(get(client, "atoms", deep, query_string={"plan": draft}, headers=token)).get("atoms", [])
    assert {f["properties"]["grid"] for f in atoms} <= {"D-0", "D-1"}


@pytest.mark.database
def test_a_published_version_is_for_everyone(client, world, place):
    with psycopg.connect(world.url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        (number,) = connection.execute(
            "SELECT plan_version_id FROM publication WHERE territory_id = %s LIMIT 1", (min(world.grids),)
        ).fetchone()
    found = read(get(client, "grids,buildings", place, query_string={"plan": number}))
    assert len(found["grids"]) == len(read(get(client, "grids", place))["grids"])


@pytest.mark.database
def test_tilejson_says_what_tiles_hold(client, world):
    """Every property of every layer is named there with its type."""
    kinds = {"String": str, "Number": int, "Boolean": bool}
    described = client.get(f"/tiles/{','.join(LAYERS)}.json").json
    fields = {n["id"]: n["fields"] for n in described["vector_layers"]}
    assert list(fields) == list(LAYERS)
    assert described["minzoom"] == min(n["minzoom"] for n in described["vector_layers"])
    territory = min(world.grids)
    seen: dict[str, set[str]] = {}
    lon, lat = world.wgs84(territory, *world.grids[territory][0][1].centroid.coords[0])
    for z in range(8, 18):
        found = read(get(client, ",".join(LAYERS), (z, *pyramid.tile_at(z, lon, lat))))
        for name, features in found.items():
            assert z >= next(n["minzoom"] for n in described["vector_layers"] if n["id"] == name)
            for f in features:
                for key, value in f["properties"].items():
                    assert type(value) is kinds[fields[name][key]]
                    seen.setdefault(name, set()).add(key)
    assert set(seen) >= {"grids", "communities", "labels", "atoms", "blocks"}
    assert seen["grids"] == set(fields["grids"])
