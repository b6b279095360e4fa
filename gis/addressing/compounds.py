"""Building numbers (栋) inside compounds, villager groups and communities.

Buildings that carry a number keep it. The first time, the others are numbered row by row in serpentine order
(弓字形) from one corner, north-east by default (Beijing 2012); where a place already has numbers, new ones go on
after the highest, so that nothing is ever renumbered.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import shapely

from gis.addressing import doornumbers
from gis.addressing.breaks import MISMATCH, SHARED, Break
from gis.territory.model import Floats, Geometries, Ints, Texts

Corner = Literal["north_east", "north_west", "south_east", "south_west"]
CORNERS: Final = ("north_east", "north_west", "south_east", "south_west")

_NUMBERED = re.compile(r"(?:第)?([0-9]{1,4}|[一二三四五六七八九十百]{1,5}|[A-Za-z])(?:[#号]?(?:栋|幢|座|号楼|楼)|#)")


@dataclass(frozen=True)
class Blocks:
    """For each of n buildings: its number inside its place (``"3"``, ``"A"``; "" where it lies in none)."""

    number: Texts
    breaks: tuple[Break, ...]


def read_number(name: str) -> str:
    """The building number a name states (3栋, 十二号楼, A座), or ""."""
    clean = unicodedata.normalize("NFKC", name[:80]).replace(" ", "")
    found = _NUMBERED.fullmatch(clean) or _NUMBERED.search(clean)
    if not found:
        return ""
    text = found[1]
    return text.upper() if text.isascii() else str(doornumbers.chinese(text))


def number(
    footprints: Geometries,
    place: Ints,
    known: Texts,
    *,
    corner: Corner = "north_east",
    identity: Texts | None = None,
    there_and_back: bool = True,
) -> Blocks:
    """Number the buildings of each place (-1: none); ``known`` holds the number a building already has, or "".

    ``there_and_back``: serpentine rows 弓字形; else every row begins on the corner's side.
    """
    numbers = np.where(place >= 0, known, "").astype(object)
    members: dict[int, list[int]] = defaultdict(list)
    for i in np.flatnonzero(place >= 0).tolist():
        members[int(place[i])].append(i)
    boxes = np.asarray(shapely.bounds(footprints), dtype=np.float64)
    breaks: list[Break] = []
    for rows in members.values():
        inside = np.array(rows)
        tie = np.arange(len(rows)) if identity is None else np.argsort(np.argsort(identity[inside].astype(str)))
        ordered = inside[serpentine(boxes[inside], corner=corner, tie=tie, there_and_back=there_and_back)]
        _number_place(ordered, numbers, breaks)
    return Blocks(numbers, tuple(sorted(breaks, key=lambda b: (b.item, b.reason))))


def _number_place(ordered: Ints, numbers: Texts, breaks: list[Break]) -> None:
    taken: dict[str, int] = {}
    for i in ordered:
        if numbers[i] and numbers[i] in taken:
            breaks.append(Break(int(i), SHARED, "building_duplicate", str(numbers[i])))
        elif numbers[i]:
            taken[str(numbers[i])] = int(i)
    following = max((int(n) for n in taken if n.isdigit()), default=0) + 1
    for i in ordered:
        if not numbers[i]:
            numbers[i] = str(following)
            following += 1


def serpentine(
    boxes: Floats, *, corner: Corner = "north_east", tie: Ints | None = None, there_and_back: bool = True
) -> Ints:
    """Order of n boxes (minx, miny, maxx, maxy): rows from one side, there and back along them."""
    if len(boxes) == 0:
        return np.zeros(0, dtype=np.int64)
    middle = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2], axis=1)
    from_north, from_east = corner.startswith("north"), corner.endswith("east")
    down = -middle[:, 1] if from_north else middle[:, 1]
    across = -middle[:, 0] if from_east else middle[:, 0]
    tie = np.arange(len(boxes)) if tie is None else tie
    tall = float(np.median(boxes[:, 3] - boxes[:, 1]))
    order = np.lexsort((tie, across, down))
    row = np.zeros(len(boxes), dtype=np.int64)
    start, current = down[order[0]], 0
    for i in order:
        if down[i] - start > max(0.75 * tall, 3.0):
            current += 1
            start = down[i]
        row[i] = current
    along = np.where(row % 2 == 0, across, -across) if there_and_back else across
    return np.asarray(np.lexsort((tie, along, row)), dtype=np.int64)


def duplicates_of_places(names: Texts, division: Ints) -> tuple[Break, ...]:
    """Places of one name in one division: their addresses could be mistaken for each other."""
    seen: dict[tuple[str, int], int] = {}
    found = []
    for i, (name, of) in enumerate(zip(names, division, strict=True)):
        if name and (str(name), int(of)) in seen:
            found.append(Break(i, MISMATCH, "place_name_twice", str(name)))
        elif name:
            seen[(str(name), int(of))] = i
    return tuple(found)
