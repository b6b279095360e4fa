"""Numbering rulesets 门牌编号规则: one place's practice of numbering doors, as data.

A ruleset is a TOML file (data/numbering/*.toml); every word is explained in docs/numbering.md. An unknown word, a
value of the wrong type or one that excludes another raises ``InputError`` naming the field.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any, Final, Literal

from gis.addressing.compose import Patterns
from gis.addressing.compounds import CORNERS, Corner
from gis.addressing.doornumbers import LARGEST, Infill
from gis.addressing.starts import Begin, DeadEnd, Start, Starting
from gis.districting.ruleset_reader import Reader, typed
from gis.errors import InputError

#: How numbers follow each other: one after the other, with numbers left for empty frontage, or metres from the start.
Mode = Literal["sequential", "gaps", "metric"]
#: The odd side: of every street in counting direction, or by the compass.
OddSide = Literal["right", "left", "compass"]
#: Entrances beyond the first of a building or compound: numbers of their own, attached ones (12附1), or none.
Doors = Literal["own", "attached", "none"]

_DATUMS: Final = ("wgs84", "cgcs2000", "gcj02", "bd09")
_ROOM_FIELD: Final = re.compile(r"\{(floor|room|unit)(?::0?[1-4])?\}")


@dataclass(frozen=True)
class Rule:
    """One place's practice.

    Counting: ``start`` (cardinal directions), ``begin`` (cardinal, centre, junction) with ``centre`` (datum,
    longitude, latitude) or ``junctions`` (street names, the first that meets the street), ``dead_end``.
    Sides: ``odd_right`` (seen in counting direction) or by the compass (``odd`` "compass": ``odd_across`` for
    streets that run east-west, ``odd_along`` for north-south ones); ``dead_end_odd`` for dead ends.
    Numbers: ``mode``, ``first``, ``largest``, ``unit_m`` metres a number (metric), ``reserve`` numbers left after
    every door and one for each ``frontage_m`` metres without a door (gaps), ``skip``, ``infill``.
    """

    name: str = "beijing2012"
    start: Start = "east_north"
    odd_right: bool = True
    infill: Infill = "attached"
    skip: frozenset[int] = frozenset()
    mode: Mode = "sequential"
    first: int = 1
    largest: int = LARGEST
    unit_m: float = 1.0
    reserve: int = 0
    frontage_m: float = 0.0
    one_sided: Literal["parity", "consecutive"] = "parity"
    begin: Begin = "cardinal"
    centre: tuple[str, float, float] | None = None
    junctions: tuple[str, ...] = ()
    dead_end: DeadEnd = "same"
    odd: OddSide = "right"
    odd_across: Literal["north", "south"] = "north"
    odd_along: Literal["west", "east"] = "west"
    dead_end_odd: Literal["right", "left", "same"] = "same"
    corner: Corner = "north_east"
    serpentine: bool = True
    doors: Doors = "own"
    patterns: Patterns = Patterns()  # noqa: RUF009 - frozen
    title: str = ""
    verified: bool = True
    sources: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()

    def starting(self, centre: tuple[float, float] | None = None) -> Starting:
        """Where streets begin to count; ``centre`` in the streets' own CRS."""
        return Starting(self.start, self.begin, centre, self.junctions, self.dead_end)


class _Reader(Reader):
    """The words of a ruleset, and lists of whole numbers."""

    def wholes(self, table: str, word: str) -> tuple[int, ...]:
        """A list of whole numbers, 0 or more."""
        values = self._typed(table, word, (list,), [])
        for value in values:
            if typed(value, f"{table}.{word}", (int,)) < 0:
                raise InputError("ruleset_negative", field=f"{table}.{word}", value=value)
        return tuple(int(v) for v in values)


def parse(data: bytes) -> Rule:
    """Read a numbering ruleset from the bytes of its TOML file; ``InputError`` names the field at fault."""
    try:
        tables = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InputError("ruleset_not_utf8", byte=error.start) from error
    except tomllib.TOMLDecodeError as error:
        raise InputError("ruleset_not_toml", fault=str(error)) from error
    read = _Reader(tables)
    rule = _rule(read)
    read.refuse_the_rest()
    _check(rule)
    return rule


def words() -> tuple[str, ...]:
    """Every word a numbering ruleset may hold, as ``table.word``: what docs/numbering.md must explain."""
    read = _Reader({"ruleset": {"name": "least", "title": "", "verified": False}})
    _rule(read)
    return read.known


