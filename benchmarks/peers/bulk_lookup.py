"""Bulk lookup with geopandas and shapely, in their own environment: CPU seconds of each way, and the grids found.

``python bulk_lookup.py POINTS.npz FOUND.npy``. Geometries are made beforehand and not counted. A point on a border
goes to the lowest grid, as everywhere. Prints JSON.
"""

from __future__ import annotations

import json
import sys
import time

import geopandas
import numpy as np
import shapely

REPEAT = 2


def lowest(points, grids, count):
    """The lowest grid of each point, -1 for none."""
    found = np.full(count, len(points) and grids.max() + 1)
    np.minimum.at(found, points, grids)
    untouched = np.ones(count, bool)
    untouched[points] = False
    found[untouched] = -1
    return found


def sjoin(frame, points, count):
    """``geopandas.sjoin`` and the rule for ties."""
    joined = geopandas.sjoin(points, frame, predicate="intersects")
    return lowest(joined.index.to_numpy(), joined["index_right"].to_numpy(), count)


def tree_of_grids(grids, points):
    """A tree of the grids, asked with every point."""
    point, grid = shapely.STRtree(grids).query(points, predicate="intersects")
    return lowest(point, grid, len(points))


def tree_of_points(grids, points):
    """A tree of the points, asked with every (prepared) grid."""
    grid, point = shapely.STRtree(points).query(grids, predicate="covers")
    return lowest(point, grid, len(points))


def tree_and_prepared(grids, points, x, y):
    """A tree of the grids for boxes only, then prepared grids with bare coordinates."""
    point, grid = shapely.STRtree(grids).query(points)
    inside = shapely.intersects_xy(grids[grid], x[point], y[point])
    return lowest(point[inside], grid[inside], len(points))


def main(source, target):
    """Every way on the same points."""
    with np.load(source) as file:
        grids = np.asarray(shapely.from_wkb(file["wkb"].astype(object)), dtype=object)
        x, y = file["x"], file["y"]
    shapely.prepare(grids)
    points = shapely.points(x, y)
    frame, many = geopandas.GeoDataFrame(geometry=grids), geopandas.GeoDataFrame(geometry=points)
    ways = {
        "sjoin": lambda: sjoin(frame, many, len(x)),
        "tree of grids": lambda: tree_of_grids(grids, points),
        "tree of points": lambda: tree_of_points(grids, points),
        "tree and prepared": lambda: tree_and_prepared(grids, points, x, y),
    }
    out = {"versions": {"geopandas": geopandas.__version__, "shapely": shapely.__version__}}
    found = {}
    for name, way in ways.items():
        took = []
        for _ in range(REPEAT):
            began = time.process_time()
            found[name] = way()
            took.append(time.process_time() - began)
        out[name] = min(took)
    np.save(target, np.vstack(list(found.values())))
    print(json.dumps(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
