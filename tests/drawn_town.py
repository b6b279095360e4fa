"""A town drawn by hand: 3 x 3 square blocks of 200 m, four houses in each, streets between and around them."""

from __future__ import annotations

import geopandas
import numpy as np
import pyogrio
import shapely

CRS = "EPSG:32650"
X, Y, SIDE = 400_000.0, 3_100_000.0, 200.0


def frames(households: int = 40) -> dict[str, geopandas.GeoDataFrame]:
    """Layers ``buildings`` and ``streets`` of the drawn town: 36 houses, 8 streets."""
    houses = [
        shapely.box(x, y, x + 20, y + 20)
        for i in range(3)
        for j in range(3)
        for x in (X + SIDE * i + 40, X + SIDE * i + 140)
        for y in (Y + SIDE * j + 40, Y + SIDE * j + 140)
    ]
    lines = []
    for k in range(4):
        lines.append(shapely.LineString([(X + SIDE * k, Y), (X + SIDE * k, Y + 3 * SIDE)]))
        lines.append(shapely.LineString([(X, Y + SIDE * k), (X + 3 * SIDE, Y + SIDE * k)]))
    n = len(houses)
    buildings = geopandas.GeoDataFrame(
        {
            "source_id": [f"b{i}" for i in range(n)],
            "use": ["apartments"] * n,
            "name": [f"{i}栋" for i in range(n)],
            "households": np.full(n, households),
        },
        geometry=houses,
        crs=CRS,
    )
    streets = geopandas.GeoDataFrame(
        {
            "source_id": [f"s{i}" for i in range(8)],
            "highway": ["residential"] * 8,
            "name": [f"{i}街" for i in range(8)],
        },
        geometry=lines,
        crs=CRS,
    )
    return {"buildings": buildings, "streets": streets}


def communities(boxes: list[tuple[float, float, float, float]]) -> geopandas.GeoDataFrame:
    """A ``communities`` layer from boxes given in blocks: (0, 0, 3, 3) is the whole town."""
    shapes = [shapely.box(X + SIDE * a, Y + SIDE * b, X + SIDE * c, Y + SIDE * d) for a, b, c, d in boxes]
    n = len(shapes)
    return geopandas.GeoDataFrame(
        {
            "source_id": [f"c{i}" for i in range(n)],
            "code": [f"4301040070{i:02}" for i in range(n)],
            "name": [f"第{i}社区" for i in range(n)],
        },
        geometry=shapes,
        crs=CRS,
    )


def write(path, layers) -> None:
    """Write layers to a GeoPackage, in their order."""
    for count, (name, frame) in enumerate(layers.items()):
        pyogrio.write_dataframe(frame, path, layer=name, driver="GPKG", append=count > 0)
