"""Where a street begins to count: at a cardinal direction, the town's centre, a junction or a dead end's entrance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.territory.model import Geometries, Ints

#: Where counting starts: the first word for streets that run east-west, the second for north-south.
Start = Literal["east_north", "east_south", "west_north", "west_south"]
#: From a cardinal direction, outward from the centre, or from the junction with a named street.
Begin = Literal["cardinal", "centre", "junction"]
#: Dead ends count inward from their entrance, or like every other street.
DeadEnd = Literal["entrance", "same"]
#: n rows of two.
Floats2 = NDArray[np.float64]

#: A street meets another within this distance of its centreline.
MEETS_M: Final = 15.0
#: Ends this near to another centreline are junctions.
TOUCHES_M: Final = 2.0


@dataclass(frozen=True)
class Starting:
    """Where streets begin: ``centre`` (in the streets' CRS) for ``centre``, ``junctions`` (street names, the first
    that meets the street counts) for ``junction``; what neither tells begins at its cardinal direction."""

    cardinal: Start = "east_north"
    begin: Begin = "cardinal"
    centre: tuple[float, float] | None = None
    junctions: tuple[str, ...] = ()
    dead_end: DeadEnd = "same"


@dataclass(frozen=True)
class Begun:
    """Whether a street that was put in cardinal order is turned round, and why it begins where it does."""

    reverse: bool
    why: str


def begin(
    streets: Sequence[Sequence[shapely.LineString]],
    names: Sequence[str],
    centrelines: Geometries,
    way_of: Ints,
    starting: Starting,
) -> list[Begun]:
    """For each street (its pieces in cardinal order) whether it is turned round.

    ``centrelines`` are those of the whole input, ``way_of`` the street of each (-1: none).
    """
    found = [Begun(reverse=False, why="cardinal") for _ in streets]
    if starting.begin == "centre" and starting.centre is not None:
        found = [_from_centre(pieces, shapely.Point(starting.centre)) for pieces in streets]
    elif starting.begin == "junction":
        found = _from_junctions(streets, names, starting.junctions)
    if starting.dead_end == "entrance":
        ends = _open_ends(streets, centrelines, way_of)
        for t, (first, last) in enumerate(ends.tolist()):
            if first != last:
                found[t] = Begun(reverse=last, why="entrance")
    return found


def _from_centre(pieces: Sequence[shapely.LineString], centre: Any) -> Begun:
    first, last = _head_and_tail(pieces)
    return Begun(bool(shapely.distance(last, centre) < shapely.distance(first, centre)), "centre")


def _from_junctions(
    streets: Sequence[Sequence[shapely.LineString]], names: Sequence[str], wanted: Sequence[str]
) -> list[Begun]:
    """From the end nearer to the junction with the first of the wanted streets that it meets."""
    whole = [shapely.MultiLineString(list(pieces)) for pieces in streets]
    found = []
    for name, pieces, line in zip(names, streets, whole, strict=True):
        begun = Begun(reverse=False, why="cardinal")
        for junction in wanted:
            others = [w for other, w in zip(names, whole, strict=True) if other == junction != name]
            near = [w for w in others if shapely.distance(line, w) <= MEETS_M]
            if near:
                begun = _at_junction(pieces, shapely.shortest_line(line, min(near, key=line.distance)))
                break
        found.append(begun)
    return found


def _at_junction(pieces: Sequence[shapely.LineString], meeting: Any) -> Begun:
    place = shapely.Point(meeting.coords[0])
    before, total, at = 0.0, sum(p.length for p in pieces), 0.0
    nearest = min(range(len(pieces)), key=lambda k: pieces[k].distance(place))
    for k, piece in enumerate(pieces):
        if k == nearest:
            at = before + piece.project(place)
        before += piece.length
    inside = 0.2 * total < at < 0.8 * total
    return Begun(at > total / 2, "junction_inside" if inside else "junction")


def _open_ends(
    streets: Sequence[Sequence[shapely.LineString]], centrelines: Geometries, way_of: Ints
) -> NDArray[np.bool_]:
    """For each street whether its head and its tail meet another street."""
    points = np.array([_head_and_tail(pieces) for pieces in streets], dtype=object).reshape(-1, 2)
    met = np.zeros(points.shape, dtype=bool)
    usable = np.flatnonzero(~shapely.is_empty(centrelines) & (shapely.length(centrelines) > 0))
    if len(points) == 0 or len(usable) == 0:
        return met
    end, way = shapely.STRtree(centrelines[usable]).query(points.ravel(), predicate="dwithin", distance=TOUCHES_M)
    other = way_of[usable[way]] != end // 2
    met.ravel()[end[other]] = True
    return met


def _head_and_tail(pieces: Sequence[shapely.LineString]) -> tuple[Any, Any]:
    return shapely.Point(pieces[0].coords[0]), shapely.Point(pieces[-1].coords[-1])
