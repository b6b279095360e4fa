"""From streets and homes to atoms, their graph, and households."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from scipy.sparse import csr_matrix

from data.samples.city.cells import Cells, cells_of
from data.samples.city.homes import settle
from data.samples.city.streets import lay_streets
from gis.territory.model import Floats, Geometries, Ints

#: Square metres of city an atom, on the average.
ATOM: Final = 2_250.0


@dataclass(frozen=True)
class City:
    """Atoms and their graph. ``metres[:, c]``: shared by edge, c = 0 in a block, then residential to primary.

    ``use`` is a constant of ``homes`` by atom. Edges are sorted by (head, tail), head < tail; the atoms are an
    exact coverage in metres of no place on earth. ``streets`` are lines of class ``street_class`` along the borders.
    """

    geometry: Geometries
    households: Ints
    block: Ints
    use: Ints
    heads: Ints
    tails: Ints
    metres: Floats
    streets: Geometries
    street_class: Ints


def make(atoms: int, seed: int = 1) -> City:
    """A city of about ``atoms`` atoms. The same number and seed give the same city."""
    rng = np.random.default_rng([seed, atoms])
    streets = lay_streets(max(atoms, 4) * ATOM, rng)
    homes = settle(streets.blocks, rng)
    cells = cells_of(streets.blocks, homes.block, homes.place)
    corner = _bent(cells.corner, rng)
    heads, tails, metres = _graph(cells, corner, streets.line_class, len(homes.block))
    lines, kind = _streets(cells, corner, streets.line_class)
    return City(
        geometry=_polygons(cells, corner),
        households=homes.households,
        block=homes.block,
        use=homes.use[homes.block],
        heads=heads,
        tails=tails,
        metres=metres,
        streets=lines,
        street_class=kind,
    )


def _bent(corner: Floats, rng: np.random.Generator) -> Floats:
    """Every corner pushed by a few long waves: straight streets become slightly curved ones."""
    out = corner.copy()
    for _ in range(5):
        wave = rng.normal(0.0, 2 * np.pi / 2400.0, 2)
        push = rng.normal(0.0, 14.0, 2)
        out += np.sin(corner @ wave + rng.uniform(0, 2 * np.pi))[:, None] * push
    return out


def _polygons(cells: Cells, corner: Floats) -> Geometries:
    first = np.flatnonzero(np.diff(cells.cell, prepend=-1))
    at = np.insert(np.arange(len(cells.cell)), np.append(first[1:], len(cells.cell)), first)  # rings closed
    return np.asarray(shapely.polygons(shapely.linearrings(corner[cells.begin[at]], indices=cells.cell[at])), object)


def _streets(cells: Cells, corner: Floats, line_class: Ints) -> tuple[Geometries, Ints]:
    """Every street from end to end through all corners on it, and its class; the city's edge is none."""
    on = np.flatnonzero((cells.line >= 0) & (line_class[np.maximum(cells.line, 0)] > 0))
    pairs = np.unique(
        np.column_stack([np.tile(cells.line[on], 2), np.concatenate([cells.begin[on], cells.end[on]])]), axis=0
    )
    line, at = pairs.T
    first = np.flatnonzero(np.diff(line, prepend=-1))
    # before the city was bent every street was straight: its corners stand in the order of their way along it
    ends = cells.corner[at]
    low = np.minimum.reduceat(ends, first)
    wide = (np.maximum.reduceat(ends, first) - low)[:, 0] >= (np.maximum.reduceat(ends, first) - low)[:, 1]
    along = np.where(np.repeat(wide, np.diff(np.append(first, len(line)))), ends[:, 0], ends[:, 1])
    order = np.lexsort((along, line))
    made = shapely.linestrings(corner[at[order]], indices=np.searchsorted(line[first], line[order]))
    return np.asarray(made, object), line_class[line[first]]


def _graph(cells: Cells, corner: Floats, line_class: Ints, n: int) -> tuple[Ints, Ints, Floats]:
    """Sides that two cells share, by pair of cells."""
    low, high = np.minimum(cells.begin, cells.end), np.maximum(cells.begin, cells.end)
    order = np.lexsort((high, low))
    twin = np.flatnonzero((low[order][1:] == low[order][:-1]) & (high[order][1:] == high[order][:-1]))
    a, b = order[twin], order[twin + 1]
    line = cells.line[a]
    kind = np.where(line >= 0, line_class[np.maximum(line, 0)], 0)
    long = np.hypot(*(corner[cells.end[a]] - corner[cells.begin[a]]).T)
    head, tail = np.minimum(cells.cell[a], cells.cell[b]), np.maximum(cells.cell[a], cells.cell[b])
    pair, edge = np.unique(head * n + tail, return_inverse=True)
    metres = np.asarray(csr_matrix((long, (edge, kind)), shape=(len(pair), 4)).todense(), np.float64)
    return pair // n, pair % n, metres
