"""Existing door numbers: odd on one side, even on the other, with the gaps that a hundred years leave."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

import numpy as np
import shapely

from data.samples.town.site import Front, Site

REACH: Final = 45.0


def number_doors(site: Site) -> None:
    """Number every front on the nearest named street: from west to east or south to north, left odd, right even.

    Fronts that are not ``numbered`` keep their place in the row but get no number, and now and then a few
    numbers are missing altogether.
    """
    streets = site.town["streets"]
    named = [k for k, row in enumerate(streets.rows) if row["name"] and not row.get("bridge")]
    shapes = np.array([streets.geometry[k] for k in named], dtype=object)
    points = shapely.points([f.point for f in site.fronts])
    front, street = shapely.STRtree(shapes).query_nearest(points, max_distance=REACH, all_matches=False)
    by_name: dict[str, list[Front]] = defaultdict(list)
    for f, s in zip(front.tolist(), street.tolist(), strict=True):
        by_name[streets.rows[named[s]]["name"]].append(site.fronts[f])
    pieces: dict[str, list[Any]] = defaultdict(list)
    for k in named:
        pieces[streets.rows[k]["name"]].append(streets.geometry[k])
    for name, fronts in by_name.items():
        _number_street(site, name, pieces[name], fronts)


def _number_street(site: Site, name: str, pieces: list[Any], fronts: list[Front]) -> None:
    points = shapely.points([f.point for f in fronts])
    along, left = measure(pieces, points)
    for side in (True, False):
        number = 1 if side else 2
        members = np.flatnonzero(left == side)
        for k in members[np.argsort(along[members], kind="stable")]:
            if site.rng.random() < 0.06:
                number += 2 * int(site.rng.integers(1, 5))
            _give(site, fronts[k], name, number)
            number += 2


def measure(pieces: list[Any], points: Any) -> tuple[Any, Any]:
    """Metres along a street from its western or southern end, and whether each point lies to its left."""
    lines = shapely.get_parts(shapely.line_merge(shapely.union_all(pieces)))
    ends = np.array([shapely.get_coordinates(line)[[0, -1]] for line in lines])
    box = shapely.total_bounds(lines)
    axis = np.array([1.0, 0.0]) if box[2] - box[0] >= box[3] - box[1] else np.array([0.0, 1.0])
    backwards = (ends[:, 1] - ends[:, 0]) @ axis < 0
    lines = np.where(backwards, shapely.reverse(lines), lines)
    order = np.argsort(np.minimum(ends[:, 0] @ axis, ends[:, 1] @ axis), kind="stable")
    lines = lines[order]
    before = np.concatenate([[0.0], np.cumsum(shapely.length(lines))[:-1]])
    which = np.argmin(shapely.distance(lines[:, None], points[None, :]), axis=0)
    at = shapely.line_locate_point(lines[which], points)
    a = shapely.get_coordinates(shapely.line_interpolate_point(lines[which], np.maximum(at - 1.0, 0)))
    b = shapely.get_coordinates(shapely.line_interpolate_point(lines[which], at + 1.0))
    p = shapely.get_coordinates(points)
    cross = (b[:, 0] - a[:, 0]) * (p[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (p[:, 0] - a[:, 0])
    return before[which] + at, cross > 0


def _give(site: Site, front: Front, street: str, number: int) -> None:
    if not front.numbered:
        return
    text = f"{number}号"
    if front.row is not None:
        front.row["street"], front.row["housenumber"] = street, text
    site.town["addresses"].add(
        shapely.Point(np.round(front.point, 2)), kind="gate" if front.row is None else "door",
        building=front.row["source_id"] if front.row else None, street=street, housenumber=text,
        compound=front.compound or None,
    )  # fmt: skip
