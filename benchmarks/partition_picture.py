"""The README's picture: a real extract cut by us and by the peers, from the files that ``partition_extract`` keeps.

``python -m benchmarks.partition_picture FILE FOLDER OUT.png "© OpenStreetMap contributors"``
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image

mpl.use("Agg")
from matplotlib import pyplot
from matplotlib.collections import LineCollection, PolyCollection

from api.services.plans.planning import Cut, cut
from benchmarks.atoms_one import read
from benchmarks.partition_extract import WAYS, near_share
from data import rulesets
from gis.districting.borders import borders_of, grid_polygons
from gis.territory.check import prepare

TITLES: Final = {"ours": "wangge", "metis": "METIS contiguous", "gerrychain": "GerryChain tree"}
COLOURS: Final = ("#8ecae6", "#ffd6a5", "#caffbf", "#ffadad", "#bdb2ff", "#fdffb6", "#a0c4ff", "#e2ece9", "#f1c0e8")
WIDE: Final = {"motorway", "trunk", "primary", "secondary", "tertiary"}


def draw(file: Path, folder: Path, out: Path, attribution: str) -> None:
    """One panel a planner whose plan lies in ``folder``."""
    made = cut(prepare(read(file)), rulesets.load())
    plans = {p: folder / f"{file.name}.{p}.npy" for p in TITLES}
    found = {p: np.load(f) for p, f in plans.items() if f.exists()}
    figure, axes = pyplot.subplots(1, len(found), figsize=(4.4 * len(found), 4.7), squeeze=False)
    for axis, (planner, part) in zip(axes[0], found.items(), strict=True):
        panel(axis, made, np.unique(part, return_inverse=True)[1])
        share = near_share(made, part, WAYS)
        axis.set_title(f"{TITLES[planner]}: {100 * share:.0f} % of border on streets, water, rail", fontsize=8.5)
    figure.text(0.995, 0.008, attribution, ha="right", fontsize=7, color="#444444")
    words = "black: border along a street, water or rail · red: border between buildings"
    figure.text(0.005, 0.008, words, fontsize=7, color="#444444")
    figure.tight_layout(pad=0.6, rect=(0, 0.02, 1, 1))
    whole = BytesIO()
    figure.savefig(whole, dpi=110)
    Image.open(whole).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(out, optimize=True)


def panel(axis: Any, made: Cut, part: NDArray[np.integer]) -> None:
    """Grids in colours, streets, and borders: black along streets and barriers, red between buildings."""
    shapes = grid_polygons(made.atom_set, part)
    borders = borders_of(made.atom_set, part)
    colour = coloured(len(shapes), borders.left, borders.right)
    outer, of = shapely.get_parts(shapes, return_index=True)
    rings = [np.asarray(p.exterior.coords) for p in outer]
    axis.add_collection(PolyCollection(rings, facecolors=[COLOURS[colour[g]] for g in of], edgecolors="none"))
    homes = shapely.get_parts(made.sources.buildings.geometry)
    homes = homes[shapely.get_type_id(homes) == 3]
    axis.add_collection(PolyCollection([np.asarray(p.exterior.coords) for p in homes], facecolors="#00000022"))
    streets = made.sources.streets
    for wide, width in ((False, 0.5), (True, 1.4)):
        chosen = np.array([str(h).removesuffix("_link") in WIDE for h in streets.highway], bool) == wide
        lines = [shapely.get_coordinates(g) for g in streets.geometry[chosen]]
        axis.add_collection(LineCollection(lines, colors="white", linewidths=width))
    cell = borders.basis == "cell"
    for chosen, ink in ((~cell, "#1d1d1d"), (cell, "#d00000")):
        lines = [shapely.get_coordinates(g) for g in borders.geometry[chosen]]
        axis.add_collection(LineCollection(lines, colors=ink, linewidths=1.3))
    west, south, east, north = shapely.total_bounds(shapes)
    axis.set_xlim(west, east)
    axis.set_ylim(south, north)
    axis.set_aspect("equal")
    axis.axis("off")


def coloured(grids: int, left: NDArray[np.integer], right: NDArray[np.integer]) -> list[int]:
    """A colour for every grid, neighbours' apart while the colours last."""
    near: list[set[int]] = [set() for _ in range(grids)]
    for a, b in zip(left.tolist(), right.tolist(), strict=True):
        near[a].add(b)
        near[b].add(a)
    out = [-1] * grids
    for g in range(grids):
        taken = {out[n] for n in near[g]}
        order = [(g + i) % len(COLOURS) for i in range(len(COLOURS))]
        out[g] = next((c for c in order if c not in taken), order[0])
    return out


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
