"""Our side of bulk lookup, in a process of its own: CPU seconds, and the grids found.

``python -m benchmarks.serving_bulk_one POINTS.npz FOUND.npy``: the file holds ``wkb`` of the grids in the order of
their ids, and ``x``, ``y``. Prints JSON.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import shapely

from gis.locate import index

REPEAT = 3


def main(source: str, target: str) -> None:
    """Build the index, locate all points, and write what was found."""
    index.warm()
    with np.load(source) as file:
        grids = np.asarray(shapely.from_wkb(file["wkb"].astype(object)), dtype=object)
        x, y = file["x"], file["y"]
    began, start = time.process_time(), time.perf_counter()
    made = index.build(grids)
    build = {"build_cpu_s": time.process_time() - began, "build_s": time.perf_counter() - start}
    made.locate(x[:1000], y[:1000])
    took = []
    for _ in range(REPEAT):
        began = time.process_time()
        found = made.locate(x, y)
        took.append(time.process_time() - began)
    np.save(target, found)
    size = sum(part.nbytes for part in made.arrays().values())
    print(json.dumps({"cpu_s": float(np.median(took)), **build, "index_mb": size / 2**20}))


if __name__ == "__main__":
    main(*sys.argv[1:])
