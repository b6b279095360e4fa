"""Cutting land, placing footprints: geometry that every quarter of the town is made with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.territory.model import Floats

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Cut:
    """A street made by cutting land: ``depth`` 0 is the first cut of a face."""

    shape: Any
    depth: int


def smaller_pieces(
    land: Any, target: float, rng: np.random.Generator, *, wander: float = 0.0, depth: int = 0
) -> tuple[list[Any], list[Cut]]:
    """Cut a polygon until no piece is much larger than ``target`` square metres.

    Cuts begin and end at vertices of the polygon, so that pieces and streets meet exactly. ``wander`` is how
    far a cut strays from the straight right angle: 0 for a new quarter, about 1 for an old one.
    """
    if land.area < target * rng.uniform(1.25, 1.75):
        return [land], []
    found = _cut_across(land, rng, wander)
    if found is None:
        return [land], []
    path, halves = found
    pieces: list[Any] = []
    cuts = [Cut(shapely.LineString(path), depth)]
    for half in halves:
        more, lines = smaller_pieces(half, target, rng, wander=wander, depth=depth + 1)
        pieces += more
        cuts += lines
    return pieces, cuts


def _cut_across(land: Any, rng: np.random.Generator, wander: float) -> tuple[Points, list[Any]] | None:
    """Vertices of a cut across the long side of ``land`` and what it leaves; None when no cut stays inside."""
    ring = shapely.get_coordinates(land.exterior)[:-1]
    middle, along, _ = axes(land)
    length = np.ptp(ring @ along)
    for attempt in range(24):
        loose = 1 + attempt / 4
        at = middle + along * length * rng.uniform(-0.06 - 0.04 * wander, 0.06 + 0.04 * wander) * loose
        across = rotate(along[None, :], np.pi / 2 + rng.normal(0, 0.16) * wander * loose)[0]
        ideal = shapely.LineString([at - across * 2 * length, at + across * 2 * length]).intersection(land)
        parts = [p for p in shapely.get_parts(ideal) if p.geom_type == "LineString" and p.length > 1]
        for part in sorted(parts, key=lambda p: p.length):
            ends = shapely.get_coordinates(part)[[0, -1]]
            start, end = sorted(int(np.argmin(np.hypot(*(ring - e).T))) for e in ends)
            if not 3 <= end - start <= len(ring) - 3:
                continue
            path = _wandering(ring[start], ring[end], rng, wander if attempt < 16 else 0.1)
            halves = _halves(ring, path)
            if _good(land, path, halves, 0.32 if attempt < 12 else 0.2):
                return path, halves
    return None


def _good(land: Any, path: Points, halves: list[Any], least: float) -> bool:
    """A cut is good when it stays inside and leaves no sliver."""
    if any(not h.is_valid or h.area < least * land.area for h in halves):
        return False
    line = shapely.LineString(path)
    return bool(land.covers(line)) and bool(shapely.length(shapely.intersection(line, land.exterior)) < 0.5)


def _wandering(a: Points, b: Points, rng: np.random.Generator, wander: float) -> Points:
    length = float(np.hypot(*(b - a)))
    count = max(1, round(length / 18))
    t = np.linspace(0, 1, count + 1)[:, None]
    sideways = np.array([-(b - a)[1], (b - a)[0]]) / max(length, 1e-9)
    bow, snake = rng.normal(0, 0.045), rng.normal(0, 0.018)
    swing = wander * length * (bow * np.sin(np.pi * t) + snake * np.sin(2 * np.pi * t))
    path = a + (b - a) * t + sideways * swing
    path[0], path[-1] = a, b
    return np.round(path, 2)


def _halves(ring: Points, path: Points) -> list[Any]:
    """Both polygons of a ring cut along ``path``, whose ends are vertices of the ring in ring order."""
    i = int(np.flatnonzero((ring == path[0]).all(axis=1))[0])
    j = int(np.flatnonzero((ring == path[-1]).all(axis=1))[0])
    first = np.concatenate([ring[i : j + 1], path[::-1][1:-1]])
    second = np.concatenate([ring[j:], ring[: i + 1], path[1:-1]])
    return [shapely.Polygon(first), shapely.Polygon(second)]


def axes(land: Any) -> tuple[Points, Points, tuple[float, float]]:
    """Centre, unit vector of the long axis, and (length, width) of the smallest rectangle around ``land``."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(land))[:4]
    sides = np.roll(corners, -1, axis=0) - corners
    lengths = np.hypot(sides[:, 0], sides[:, 1])
    long = int(np.argmax(lengths[:2]))
    return corners.mean(axis=0), sides[long] / lengths[long], (float(lengths[long]), float(lengths[1 - long]))


