"""Dead ends inside a block that is to be divided, led on to what lies in front of them.

A lane that stops between the houses tells where neighbours part; led on over the last metres it parts the block.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely

from gis.blocks.lines import loose_ends
from gis.territory.model import Bools, Geometries, Ints

#: Metres within which two places are one, and of a footprint that a piece may touch.
SAME: Final = 0.02
TOUCH: Final = 0.5


def led_on(pieces: Geometries, area: Ints, edge: Geometries, obstacles: Geometries, reach: float) -> Geometries:
    """Straight pieces from loose ends to the nearest other line or edge of their part.

    Parameters
    ----------
    pieces
        (n,) LineStrings in metres, cut to the parts they divide.
    area
        (n,) the part that each lies in.
    edge
        (parts,) boundary of every part.
    obstacles
        (m,) footprints; a piece that would run through one is not made.
    reach
        Metres; a loose end farther than this from everything stays one.

    Returns
    -------
    geometries (k,)
        LineStrings of two points, in order of the ends; at most one for each loose end.
    """
    ends, owner = loose_ends(pieces)
    if not len(ends) or reach <= 0:
        return np.zeros(0, object)
    points: Geometries = np.asarray(shapely.points(ends), object)
    end, other = shapely.STRtree(pieces).query(points, predicate="dwithin", distance=reach)
    fits = (other != owner[end]) & (area[other] == area[owner[end]])
    end = np.concatenate([end[fits], np.arange(len(ends))])
    target = np.concatenate([pieces[other[fits]], edge[area[owner]]])
    way = shapely.shortest_line(points[end], target)
    length = shapely.length(way)
    joined = np.zeros(len(ends), bool)
    joined[end[length <= SAME]] = True
    free = ~joined[end] & (length <= reach)
    free[free] = ~_blocked(way[free], obstacles)
    end, way, length = end[free], way[free], length[free]
    order = np.lexsort((np.arange(len(end)), length, end))
    nearest = order[np.unique(end[order], return_index=True)[1]]
    return np.asarray(way[nearest], object)


def _blocked(way: Geometries, obstacles: Geometries) -> Bools:
    """Which ways run through a footprint for more than a touch."""
    out = np.zeros(len(way), bool)
    which, house = shapely.STRtree(obstacles).query(way, predicate="intersects")
    inside = shapely.length(shapely.intersection(way[which], obstacles[house])) > TOUCH
    out[which[inside]] = True
    return out
