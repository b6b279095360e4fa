"""What tiles hold against PostGIS's ST_AsMVT, feature by feature, for every layer."""

from __future__ import annotations

import mapbox_vector_tile
import numpy as np
import psycopg
import pytest
import shapely
from shapely.geometry import shape

from api.context import KEY
from api.services.tiles import tile_content
from api.services.tiles.tile_request import TileRequest
from api.services.tiles.tile_tables import Tables
from data.postgres.tiles import read_tiles
from data.postgres.tiles.read_tiles import LAYERS, Shown
from gis.tiles import pyramid

pytestmark = pytest.mark.database


def features(body, name):
    if not body:
        return {}
    found = mapbox_vector_tile.decode(body, default_options={"y_coord_down": True}).get(name, {}).get("features", [])
    made = {f["id"]: f for f in found}
    assert len(made) == len(found)  # an id stands for one feature
    return made


def tiles_of(world, z, most=8):
    territory = min(world.grids)
    box = shapely.total_bounds([p for _, p in world.grids[territory]])
    west, south = world.wgs84(territory, box[0], box[1])
    east, north = world.wgs84(territory, box[2], box[3])
    return [(z, x, y) for x, y in pyramid.covering(z, west, south, east, north)[:most]]


def agree(ours, theirs):
    """Same ids, same properties, the same shape within a tile unit."""
    assert set(ours) == set(theirs)
    for number, a in ours.items():
        b = theirs[number]
        assert a["properties"] == b["properties"]
        one, other = shape(a["geometry"]), shape(b["geometry"])
        assert one.geom_type.removeprefix("Multi") == other.geom_type.removeprefix("Multi")
        # PostGIS rounds half a unit the other way at times: within one unit along the outline
        assert one.hausdorff_distance(other) <= 1.5
    return len(ours)


def parts_of(published, connection, request):
    return tile_content.parts(published, connection, request)


@pytest.mark.parametrize(
    ("name", "z"),
    [(n, z) for n, layer in LAYERS.items() if layer.rows for z in (13, 14, 15, 16) if z >= layer.minzoom],
)
def test_layers_of_tables_agree_with_postgis(app, world, name, z):
    published = app.extensions[KEY].published
    tables = Tables()
    layer = LAYERS[name]
    compared = 0
    with published.reading() as connection:
        for tile in tiles_of(world, z):
            request = TileRequest((name,), *tile)
            of = parts_of(published, connection, request)
            ours = features(tile_content.content(tables, connection, request, of), name)
            theirs = {}
            for p in of:
                shown = Shown(p.territory, p.publication, None, p.day)
                theirs |= features(read_tiles.from_tables(connection, layer, tile, shown), name)
            compared += agree(ours, theirs)
    # this world has no railway and no micro-grids
    assert compared > 0 or z != max(14, layer.minzoom) or name in ("rail", "micro-grids")


@pytest.mark.parametrize("z", [11, 13, 14, 16])
@pytest.mark.parametrize("name", ["grids", "communities", "labels"])
def test_layers_of_plans_agree_with_postgis(app, world, name, z):
    published = app.extensions[KEY].published
    tables = Tables()
    compared = 0
    with published.reading() as connection:
        for tile in tiles_of(world, z):
            request = TileRequest((name,), *tile)
            (part,) = parts_of(published, connection, request)
            columns = tables.plan(connection, Shown(part.territory, part.publication, None, part.day), 0).layer(
                name, z
            )
            ours = features(tile_content.content(tables, connection, request, [part]), name)
            geometry = columns.geometry(np.arange(len(columns))) if name != "labels" else shapely.points(columns.xy)
            held = {
                key: [None if code < 0 else columns.values[code] for code in columns.codes[:, k]]
                for k, key in enumerate(columns.keys[: columns.shown])
            }
            theirs = features(
                read_tiles.from_arrays(
                    connection, name, LAYERS[name].fields, tile, columns.ids.tolist(), held, geometry
                ),
                name,
            )
            if name == "labels":  # PostGIS keeps those of the buffer too
                theirs = {number: theirs[number] for number in ours}
            compared += agree(ours, theirs)
    assert compared > 0


def test_a_cell_too_full_to_keep_is_served_by_postgis(app, world, monkeypatch):
    published = app.extensions[KEY].published
    request = TileRequest(("buildings", "atoms"), *tiles_of(world, 14)[0])
    with published.reading() as connection:
        of = parts_of(published, connection, request)
        kept = tile_content.content(Tables(), connection, request, of)
        monkeypatch.setattr(read_tiles.cell, "__defaults__", (1,))
        unkept = tile_content.content(Tables(), connection, request, of)
    for name in request.layers:
        agree(features(kept, name), features(unkept, name))


def test_filters_let_the_same_through_either_way(app, world, monkeypatch):
    published = app.extensions[KEY].published
    tile = tiles_of(world, 14)[0]
    with published.reading() as connection:
        every = TileRequest(("atoms",), *tile)
        of = parts_of(published, connection, every)
        whole = features(tile_content.content(Tables(), connection, every, of), "atoms")
        grid = next(f["properties"]["grid"] for f in whole.values())
        for filters in (
            (("grid", grid),),
            (("community", "东湖社区"),),
            (("community", "430104007000"),),
            (("block", "1"), ("block", "2"), ("community", "东湖社区")),
        ):
            request = TileRequest(("atoms",), *tile, filters=filters)
            ours = features(tile_content.content(Tables(), connection, request, of), "atoms")
            values = {k: [v for n, v in filters if n == k] for k, _ in filters}
            theirs = features(
                read_tiles.from_tables(
                    connection,
                    LAYERS["atoms"],
                    tile,
                    Shown(of[0].territory, of[0].publication, None, of[0].day),
                    values,
                ),
                "atoms",
            )
            agree(ours, theirs)
            assert set(ours) <= set(whole)
            assert all(f["properties"].get("grid") == grid for f in ours.values()) or filters[0][0] != "grid"


def test_micro_grids_agree_with_postgis(app, world):
    with psycopg.connect(world.url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        connection.execute(
            "INSERT INTO micro_grid (publication_id, grid_id, number, code, households, counted, buildings, geom,"
            " geom_3857) SELECT publication_id, grid_id, number, code || '-01', 12, 12, 1, geom, geom_3857"
            " FROM grid_version"
        )
    published = app.extensions[KEY].published
    tile = tiles_of(world, 14)[0]
    request = TileRequest(("micro-grids",), *tile)
    with published.reading() as connection:
        (part,) = parts_of(published, connection, request)
        ours = features(tile_content.content(Tables(), connection, request, [part]), "micro-grids")
        shown = Shown(part.territory, part.publication, None, part.day)
        theirs = features(read_tiles.from_tables(connection, LAYERS["micro-grids"], tile, shown), "micro-grids")
    assert agree(ours, theirs) > 0
    one = next(iter(ours.values()))["properties"]
    assert one["code"] == one["grid"] + "-01"
    assert one["community"] in ("东湖社区", "西湖社区")
