"""What a worker does after a publication until it answers from it: read the grids, build the index, map its file.

``python -m benchmarks.serving_rebuild_one URL FOLDER`` prints JSON with seconds of wall clock and of CPU.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from api.services.lookup.index_store import IndexStore
from data.postgres.connect import engine_of
from data.postgres.plans import read_published
from gis.locate import index

REPEAT = 5


def main(url: str, folder: str) -> None:
    """Several times over, each time into an empty folder; the time least disturbed by others counts."""
    index.warm()
    steps: dict[str, list[float]] = {"s": [], "cpu_s": [], "index_s": [], "index_cpu_s": []}
    with engine_of(url) as engine, engine.connect() as connection:
        for number in range(REPEAT + 1):
            began, used = time.perf_counter(), time.process_time()
            (info,) = read_published.in_force(connection)
            grids = read_published.grids(connection, info.publication)
            read, read_used = time.perf_counter(), time.process_time()
            made = IndexStore(Path(folder) / str(number)).index(grids.geometry)
            ended, spent = time.perf_counter(), time.process_time()
            x, y = np.nanmean(made.bounds[:, 0]), np.nanmean(made.bounds[:, 1])
            made.locate(np.array([x]), np.array([y]))
            if number:
                for name, value in zip(
                    steps, (ended - began, spent - used, ended - read, spent - read_used), strict=True
                ):
                    steps[name].append(value)
    print(json.dumps({"grids": len(made), **{name: min(values) for name, values in steps.items()}}))


if __name__ == "__main__":
    main(*sys.argv[1:])
