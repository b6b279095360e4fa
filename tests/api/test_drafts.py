"""No draft leaks: whatever the public can ask for is the same, to the byte and ETag, before and after drafts."""

from __future__ import annotations

import numpy as np
import psycopg
import pytest
import shapely

from tests import drawn_town

pytestmark = pytest.mark.database

TILES = ("grids,communities,labels", "atoms,blocks", "micro-grids,streets,buildings,addresses")
COLLECTIONS = ("grids", "communities", "buildings", "addresses", "plans")


def sources(tmp_path, name, east=0.0):
    """The drawn town with one community, everything in it named after the town."""
    from data.files import read_sources

    layers = drawn_town.frames()
    layers["communities"] = drawn_town.communities([(0, 0, 3, 3)])
    layers["communities"]["code"] = ["430104007099" if east else "430104007001"]
    for frame in layers.values():
        frame["geometry"] = shapely.transform(frame.geometry.to_numpy(), lambda xy: xy + np.array([east, 0.0]))
        frame["name"] = [f"{name}{n}" for n in frame["name"]]
    drawn_town.write(tmp_path / f"{name}.gpkg", layers)
    return read_sources(tmp_path / f"{name}.gpkg")


@pytest.fixture(scope="module")
def service(database_url, tmp_path_factory):
    """An application on a published town; ``draft()`` adds what nobody may see and gives the drafts' ids."""
    from api.app import create_app
    from api.config import Config
    from api.context import KEY
    from api.services import importing
    from api.services.plans import partitioning, planning, publishing

    folder = tmp_path_factory.mktemp("towns")
    app = create_app(Config(database_url, typed_per_minute=0, cache_folder=str(folder / "cache")))
    engine = app.extensions[KEY].engine
    rules = planning.ruleset_of("default")

    def add(name, east=0.0):
        importing.import_sources(engine, sources(folder, name, east), name, ruleset=rules, origin="drawn")

    def draft():
        partitioning.partition(engine, "open", planning.Job(rules, seed=7, iterations=2), plan_name="密案")
        add("密", 2000.0)
        partitioning.partition(engine, "密", planning.Job(rules, seed=1, iterations=2))
        with psycopg.connect(database_url.replace("postgresql+psycopg://", "postgresql://")) as connection:
            rows = connection.execute("SELECT id FROM plan_version WHERE status = 'draft' ORDER BY id").fetchall()
        return [row[0] for row in rows]

    add("open")
    partitioning.partition(engine, "open", planning.Job(rules, seed=1, iterations=2))
    publishing.publish(engine, "open", demo_people=True)
    yield app, draft
    engine.dispose()


def places(east=0.0):
    """Longitude and latitude of a few points of the town."""
    from gis.locate import datums

    x = np.array([drawn_town.X + 50.0, drawn_town.X + 333.0, drawn_town.X + 590.0]) + east
    y = np.array([drawn_town.Y + 60.0, drawn_town.Y + 310.0, drawn_town.Y + 500.0])
    return list(zip(*datums.to_wgs84(x, y, datums.parse(drawn_town.CRS)), strict=True))


def tile_of(lon, lat, z):
    """The tile that holds a position."""
    n = 2**z
    y = (1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2
    return int((lon + 180) / 360 * n), int(y * n)


def public_paths():
    """Everything the public may ask for about the places of both towns."""
    yield from ("/api/territories", "/api/search?q=密", "/api/search?q=open", "/api/search?q=430104007099", "/ogc")
    for lon, lat in [*places(), *places(2000.0)]:
        yield f"/api/lookup?lon={lon}&lat={lat}&crs=wgs84&accuracy=30"
        yield f"/api/reverse?lon={lon}&lat={lat}&crs=wgs84"
        for z in (8, 11, 14, 16):
            x, y = tile_of(lon, lat, z)
            yield from (f"/tiles/{layers}/{z}/{x}/{y}.mvt" for layers in TILES)
    for layers in TILES:
        yield f"/tiles/{layers}.json"
    for name in COLLECTIONS:
        yield from (f"/ogc/collections/{name}", f"/ogc/collections/{name}/items?limit=500")
    for town in ("open", "密"):
        yield f"/api/download?territory={town}&format=geojson&layers=grids,communities,buildings,addresses"
    yield from ("/api/match?q=密1街1号", "/api/parse?q=密1街1号")


def crawl(client, **options):
    """Status, ETag and body of all of it."""
    told = {}
    for path in dict.fromkeys(public_paths()):
        with client.get(path, **options) as answer:
            told[path] = answer.status_code, answer.headers.get("ETag"), answer.data
    return told


def test_nothing_public_tells_of_a_draft(service):
    from api.services.operating import operator

    app, draft = service
    client = app.test_client()
    before = crawl(client)
    assert {status for status, _, _ in before.values()} <= {200, 404}
    assert before["/api/search?q=open"][2].count(b"kind") > 1  # else there is nothing to compare
    drafts = draft()
    assert len(drafts) == 2
    url = app.extensions["wangge"].config.database_url
    key = {"Authorization": f"Bearer {operator.renew(url)}"}
    lon, lat = places()[0]
    x, y = tile_of(lon, lat, 14)
    tile = f"/tiles/grids,atoms/14/{x}/{y}.mvt"
    for version in drafts:  # what the operator saw lies in every cache now
        seen = client.get(f"{tile}?plan={version}", headers=key)
        assert seen.status_code == 200
        assert seen.headers["Cache-Control"] == "private, no-store"
    crawl(client, headers=key)
    after = crawl(client)
    assert [path for path in before if before[path] != after[path]] == []
    for version in drafts:
        for headers in ({}, {"If-None-Match": seen.headers.get("ETag", '"x"')}):
            refused = client.get(f"{tile}?plan={version}", headers=headers)
            assert (refused.status_code, refused.get_json()["code"]) == (401, "http.token_missing")
    assert client.get(f"{tile}?plan=999999").status_code in (401, 404)
