"""Border segments of a coverage: which atoms each parts, and what street, barrier or given border it runs on."""

from __future__ import annotations

import numpy as np

from gis.blocks.along import line_along
from gis.blocks.coverage import Coverage
from gis.blocks.lines import BASIS_OF_CLASS, Lines
from gis.blocks.model import Segments
from gis.territory.classes import BASIS_INDEX, CLASS_INDEX
from gis.territory.model import Floats, Ints


def border_segments(coverage: Coverage, rank: Ints, line: Ints, lines: Lines) -> tuple[Segments, Floats]:
    """Segments between atoms (``rank[label]`` is the atom of a label), and metres each atom shares with the
    outside. ``line`` names the line below each edge of the coverage or -1."""
    number = np.append(rank, -1)
    left, right = number[coverage.left], number[coverage.right]
    outside = (left < 0) | (right < 0)
    metres = coverage.metres
    outer = np.bincount(np.maximum(left, right)[outside], weights=metres[outside], minlength=len(rank))
    inner = np.flatnonzero(~outside)
    start = coverage.nodes[coverage.heads[inner]] / 100.0
    end = coverage.nodes[coverage.tails[inner]] / 100.0
    line = _streets_on_given(start, end, line[inner], lines)
    kind = np.append(lines.kind, 0)[line].astype(np.int8)
    source = np.append(lines.source, -1)[line]
    moved = (coverage.basis[inner] == BASIS_INDEX["moved"]) & (kind != CLASS_INDEX["community"]) & (kind > 0)
    basis = np.where(moved, BASIS_INDEX["moved"], BASIS_OF_CLASS[kind]).astype(np.int8)
    turn = left[inner] > right[inner]
    start[turn], end[turn] = end[turn], start[turn].copy()
    low, high = np.minimum(left, right)[inner], np.maximum(left, right)[inner]
    place = np.rint(start * 100.0).astype(np.int64)
    order = np.lexsort(((place[:, 0] << 32) + place[:, 1], low * len(rank) + high))
    return Segments(
        low[order].astype(np.int32),
        high[order].astype(np.int32),
        start[order],
        end[order],
        kind[order],
        basis[order],
        source[order].astype(np.int32),
    ), outer.astype(np.float64)


def _streets_on_given(start: Floats, end: Floats, line: Ints, lines: Lines) -> Ints:
    """A given border is a street's where a street runs along it within a metre."""
    given = np.flatnonzero(np.append(lines.kind, 0)[line] == CLASS_INDEX["community"])
    candidates = np.flatnonzero((lines.source >= 0) & (lines.kind > 0))
    if not len(given) or not len(candidates):
        return line
    line = line.copy()
    along = line_along(start[given], end[given], lines.take(candidates))
    line[given] = np.where(along >= 0, candidates[along], line[given])
    return line
