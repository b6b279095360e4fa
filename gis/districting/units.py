"""The weighted contiguity graph a solver works on: atoms, or groups of atoms taken as one unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

from gis.blocks.model import AtomSet, Graph
from gis.districting.kernels import Int, UnitArrays, hilbert_order, induced
from gis.territory.model import Floats, Geometries

#: Two atoms are joined where they share more than this many metres: an edge, not a corner.
JOINED_METRES: Final = 0.01


@dataclass(frozen=True)
class Units:
    """Arrays for the kernels, and a point of every unit (metres)."""

    arrays: UnitArrays
    x: Floats
    y: Floats

    def __len__(self) -> int:
        return len(self.x)

    def subset(self, which: Int) -> Units:
        """The graph induced by some units, renumbered in the order given."""
        place = np.full(len(self), -1, np.int64)
        return self.window(which, place)

    def window(self, which: Int, place: Int) -> Units:
        """As ``subset``, with scratch memory of the caller: an array of -1, one a unit, which is left as it was."""
        return Units(UnitArrays(*induced(self.arrays, which, place)), self.x[which], self.y[which])

    def contract(self, label: Int) -> Units:
        """One unit a label (0 .. n-1); its block is that of its first member."""
        a = self.arrays
        n = int(label.max()) + 1
        heads, tails = edges(a)
        between = label[heads] != label[tails]
        start, neighbour, price, metres = _csr(
            label[heads[between]], label[tails[between]], a.price[between], a.metres[between], n
        )
        inner = _sum(label[heads[~between]], a.metres[~between], n)
        weight = np.maximum(a.area, 1e-9)
        total = np.bincount(label, weight, minlength=n)
        block = np.zeros(n, np.int64)
        block[label[::-1]] = a.block[::-1]
        return Units(
            UnitArrays(
                start,
                neighbour,
                price,
                metres,
                np.bincount(label, a.counted, minlength=n).astype(np.int64),
                _sum(label, a.load, n),
                _sum(label, a.area, n),
                _sum(label, a.perimeter, n) - inner,
                block,
            ),
            np.bincount(label, self.x * weight, minlength=n) / total,
            np.bincount(label, self.y * weight, minlength=n) / total,
        )

    def hilbert(self, bits: int = 12) -> Int:
        """Units in the order of a Hilbert curve through them."""
        side = max(float(np.ptp(self.x)), float(np.ptp(self.y)), 1e-9)
        scale = ((1 << bits) - 1) / side
        x = ((self.x - self.x.min()) * scale).astype(np.int64)
        y = ((self.y - self.y.min()) * scale).astype(np.int64)
        return np.argsort(hilbert_order(x, y, bits), kind="stable")


def edges(arrays: UnitArrays) -> tuple[Int, Int]:
    """Head and tail of every entry of the graph (each edge stands there twice)."""
    heads = np.repeat(np.arange(len(arrays.counted), dtype=np.int64), np.diff(arrays.start))
    return heads, arrays.neighbour


def pieces(arrays: UnitArrays, label: NDArray[np.integer]) -> Int:
    """Number of the connected piece of every unit, where only units of one label are joined.

    Pieces are numbered by their first unit.
    """
    heads, tails = edges(arrays)
    same = label[heads] == label[tails]
    return connected(heads[same], tails[same], len(label))


def connected(heads: NDArray[np.integer], tails: NDArray[np.integer], n: int) -> Int:
    """Connected components of n things, numbered by their first member."""
    matrix = coo_matrix((np.ones(len(heads), np.int8), (heads, tails)), shape=(n, n))
    found = connected_components(matrix, directed=False)[1]
    _, first, inverse = np.unique(found, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[inverse], np.int64)


def atom_units(
    atom_set: AtomSet,
    graph: Graph,
    prices: Floats,
    counted: Int,
    load: Floats,
    compound: Int | None = None,
    extra: float = 0.0,
) -> Units:
    """Every atom as a unit. ``prices``: by position in ``BORDER_CLASSES``; corners do not join.

    A metre between two atoms of one ``compound`` (-1: in none) costs ``extra`` beside its price.
    """
    metres = graph.metres.sum(axis=1)
    joined = metres > JOINED_METRES
    heads, tails = graph.heads[joined].astype(np.int64), graph.tails[joined].astype(np.int64)
    price = graph.metres[joined] @ prices
    if compound is not None:
        price = price + extra * np.where(inside_one(compound, heads, tails), metres[joined], 0.0)
    both = np.concatenate
    n = len(atom_set.geometry)
    start, neighbour, price, shared = _csr(
        both([heads, tails]), both([tails, heads]), both([price, price]), both([metres[joined], metres[joined]]), n
    )
    x, y = points(atom_set.geometry)
    return Units(
        UnitArrays(
            start,
            neighbour,
            price,
            shared,
            np.asarray(counted, np.int64),
            np.asarray(load, np.float64),
            shapely.area(atom_set.geometry),
            shapely.length(atom_set.geometry),
            atom_set.block.astype(np.int64),
        ),
        x,
        y,
    )


def members_of(label: NDArray[np.integer], n: int) -> list[Int]:
    """Positions of every label 0 .. n-1, in order: one sort, however many labels there are."""
    order = np.argsort(label, kind="stable")
    return np.split(order, np.cumsum(np.bincount(label, minlength=n))[: n - 1]) if n else []


def inside_one(compound: Int, heads: NDArray[np.integer], tails: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Whether both ends of every edge lie in the same compound."""
    return np.asarray((compound[heads] >= 0) & (compound[heads] == compound[tails]), np.bool_)


def points(geometry: Geometries) -> tuple[Floats, Floats]:
    """Centroid of every geometry."""
    centre = shapely.centroid(geometry)
    return shapely.get_x(centre), shapely.get_y(centre)


def _sum(label: Int, values: Floats, n: int) -> Floats:
    return np.asarray(np.bincount(label, values, minlength=n), np.float64)


def _csr(
    heads: NDArray[np.integer], tails: NDArray[np.integer], price: Floats, metres: Floats, n: int
) -> tuple[Int, Int, Floats, Floats]:
    """Sum parallel edges and sort them by head, then tail."""
    priced = csr_matrix((price, (heads, tails)), shape=(n, n))
    shared = csr_matrix((metres, (heads, tails)), shape=(n, n))
    priced.sum_duplicates()
    shared.sum_duplicates()
    return (
        shared.indptr.astype(np.int64),
        shared.indices.astype(np.int64),
        np.asarray(priced.data, np.float64),
        np.asarray(shared.data, np.float64),
    )