def _rule(read: _Reader) -> Rule:
    odd = read.word("sides", "odd", ("right", "left", "compass"), "right")
    across = read.word("start", "east_west", ("east", "west"), "east")
    along = read.word("start", "north_south", ("north", "south"), "north")
    start: Any = f"{across}_{along}"
    return Rule(
        name=read.text("ruleset", "name"),
        title=read.text("ruleset", "title"),
        verified=read.flag("ruleset", "verified"),
        sources=read.texts("ruleset", "sources"),
        unverified=read.texts("ruleset", "unverified"),
        start=start,
        begin=read.word("start", "begin", ("cardinal", "centre", "junction"), "cardinal"),
        centre=_centre(read.text("start", "centre", "")),
        junctions=read.texts("start", "junctions"),
        dead_end=read.word("start", "dead_end", ("entrance", "same"), "same"),
        odd=odd,
        odd_right=odd != "left",
        odd_across=read.word("sides", "east_west", ("north", "south"), "north"),
        odd_along=read.word("sides", "north_south", ("west", "east"), "west"),
        dead_end_odd=read.word("sides", "dead_end", ("right", "left", "same"), "same"),
        one_sided=read.word("sides", "one_sided", ("parity", "consecutive"), "parity"),
        mode=read.word("numbers", "mode", ("sequential", "gaps", "metric"), "sequential"),
        first=read.whole("numbers", "first", 1),
        largest=read.whole("numbers", "largest", LARGEST),
        unit_m=read.number("numbers", "unit_m", 1.0),
        reserve=read.whole("numbers", "reserve", 0),
        frontage_m=read.number("numbers", "frontage_m", 0.0),
        skip=frozenset(read.wholes("numbers", "skip")),
        infill=read.word("infill", "form", ("attached", "dash", "letter", "stem"), "attached"),
        doors=read.word("entrances", "numbers", ("own", "attached", "none"), "own"),
        corner=read.word("compounds", "corner", CORNERS, "north_east"),
        serpentine=read.word("compounds", "order", ("serpentine", "rows"), "serpentine") == "serpentine",
        patterns=Patterns(
            building=read.text("compounds", "building", "{building}栋"),
            unit=read.text("homes", "unit", "{unit}单元"),
            room=read.text("homes", "room", "{number}室"),
            number=read.text("homes", "number", "{floor}{room:02}"),
            unit_letters=read.word("homes", "units", ("numbers", "letters"), "numbers") == "letters",
            skip_floors=read.wholes("homes", "skip_floors"),
            across=read.word("homes", "east_west", ("west", "east"), "west"),
            along=read.word("homes", "north_south", ("north", "south"), "north"),
        ),
    )


def _centre(text: str) -> tuple[str, float, float] | None:
    """``"wgs84 112.9388 28.2282"``: datum, longitude, latitude."""
    if not text:
        return None
    datum, *numbers = text.split()
    try:
        lon, lat = (float(n) for n in numbers)
    except ValueError:
        lon = lat = 1000.0
    if datum not in _DATUMS or not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise InputError("ruleset_choice", field="start.centre", value=text, allowed=f"{'|'.join(_DATUMS)} LON LAT")
    return datum, lon, lat


def _check(rule: Rule) -> None:
    """Words that exclude each other, and patterns that lose what they are to tell."""
    if rule.begin == "junction" and not rule.junctions:
        raise InputError("ruleset_missing", field="start.junctions")
    if rule.first < 1:
        raise InputError("ruleset_bounds", field="numbers.first", minimum=rule.first, maximum=rule.largest)
    if not rule.first <= rule.largest <= LARGEST:
        raise InputError("ruleset_bounds", field="numbers.largest", minimum=rule.first, maximum=rule.largest)
    if rule.mode == "metric" and rule.unit_m <= 0:
        raise InputError("ruleset_missing", field="numbers.unit_m")
    if rule.mode == "gaps" and not (rule.reserve or rule.frontage_m):
        raise InputError("ruleset_missing", field="numbers.frontage_m")
    p = rule.patterns
    for field, pattern, wanted in (
        ("compounds.building", p.building, "{building}"),
        ("homes.unit", p.unit, "{unit}"),
        ("homes.room", p.room, "{number}"),
    ):
        if pattern.count(wanted) != 1 or re.search(r"[{}]", pattern.replace(wanted, "")):
            raise InputError("ruleset_template", field=field, value=pattern)
    fields = {m[1] for m in _ROOM_FIELD.finditer(p.number)}
    if re.search(r"\}\{room(?::0?1)?\}|\{room(?::0?1)?\}\{", p.number):  # 1 + 11 and 11 + 1 would be one number
        raise InputError("ruleset_template", field="homes.number", value=p.number)
    if not {"floor", "room"} <= fields or re.search(r"[{}]", _ROOM_FIELD.sub("", p.number)):
        raise InputError("ruleset_template", field="homes.number", value=p.number)
