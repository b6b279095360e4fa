"""Our encoder against PostGIS's ST_AsMVT, feature by feature."""

from __future__ import annotations

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from shapely.geometry import shape

from api.context import KEY
from api.services import tile_content
from data.postgres import read_tiles
from data.postgres.read_tiles import LAYERS
from gis.tiles import encode, pyramid

pytestmark = pytest.mark.database


def features(body, name):
    if not body:
        return []
    return mapbox_vector_tile.decode(body, default_options={"y_coord_down": True}).get(name, {}).get("features", [])


@pytest.mark.parametrize("z", [11, 13, 14, 16])
@pytest.mark.parametrize("name", ["grids", "communities", "labels"])
def test_the_encoder_agrees_with_postgis(app, world, name, z):
    published = app.extensions[KEY].published
    territory = min(world.grids)
    box = shapely.total_bounds([p for _, p in world.grids[territory]])
    west, south = world.wgs84(territory, box[0], box[1])
    east, north = world.wgs84(territory, box[2], box[3])
    compared = 0
    with published.reading() as connection:
        info = next(i for i in published.in_force(connection) if i.territory == territory)
        snapshot = published.snapshot(connection, info.publication, info.crs)
        for x, y in pyramid.covering(z, west, south, east, north)[:12]:
            tile = (z, x, y)
            found = tile_content._FROM_SNAPSHOT[name](snapshot, tile)
            geometry = np.empty(len(found.geometry), dtype=object)
            geometry[:] = found.geometry
            ids = list(range(1, len(geometry) + 1))
            ours = features(encode.layer(name, tile, ids, found.columns, geometry), name)
            theirs = features(
                read_tiles.from_arrays(connection, LAYERS[name], tile, ids, found.columns, geometry), name
            )
            assert [f["id"] for f in ours] == [f["id"] for f in theirs]
            for a, b in zip(ours, theirs, strict=True):
                assert a["properties"] == b["properties"]
                one, other = shape(a["geometry"]), shape(b["geometry"])
                assert one.geom_type.removeprefix("Multi") == other.geom_type.removeprefix("Multi")
                # PostGIS rounds half a unit the other way at times: within one unit along the outline
                assert one.hausdorff_distance(other) <= 1.5
                compared += 1
    assert compared > 0
