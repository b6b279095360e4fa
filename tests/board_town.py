"""A town of square atoms with streets between its blocks: many like communities, quickly read, slowly planned."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pyogrio
import shapely

CRS = "EPSG:32650"
X, Y, SIDE = 400_000.0, 3_100_000.0, 40.0


def write_board(path: Path, communities: int = 3, side: int = 14, seed: int = 1) -> int:
    """Write an ``atoms`` layer of ``communities`` x ``communities`` squares of ``side`` x ``side`` atoms, and streets
    around blocks of 2 x 2 atoms; returns the number of atoms.
    """
    n = communities * side
    column, row = (a.ravel() for a in np.meshgrid(np.arange(n), np.arange(n)))
    rng = np.random.default_rng(seed)
    block = (column // 2) * n + row // 2
    atoms = geopandas.GeoDataFrame(
        {
            "source_id": [f"a{i}" for i in range(n * n)],
            "block": [f"b{b}" for b in block],
            "community": [f"{c:02}{r:02}" for c, r in zip(column // side, row // side, strict=True)],
            "households": rng.integers(8, 60, n * n),
        },
        geometry=shapely.box(X + SIDE * column, Y + SIDE * row, X + SIDE * (column + 1), Y + SIDE * (row + 1)),
        crs=CRS,
    )
    ends = [(k * SIDE, n * SIDE) for k in range(0, n + 1, 2)]
    lines = [shapely.LineString([(X + at, Y), (X + at, Y + far)]) for at, far in ends]
    lines += [shapely.LineString([(X, Y + at), (X + far, Y + at)]) for at, far in ends]
    streets = geopandas.GeoDataFrame(
        {
            "source_id": [f"s{i}" for i in range(len(lines))],
            "highway": ["secondary" if i % 3 == 0 else "residential" for i in range(len(lines))],
            "name": [f"{i}街" for i in range(len(lines))],
        },
        geometry=lines,
        crs=CRS,
    )
    pyogrio.write_dataframe(atoms, path, layer="atoms")
    pyogrio.write_dataframe(streets, path, layer="streets")
    return n * n
