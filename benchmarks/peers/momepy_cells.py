"""Morphological tessellation of momepy on the same footprints, run by the peer's own environment.

``python momepy_cells.py BUILDINGS.wkb CRS``; prints CPU seconds, peak memory and whether the cells are a coverage.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path

import geopandas
import momepy
import shapely

warnings.simplefilter("ignore")


def main() -> None:
    """Tessellate and say what came out."""
    shapes = shapely.get_parts(shapely.from_wkb(Path(sys.argv[1]).read_bytes()))
    shapes = shapes[shapely.get_dimensions(shapes) == 2]
    buildings = geopandas.GeoDataFrame(geometry=shapes, crs=sys.argv[2]).explode(ignore_index=True)
    limit = momepy.buffered_limit(buildings, 100)
    start = time.process_time()
    cells = momepy.morphological_tessellation(buildings, clip=limit)
    seconds = time.process_time() - start
    geometry = cells.geometry.to_numpy()
    peak = next(int(v.split()[1]) / 1024 for v in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in v)
    print(
        json.dumps(
            {
                "cpu_s": round(seconds, 1),
                "peak_mb": round(peak),
                "valid": bool(shapely.is_valid(geometry).all() and shapely.coverage_is_valid(geometry)),
                "lost": len(buildings) - int(cells.index.nunique()),
                "version": momepy.__version__,
            }
        )
    )


if __name__ == "__main__":
    main()
