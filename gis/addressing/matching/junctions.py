"""Corners and stretches of streets said in words: A路与B路交界, A路 C桥至D广场段.

Streets come as named lines in metres; places as named points. The answer is geometry in the same metres.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import shapely

from gis.addressing.matching.names import folded, in_digits, loose
from gis.addressing.parsing.normalise import plain
from gis.territory.model import Geometries, Texts

_JOINT: Final = re.compile("[与和跟同交、/,_&X×-]")
#: Marks that are enough between two streets where nothing else is said.
_CROSS: Final = "/_&X×"
#: What is said around an end of a stretch beside its name.
_END: Final = re.compile(
    "^(?:[自从由]?[东南西北]向[东南西北]|[自从由])|(?:路?口|交叉口|以[东南西北]|[东南西北]侧|附近)$"
)
_MEET: Final = re.compile(
    "(?:的)?(?:相?交界?(?:处)?|交叉(?:路)?口|交汇(?:处)?|交口|(?:十字|丁字|三岔)?路?口)(?![至到~—-])"
)
_FROM_TO: Final = re.compile(
    r"^(?P<road>.+?)[_,(（]*(?:从|由|自)?(?P<from>.+?)(?:至|到|—|~|-)(?P<to>.+?)(?:之间)?(?:的)?(?:路段|段|沿线|区间)?[)）]*$"
)
_BETWEEN: Final = re.compile(r"^(?P<road>.+?)[_,(（]*(?P<from>.+?)(?:与|和)(?P<to>.+?)之间(?:的)?(?:路段|段)?[)）]*$")
#: A corner farther apart than this is none: metres.
_REACH: Final = 60.0
#: A place farther from the street than this does not cut it: metres.
_NEAR: Final = 300.0


@dataclass(frozen=True)
class Place:
    """``geometry`` in metres: points where streets meet, or the stretch of one. ``names`` in the order of the text.

    ``reason`` is "" where the place is sure, else why not.
    """

    kind: Literal["corner", "stretch"]
    names: tuple[str, ...]
    geometry: Any
    reason: str = ""


class Streets:
    """Named lines and named points of one territory, in metres."""

    def __init__(self, name: Texts, geometry: Geometries, place: Texts, point: Geometries) -> None:
        self._lines = _grouped(name, geometry)
        self._points = _grouped(place, point)
        self._find: Callable[[str], Any] = lambda _: None

    def with_places(self, find: Callable[[str], Any]) -> Streets:
        """The same lines; ``find`` knows the points of more places by name, None for an unknown one."""
        made = copy(self)
        made._find = find
        return made

    def place(self, text: str) -> Place | None:
        """The corner or stretch a text says; None when it says none, a Place with a reason when it is not sure."""
        clean = plain(text).upper().strip("_,.;")
        meets = "交" in clean or "口" in clean
        for joint in _JOINT.finditer(clean):
            if not meets and joint[0] not in _CROSS:
                continue
            a = self._street(clean[: joint.start()])
            b = self._street(clean[joint.end() :], start=True) if a else ""
            rest = clean[joint.end() + len(b) :]
            if a and b and (_MEET.match(rest) or joint[0] == "交" or (not rest and joint[0] in _CROSS)):
                return self._corner(a, b)
        for k in range(2, len(clean) - 1 if meets else 0):  # 人民路建设路口: nothing between them
            a = self._street(clean[:k])
            b = self._street(clean[k:], start=True) if a else ""
            if b and _MEET.match(clean[k + len(b) :]):
                return self._corner(a, b)
        for pattern in (_BETWEEN, _FROM_TO):
            found = self._stretches(pattern, clean)
            if found is not None:
                return found
        return None

    def _street(self, text: str, *, start: bool = False) -> str:
        """The street whose name a text ends with (or begins with), the longest one."""
        left = loose(folded(text))
        cuts = range(len(left), 1, -1) if start else range(len(left) - 1)
        for k in cuts:
            name = left[:k] if start else left[k:]
            if name in self._lines:
                return name
        return ""

    def _corner(self, a: str, b: str) -> Place:
        names = (a, b)
        one, other = self._lines[a], self._lines[b]
        if a == b:
            return Place("corner", names, None, "same_street")
        meet = shapely.intersection(one, other)
        if shapely.is_empty(meet):
            gap = float(shapely.distance(one, other))
            if gap > _REACH:
                return Place("corner", names, None, "streets_apart")
            meet = shapely.line_interpolate_point(shapely.shortest_line(one, other), 0.5, normalized=True)
        points = shapely.points(shapely.get_coordinates(meet))
        groups = _clusters(points)
        shape = shapely.multipoints(groups) if len(groups) > 1 else groups[0]
        return Place("corner", names, shape, "several_corners" if len(groups) > 1 else "")

    def _stretches(self, pattern: re.Pattern[str], clean: str) -> Place | None:
        """The road is the longest name the text begins with; its two ends are streets or places."""
        left = loose(clean)
        for k in range(min(len(left), 24), 1, -1):
            if left[:k] not in self._lines:
                continue
            found = pattern.match("路" + clean[k:])
            if found is None:
                continue
            ends = [found["from"], found["to"]]
            return self._stretch(left[:k], ends[0].strip("_,()"), ends[1].strip("_,()"))
        return None

    def _stretch(self, road: str, first: str, last: str) -> Place | None:
        names = (road, first, last)
        line = self._lines[road]
        ends = [self._end(line, e) for e in (first, last)]
        if ends[0] is None and ends[1] is None:
            return None
        if ends[0] is None or ends[1] is None:
            return Place("stretch", names, None, "end_unknown")
        parts = [
            p for p in shapely.get_parts(shapely.line_merge(line)) if all(shapely.distance(p, e) < 1.0 for e in ends)
        ]
        if not parts:
            return Place("stretch", names, None, "streets_apart")
        from shapely.ops import substring

        at = sorted(float(shapely.line_locate_point(parts[0], e)) for e in ends)
        if at[1] - at[0] < 1.0:
            return Place("stretch", names, None, "no_length")
        return Place("stretch", names, substring(parts[0], at[0], at[1]))

    def _end(self, line: Any, name: str) -> Any:
        """An end by its name; 解放 of 解放路段 is 解放路, 建设路口 is at 建设路."""
        bare = _END.sub("", _END.sub("", name))
        for said in (name, f"{name}路", name.removesuffix("口"), bare, f"{bare}路"):
            found = self._cut(line, said) if said else None
            if found is not None:
                return found
        return None

    def _cut(self, line: Any, name: str) -> Any:
        """The point of a line nearest to what a name means; None when unknown or too far."""
        key = loose(folded(name))
        thing = self._lines.get(key)
        if thing is None:
            thing = self._points.get(key)
        if thing is None:
            thing = self._find(name)
        if thing is None or float(shapely.distance(line, thing)) > _NEAR:
            return None
        near = shapely.get_coordinates(shapely.shortest_line(line, thing))[0]
        return shapely.Point(near)


def _grouped(name: Texts, geometry: Geometries) -> dict[str, Any]:
    """All shapes of one name as one."""
    groups: dict[str, list[Any]] = {}
    for n, g in zip(name, geometry, strict=True):
        key = loose(folded(str(n)))
        if key:
            groups.setdefault(key, []).append(g)
    made = {k: _one(v) for k, v in groups.items()}
    for n in {str(n) for n in name}:  # 一段 may be written 1段
        if (key := loose(folded(n))) in made:
            made.setdefault(loose(in_digits(folded(n))), made[key])
    return made


def _one(shapes: list[Any]) -> Any:
    whole = shapely.union_all(np.array(shapes, dtype=object))
    return shapely.line_merge(whole) if whole.geom_type.endswith("LineString") else whole


def _clusters(points: Any, reach: float = _REACH) -> list[Any]:
    """One point for every group of points near each other: carriageways meet several times at one crossing."""
    left, groups = list(points), []
    while left:
        seed = left.pop(0)
        group: list[Any] = [seed]
        rest: list[Any] = []
        for p in left:
            (group if shapely.distance(seed, p) <= reach else rest).append(p)
        left = rest
        groups.append(shapely.centroid(shapely.multipoints(group)))
    return groups
