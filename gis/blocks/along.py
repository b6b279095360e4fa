"""Which line of the input, if any, a border runs along within a metre."""

from __future__ import annotations

import numpy as np
import shapely

from gis.blocks.lines import PRIORITY, Lines
from gis.territory.model import Floats, Ints

#: A border is on a centreline or barrier when it lies this near to it, in metres.
ON_LINE = 1.0


def line_along(start: Floats, end: Floats, lines: Lines) -> Ints:
    """Position in ``lines`` of the strongest line at the middle of each segment, -1 for segments of which an
    end or the middle lies further than a metre from every line."""
    out = np.full(len(start), -1, np.int64)
    if not len(start) or not len(lines):
        return out
    tree = shapely.STRtree(lines.geometry)
    near = np.ones(len(start), bool)
    for points in (start, end):
        found = tree.query(shapely.points(points[near]), predicate="dwithin", distance=ON_LINE)[0]
        index = np.flatnonzero(near)
        near[:] = False
        near[index[found]] = True
    index = np.flatnonzero(near)
    middle = shapely.points((start[index] + end[index]) / 2)
    which, line = tree.query(middle, predicate="dwithin", distance=ON_LINE)
    order = np.lexsort((-line, PRIORITY[lines.kind[line]], which))
    out[index[which[order]]] = line[order]
    return out
