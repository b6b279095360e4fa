"""Garages and sheds share the atom of the building beside them: joined after cutting, or they distort cells."""

from __future__ import annotations

import numpy as np

from gis.blocks.coverage import UNKNOWN, Adjacency, Coverage, spread
from gis.territory.model import Bools, Ints


def dissolve_sheds(
    coverage: Coverage, footprint: Ints, in_part: Ints, shed: Bools
) -> tuple[Coverage, Ints, Ints, Ints]:
    """Join the cell of every shed to the main building's with whom it shares most border in its part.

    Returns coverage, footprint and part of each label, and for each footprint its label (-1: it has none).
    """
    is_shed = np.append(shed, False)[footprint]
    left, right = coverage.left, coverage.right
    inner = (left >= 0) & (right >= 0)
    a, b, metres = left[inner], right[inner], coverage.metres[inner]
    near = Adjacency(np.concatenate([a, b]), np.concatenate([b, a]), np.tile(metres, 2))
    start = np.where(is_shed, UNKNOWN, np.arange(coverage.count))
    to = spread(start, in_part, near)
    to = np.where(to == UNKNOWN, np.arange(coverage.count), to)
    known, label = np.unique(to, return_inverse=True)
    joined = np.full(len(shed), -1, np.int64)
    has = footprint >= 0
    joined[footprint[has]] = label[has]
    side = np.append(label, -1)[coverage.label]
    border = side[0::2] != side[1::2]
    merged = Coverage(
        coverage.nodes, coverage.heads[border], coverage.tails[border], side.reshape(-1, 2)[border].ravel(),
        coverage.line[border], coverage.basis[border], len(known),
    )
    return merged, footprint[known], in_part[known], joined
