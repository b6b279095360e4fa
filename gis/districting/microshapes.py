"""Shapes of slices and micro-grids, for showing: cells of buildings, or parts of them.

A building wholly in one micro-grid shows as its atom (as its footprint, where it shares the atom with a building of
another micro-grid). One that is divided is cut into strips: a strip of its length for every stair, and of its depth
for every few floors. That is a drawing, not a survey: who lives where is what the slices say.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import shapely

from gis.blocks.model import AtomSet
from gis.districting.microgrids import MicroGrids
from gis.districting.slices import Structure
from gis.territory.model import Geometries, Ints

#: Strips at the ends of a building reach this many times its size outwards, to the end of its cell.
_BEYOND: Final = 50.0
#: Metres about a building that is given as a point.
_ABOUT_A_POINT: Final = 5.0


def slice_shapes(
    micro: MicroGrids, structure: Structure, footprints: Geometries, building_atom: Ints, atom_set: AtomSet
) -> Geometries:
    """Polygon of every slice. ``footprints`` and ``building_atom`` are in the order of the plan's buildings."""
    s = micro.slices
    cell = _cells(micro, footprints, building_atom, atom_set)
    shapes = cell[s.building]
    parts = np.bincount(s.building, minlength=len(footprints))
    for k in np.flatnonzero(parts[s.building] > 1):
        b = int(s.building[k])
        strip = _strip(
            footprints[b],
            (int(s.unit[k]) - 1, int(s.unit[k]), int(structure.units[b])),
            (int(s.floor_from[k]) - 1, int(s.floor_to[k]), int(structure.floors[b])),
        )
        shapes[k] = shapely.intersection(shapes[k], strip)
    return shapes


def _cells(micro: MicroGrids, footprints: Geometries, building_atom: Ints, atom_set: AtomSet) -> Geometries:
    """What stands for each building: its atom, or its footprint where the atom holds several micro-grids."""
    s = micro.slices
    cells = footprints.copy()
    point = np.flatnonzero(shapely.get_dimensions(cells) == 0)
    cells[point] = shapely.buffer(cells[point], _ABOUT_A_POINT, quad_segs=4)
    held = np.unique(np.stack([building_atom[s.building], s.building], axis=1), axis=0)
    alone = held[np.bincount(held[:, 0], minlength=len(atom_set.geometry))[held[:, 0]] == 1]
    cells[alone[:, 1]] = atom_set.geometry[alone[:, 0]]
    return cells


def _strip(footprint: Any, units: tuple[int, int, int], floors: tuple[int, int, int]) -> Any:
    """A rectangle along the building's own axes: its share of stairs lengthwise, of floors crosswise."""
    box = shapely.minimum_rotated_rectangle(footprint)
    if shapely.get_dimensions(box) < 2:
        box = shapely.box(*shapely.buffer(footprint, _ABOUT_A_POINT).bounds)
    corner = shapely.get_coordinates(box)[:4]
    along, across = corner[1] - corner[0], corner[3] - corner[0]
    if np.hypot(*along) < np.hypot(*across):
        along, across = across, along
    u0, u1 = _reach(*units)
    f0, f1 = _reach(*floors)
    at = corner[0]
    return shapely.polygons([
        at + along * u0 + across * f0,
        at + along * u1 + across * f0,
        at + along * u1 + across * f1,
        at + along * u0 + across * f1,
    ])  # fmt: skip


def _reach(begin: int, end: int, total: int) -> tuple[float, float]:
    low = begin / total if begin > 0 else -_BEYOND
    high = end / total if end < total else 1 + _BEYOND
    return low, high


def micro_shapes(micro: MicroGrids, slices: Geometries) -> Geometries:
    """Polygon (of several parts where a street runs between) of every micro-grid: the union of its slices."""
    out = np.empty(len(micro), object)
    # slices stand in the order of their micro-grids
    first = np.searchsorted(micro.slices.micro, np.arange(len(micro) + 1))
    for m in range(len(micro)):
        parts = shapely.get_parts(shapely.union_all(slices[first[m] : first[m + 1]]))
        out[m] = shapely.multipolygons(parts[shapely.get_dimensions(parts) == 2])
    return out