def eastward(land: Any) -> float:
    """Angle of the side of ``land`` that runs most nearly to the east, in radians."""
    _, along, _ = axes(land)
    angle = float(np.arctan2(along[1], along[0]))
    return (angle + np.pi / 4) % (np.pi / 2) - np.pi / 4


def rotate(points: Points, angle: float) -> Points:
    """Points turned about the origin."""
    cos, sin = np.cos(angle), np.sin(angle)
    turned: Points = points @ np.array([[cos, sin], [-sin, cos]])
    return turned


@dataclass(frozen=True)
class LocalFrame:
    """Coordinates turned and moved so that a parcel lies square around the origin."""

    origin: Points
    angle: float

    @classmethod
    def of(cls, land: Any) -> LocalFrame:
        """The frame of one parcel."""
        return cls(axes(land)[0], eastward(land))

    def inward_points(self, points: Points) -> Points:
        """Map points in local coordinates."""
        return rotate(points - self.origin, -self.angle)

    def inward(self, shape: Any) -> Any:
        """A map shape in local coordinates."""
        return shapely.transform(shape, self.inward_points)

    def outward(self, shape: Any) -> Any:
        """A local shape in map coordinates, on the 1 cm grid."""
        return shapely.transform(shape, lambda p: np.round(rotate(p, self.angle) + self.origin, 2))


def boxes(x: Floats, y: Floats, width: Floats, depth: Floats) -> Any:
    """Upright rectangles by lower left corner."""
    return shapely.box(x, y, x + width, y + depth)


def polygons_only(shape: Any, least: float = 0.0) -> list[Any]:
    """The polygon parts of a shape above a least area, holes filled."""
    parts = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon" and p.area > least]
    return [shapely.Polygon(p.exterior) for p in parts]


def without_overlaps(footprints: list[Any], blocked: Any = None, allowed: float = 0.4) -> list[int]:
    """Positions of the footprints kept: the first of any two that overlap by more than ``allowed`` m²."""
    if not footprints:
        return []
    shapes = np.array(footprints, dtype=object)
    keep = np.ones(len(shapes), dtype=bool)
    if blocked is not None:
        keep &= ~shapely.intersects(blocked, shapes)
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    later = first < second
    first, second = first[later], second[later]
    clash = shapely.area(shapely.intersection(shapes[first], shapes[second])) > allowed
    for a, b in sorted(zip(first[clash].tolist(), second[clash].tolist(), strict=True)):
        if keep[a] and keep[b]:
            keep[b] = False
    return np.flatnonzero(keep).tolist()


@dataclass(frozen=True)
class Lot:
    """One house on a street: footprint and the middle of its front."""

    shape: Any
    front: tuple[float, float]


def lots_along(
    line: Points, rng: np.random.Generator, *, side: int, back: float, frontage: tuple[float, float],
    depth: tuple[float, float], vacant: float, gap: tuple[float, float] = (0.0, 0.0),
) -> list[Lot]:  # fmt: skip
    """Houses in a row along a polyline, ``back`` metres behind it, to its left (1) or right (-1).

    ``vacant`` is the share of lots left empty, ``gap`` the space between two houses in metres.
    """
    corners: list[list[tuple[float, float]]] = []
    for (ax, ay), (bx, by) in pairwise(line.tolist()):
        length = math.hypot(bx - ax, by - ay)
        if length < frontage[0]:
            continue
        ux, uy = (bx - ax) / length, (by - ay) / length
        nx, ny = -side * uy, side * ux
        at = rng.random() * min(2.5, length - frontage[0])
        while True:
            wide, deep, space, luck = rng.random(4).tolist()
            wide = min(frontage[0] + wide * (frontage[1] - frontage[0]), length - at)
            if wide < frontage[0]:
                break
            if luck >= vacant:
                far = back + depth[0] + deep * (depth[1] - depth[0])
                corners.append([
                    (ax + ux * t + nx * off, ay + uy * t + ny * off)
                    for t, off in ((at, back), (at + wide, back), (at + wide, far), (at, far))
                ])  # fmt: skip
            at += wide + gap[0] + space * (gap[1] - gap[0])
    if not corners:
        return []
    points = np.round(np.array(corners), 2)
    fronts = points[:, :2].mean(axis=1).tolist()
    shapes = np.atleast_1d(np.asarray(shapely.polygons(points), dtype=object))
    return [Lot(shape, (x, y)) for shape, (x, y) in zip(shapes, fronts, strict=True)]
