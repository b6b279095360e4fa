"""Towns of one deployment that border on one another: low zooms show neither gap nor overlap between them."""

from __future__ import annotations

import gzip
import itertools
from dataclasses import dataclass

import mapbox_vector_tile
import numpy as np
import psycopg
import pytest
import shapely
from pmtiles.reader import MemorySource, all_tiles
from shapely.geometry import shape

from api.app import create_app
from api.config import Config
from api.context import KEY
from api.services.tiles import tile_export
from gis.tiles.pyramid import HALF, bounds, unit
from tests.drawn_towns import CRS, drawn_in, towns
from tests.published_world import LONG_AGO, World, publish

pytestmark = pytest.mark.database

SIDE = 6_000.0
LAYERS = "grids,communities"


@dataclass
class County:
    """Three towns, each published by itself; ``land`` (EPSG:3857) is what they cover."""

    url: str
    land: shapely.Polygon
    numbers: list[int]


@pytest.fixture(scope="module")
def county(database_url):
    world = World(database_url)
    numbers = []
    with psycopg.connect(plain(database_url)) as connection:
        for k, (areas, crs) in enumerate(zip(towns(7, SIDE), CRS, strict=True)):
            # two villages of a town: its west and its east
            areas = areas[np.argsort(shapely.get_x(shapely.centroid(areas)))]
            numbers.append(publish(connection, world, f"town{k}", "", crs, list(drawn_in(areas, crs)), k + 1)[0])
    whole = shapely.box(0, 0, SIDE, SIDE).segmentize(SIDE / 50)
    return County(database_url, drawn_in(np.array([whole], dtype=object), CRS[0], "EPSG:3857")[0], numbers)


def plain(url):
    return url.replace("postgresql+psycopg://", "postgresql://")


@pytest.fixture
def serve(county):
    """Services over the county, each with empty caches."""
    made = []

    def start():
        made.append(create_app(Config(county.url)))
        return made[-1].test_client()

    yield start
    for app in made:
        app.extensions[KEY].engine.dispose()


def places(county, z):
    size = 2 * HALF / (1 << z)
    a, b, c, d = county.land.bounds
    columns = range(int((a + HALF) // size), int((c + HALF) // size) + 1)
    rows = range(int((HALF - d) // size), int((HALF - b) // size) + 1)
    return [(z, x, y) for x, y in itertools.product(columns, rows)]


def load(client, county, query=""):
    """Every tile of zooms 10 to 13: ETag and body."""
    found = {}
    for place in (p for z in (10, 11, 12, 13) for p in places(county, z)):
        answer = client.get(f"/tiles/{LAYERS}/{'/'.join(map(str, place))}.mvt{query}")
        assert answer.status_code == 200
        found[place] = (answer.headers["ETag"], answer.data)
    return found


def shapes(body, layer):
    found = mapbox_vector_tile.decode(body, default_options={"y_coord_down": True}).get(layer, {}).get("features", [])
    return shapely.make_valid(np.array([shape(f["geometry"]) for f in found], dtype=object))


def check(county, tiles):
    """No area of the land is shown twice or by nobody, in any tile."""
    for (z, x, y), (_, body) in tiles.items():
        west, _, _, north = bounds(z, x, y)
        inner = shapely.buffer(county.land, -1.5 * unit(z))
        land = shapely.transform(inner, lambda xy, w=west, n=north, z=z: (xy - [w, n]) / [unit(z), -unit(z)])
        land = shapely.intersection(land, shapely.box(0, 0, 4096, 4096))
        for layer in LAYERS.split(","):
            held = shapes(body, layer)
            whole = shapely.union_all(held)
            assert shapely.area(held).sum() == whole.area
            assert shapely.difference(land, whole).area < 1e-6


def test_no_gap_and_no_overlap_between_towns(county, serve):
    tiles = load(serve(), county)
    assert len({z for z, _, _ in tiles}) == 4
    check(county, tiles)
    check(county, load(serve(), county, f"?as_of={LONG_AGO}"))


def test_the_archive_of_a_town_holds_what_the_service_shows(county, serve, tmp_path):
    client = serve()
    engine = client.application.extensions[KEY].engine
    held = {}
    for name in ("town0", "town1", "town2"):
        file = tile_export.export(engine, name, tmp_path / f"{name}.pmtiles", "grids", minzoom=12, maxzoom=12).file
        for place, body in all_tiles(MemorySource(file.read_bytes())):
            held.setdefault(place, []).append(shapes(gzip.decompress(body), "grids"))
    for z, x, y in places(county, 12):
        served = shapes(client.get(f"/tiles/grids/{z}/{x}/{y}.mvt").data, "grids")
        ours = np.concatenate(held[z, x, y])
        assert {g.wkb for g in ours} == {g.wkb for g in served}


def test_a_change_of_one_town_ages_what_it_touches_in_its_neighbours_too(county, serve):
    """A town takes 30 m of its neighbour's border grid away from itself: what is shown is never a mixture."""
    client = serve()
    before = load(client, county)
    with psycopg.connect(plain(county.url)) as connection:
        middle = shapely.from_wkb(
            connection.execute(
                "SELECT ST_AsBinary(ST_PointOnSurface(ST_Intersection(ST_Buffer(a.geom_3857, 1), b.geom_3857)))"
                " FROM territory a, territory b WHERE a.id = %s AND b.id = %s",
                county.numbers[:2],
            ).fetchone()[0]
        )
        (box,) = connection.execute(
            "UPDATE grid_version SET geom_3857 = ST_Buffer(geom_3857, -60) WHERE (publication_id, grid_id) ="
            " (SELECT p.id, g.grid_id FROM publication p JOIN grid_version g ON g.publication_id = p.id"
            "  WHERE p.territory_id = %s AND p.valid_to IS NULL"
            "  ORDER BY g.geom_3857 <-> ST_GeomFromWKB(%s, 3857), ST_Area(g.geom_3857), g.grid_id LIMIT 1)"
            " RETURNING ST_AsBinary(ST_Envelope(ST_Buffer(geom_3857, 60)))",
            (county.numbers[1], middle.wkb),
        ).fetchone()
    changed = shapely.from_wkb(box)
    after = load(client, county)
    assert {p: etag for p, (etag, _) in after.items()} == {p: etag for p, (etag, _) in load(serve(), county).items()}
    new = {place for place, (etag, _) in after.items() if etag != before[place][0]}
    near = {
        place
        for place in after
        if shapely.intersects(shapely.box(*bounds(*place, buffer=200)), shapely.buffer(changed, 10 * unit(place[0])))
    }
    assert new
    assert new <= near
    assert len(near) < len(after)


def test_a_draft_of_one_town_moves_nothing(county, serve):
    client = serve()
    before = load(client, county)
    with psycopg.connect(plain(county.url)) as connection:
        connection.execute(
            "INSERT INTO plan_version (plan_id, number, atom_set_id, status, ruleset, seed, grid_of_atom, report,"
            " certificate) SELECT plan_id, 2, atom_set_id, 'draft', ruleset, seed, grid_of_atom, report, certificate"
            " FROM plan_version v JOIN plan p ON p.id = v.plan_id WHERE p.territory_id = %s",
            county.numbers[1:2],
        )
    assert load(client, county) == before
    assert load(serve(), county) == before
