"""Which doors a grid holds, said as people say it: 人民路1-35号(单), 和顺二期64-85栋.

A range never takes in a door of another grid: only neighbours along one side of a street (or in one compound) that
have the same owner are joined.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Side = Literal["odd", "even", ""]


@dataclass(frozen=True)
class Door:
    """A premise on a street (``kind`` road) or a building of a compound; ``number`` orders it, ``label`` is shown."""

    kind: Literal["road", "compound"]
    place: str
    number: int
    label: str
    owner: str


@dataclass(frozen=True)
class Range:
    """Doors ``first`` to ``last`` of one place; ``side`` of a street, ``whole``: the owner has all of a place."""

    kind: Literal["road", "compound"]
    place: str
    first: str
    last: str
    side: Side
    doors: int
    whole: bool


def ranges(doors: Sequence[Door]) -> dict[str, list[Range]]:
    """By owner, compounds first, then streets, each in the order of name, side and number.

    A place that is one owner's is one range over both sides.
    """
    places: dict[tuple[str, str], list[Door]] = defaultdict(list)
    for door in doors:
        places[door.kind, door.place].append(door)
    found: dict[str, list[Range]] = defaultdict(list)
    for (kind, _), held in sorted(places.items()):
        whole = len({d.owner for d in held}) == 1
        sides: dict[Side, list[Door]] = defaultdict(list)
        for door in held:
            sides[("odd" if door.number % 2 else "even") if kind == "road" and not whole else ""].append(door)
        for side in ("odd", "even", ""):
            for run in _runs(sides.get(side, [])):
                found[run[0].owner].append(_range(run, side, whole))
    return dict(found)


def _runs(doors: list[Door]) -> list[list[Door]]:
    """Neighbours in the order of their numbers that have one owner; doors of one number lie together."""
    out: list[list[Door]] = []
    for door in sorted(doors, key=lambda d: (d.number, d.owner, d.label)):
        if out and out[-1][-1].owner == door.owner:
            out[-1].append(door)
        else:
            out.append([door])
    return out


def _range(run: list[Door], side: Side, whole: bool) -> Range:
    first, last = run[0], run[-1]
    return Range(first.kind, first.place, first.label, last.label, side, len(run), whole)
