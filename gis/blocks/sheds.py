"""Garages, sheds and leftovers share the atom beside them: joined after cutting, or they would distort cells."""

from __future__ import annotations

import numpy as np

from gis.blocks.arrangement import polygons
from gis.blocks.coverage import UNKNOWN, Adjacency, Coverage, spread
from gis.blocks.thin import narrower
from gis.territory.model import Bools, Ints

#: Metres: a narrower atom is nobody's ground, and joins its neighbour.
NARROW = 2.0


def _narrow(coverage: Coverage) -> Bools:
    """Which labels hold no circle of that diameter; only those of little area for their edge are made polygons."""
    heads, tails = coverage.nodes[coverage.heads], coverage.nodes[coverage.tails]
    middle = coverage.nodes.min(axis=0)
    (ax, ay), (bx, by) = ((heads - middle) / 100.0).T, ((tails - middle) / 100.0).T
    twice = ax * by - bx * ay
    area, edge = np.zeros(coverage.count + 1), np.zeros(coverage.count + 1)
    for side, sign in ((coverage.left, 0.5), (coverage.right, -0.5)):
        area += np.bincount(np.where(side < 0, coverage.count, side), sign * twice, coverage.count + 1)
        edge += np.bincount(np.where(side < 0, coverage.count, side), coverage.metres, coverage.count + 1)
    few = np.append((area <= NARROW / 2 * edge + 1.0)[:-1], False)
    label = np.where(few[coverage.label], coverage.label, -1)
    made, names = polygons(coverage.nodes, coverage.heads, coverage.tails, label)
    out = np.zeros(coverage.count, bool)
    out[names[narrower(made, NARROW)]] = True
    return out


def dissolve_sheds(
    coverage: Coverage, footprint: Ints, in_part: Ints, shed: Bools
) -> tuple[Coverage, Ints, Ints, Ints]:
    """Join the cell of every shed, and cells too narrow to be ground, to the one with whom they share most border
    in their part.

    Returns coverage, footprint and part of each label, and for each footprint its label (-1: it has none).
    """
    is_shed = np.append(shed, False)[footprint] | _narrow(coverage)
    left, right = coverage.left, coverage.right
    inner = (left >= 0) & (right >= 0)
    a, b, metres = left[inner], right[inner], coverage.metres[inner]
    near = Adjacency(np.concatenate([a, b]), np.concatenate([b, a]), np.tile(metres, 2))
    start = np.where(is_shed, UNKNOWN, np.arange(coverage.count))
    to = spread(start, in_part, near)
    to = np.where(to == UNKNOWN, np.arange(coverage.count), to)
    joined = np.full(len(shed), -1, np.int64)
    has = footprint >= 0
    joined[footprint[has]] = np.flatnonzero(has)
    return merged(coverage, footprint, in_part, joined, to)


def merged(
    coverage: Coverage, footprint: Ints, in_part: Ints, joined: Ints, to: Ints
) -> tuple[Coverage, Ints, Ints, Ints]:
    """Labels that share one ``to`` made one label, which keeps the footprint and the part of that one.

    Returns coverage, footprint and part of each label, and for each footprint its label (-1: it has none).
    """
    known, label = np.unique(to, return_inverse=True)
    side = np.append(label, -1)[coverage.label]
    border = side[0::2] != side[1::2]
    fewer = Coverage(
        coverage.nodes,
        coverage.heads[border],
        coverage.tails[border],
        side.reshape(-1, 2)[border].ravel(),
        coverage.line[border],
        coverage.basis[border],
        len(known),
    )
    return fewer, footprint[known], in_part[known], np.append(label, -1)[joined]
