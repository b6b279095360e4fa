"""Doors (出入口): the gates of compounds and the doors of buildings on a street, each with a number.

The main door stands for its building or compound: where it is, the number counts. Every further door on a street
has a number of its own, an attached one (12附1), or none, as the ruleset says. Doors of units (1单元) open into a
compound or a stair and are no street doors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from gis.addressing import compose, doornumbers
from gis.addressing.compose import Parts, Patterns, Style
from gis.addressing.doornumbers import Key
from gis.addressing.rules import Rule
from gis.territory.model import Bools, Columns, Floats, Geometries, Ints, Texts

_UNIT: Final = re.compile(r"单元|单位|unit|stair", re.IGNORECASE)


@dataclass(frozen=True)
class Doors(Columns):
    """Doors, one row each: ``building`` and ``compound`` are positions or -1; ``street`` and ``housenumber`` what a
    door already has, or ""; ``name`` as people say it (东门, 2单元)."""

    geometry: Geometries  # Point
    source_id: Texts
    building: Ints
    compound: Ints
    name: Texts
    street: Texts
    housenumber: Texts


@dataclass(frozen=True)
class DoorNumbers:
    """Numbers of further doors, one row each: ``door`` is its row, ``building`` the building behind it."""

    door: Ints
    building: Ints
    compound: Ints
    thoroughfare: Ints
    number: Texts
    base: Ints
    station: Floats
    right: Bools
    kept: Bools
    text: Texts


def no_doors() -> Doors:
    """None are known."""
    none, blank = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=object)
    return Doors(blank, blank, none, none, blank, blank, blank)


def street_doors(doors: Doors, compound_of: Ints) -> Bools:
    """Doors that open on a street: gates of compounds, doors of buildings outside compounds, none of a unit."""
    unit = np.array([bool(_UNIT.search(str(n))) for n in doors.name], dtype=bool)
    inside = (doors.building >= 0) & (np.r_[compound_of, -1][doors.building] >= 0) & (doors.housenumber == "")
    return np.asarray(~unit & ~inside & ((doors.building >= 0) | (doors.compound >= 0)), dtype=bool)


def main_doors(doors: Doors, owner: Ints, number: Texts, named: Geometries) -> dict[int, int]:
    """The main door of every item that has one: a numbered one first, then the nearest to a named centreline.

    ``owner`` is the item of each door (-1: none), ``number`` what items have ("": none): a door that says another
    number than its item is a door of its own.
    """
    away = np.full(len(doors), np.inf)
    if len(named) and len(doors):
        row, distance = shapely.STRtree(named).query_nearest(doors.geometry, all_matches=False, return_distance=True)
        away[row[0]] = distance
    order = np.lexsort((doors.source_id.astype(str), away, doors.housenumber == ""))
    found: dict[int, int] = {}
    for d in order.tolist():
        k = int(owner[d])
        if k >= 0 and not (number[k] and doors.housenumber[d] and bare(number[k]) != bare(doors.housenumber[d])):
            found.setdefault(k, d)
    return found


def bare(number: str) -> str:
    """A number as written, without its 号."""
    return str(number).strip().rstrip("号號")


def attached(text: str, key: Key, used: set[Key], written: set[str], rule: Rule) -> tuple[Key, str]:
    """The first free attached number below a parent's; what is taken is added to ``used`` and ``written``."""
    n = 1
    while (
        (*key, n) in used
        or doornumbers.below(text, key, n, infill=rule.infill) in written
        or (rule.infill == "dash" and text.isdigit() and not doornumbers.reads_as(f"{text}-{n}", (*key, n)))
    ):
        n += 1
    found = doornumbers.below(text, key, n, infill=rule.infill)
    used.add((*key, n))
    written.add(found)
    return (*key, n), found


def texts_of(
    roads: list[str], numbers: Texts, compounds: list[str], names: Texts, style: Style, patterns: Patterns
) -> Texts:
    """Standard text of each door: road, number, then compound and the door's own name."""
    said = np.array([""] * len(roads), dtype=object)
    for k, (road, number, compound, name) in enumerate(zip(roads, numbers, compounds, names, strict=True)):
        text = compose.road_text(Parts(road=road, number=str(number), compound=compound), style, patterns)
        told = re.fullmatch(rf"{re.escape(bare(number))}[号號]?(?: \(\d+\))?", str(name))  # the number once more
        said[k] = text + (str(name) if text and compound and not told else "")
    return said
