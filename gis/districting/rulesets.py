"""Rulesets 划分规则: one place's practice as data, checked word by word.

A ruleset is a TOML file. Every table and word is known here: an unknown one, a value of the wrong type, bounds
that exclude each other or a negative weight raise ``InputError`` naming the field as ``table.word``.
"""

from __future__ import annotations

import hashlib
import math
import re
import tomllib
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import numpy as np

from gis.districting.ruleset_reader import Reader, amount, checked_bounds, typed
from gis.errors import InputError
from gis.territory.classes import BARRIER_KINDS, BORDER_CLASSES, COMMUNITY, NONE
from gis.territory.model import Floats

#: What the bounds count: every household, only those that live there (常住户), or building units 楼栋单元: bundles
#: of about so many households, one large building or several small ones.
Count = Literal["all", "resident", "building_units"]
#: Villages: like towns; whole villager groups joined to grids; each group cut for itself.
RuralRule = Literal["none", "join_groups", "split_groups"]
#: What is balanced between grids: the counted households, or weighted work 工作量.
Balance = Literal["counted", "work"]

#: Which price of the ruleset a street class has; every other street (and lane) is a lesser one.
PRICE_OF_STREET: Final[dict[str, str]] = {
    "motorway": "primary",
    "trunk": "primary",
    "primary": "primary",
    "secondary": "secondary",
    "tertiary": "secondary",
}
PRICE_WORDS: Final[tuple[str, ...]] = ("cell", "residential", "secondary", "primary", *BARRIER_KINDS, COMMUNITY)

#: Kinds of places that may become a dedicated grid 专属网格; which uses and tags mean them: gis.territory.sites.
SITE_KINDS: Final[tuple[str, ...]] = (
    "school", "campus", "hospital", "mall", "market", "park", "enterprise", "government", "station",
)  # fmt: skip

#: A field of the code template: ``{county:6}``, ``{street:3}``, ``{community:3}``, ``{division:12}``, ``{object:6}``,
#: ``{number:n}``.
CODE_FIELD: Final = re.compile(r"\{(object:6|county:6|street:3|community:3|division:12|number:[1-9])\}")

#: What a figure of a place may be of, for the comparison with a plan: the mean of its residential grids.
FIGURE_MEASURES: Final[tuple[str, ...]] = (
    "", "households", "building_units", "people", "buildings", "km2", "micro_grids", "micro_households",
)  # fmt: skip
#: ``rule``: what is prescribed; ``practice``: what is counted there; ``check``: arithmetic only.
FIGURE_ROLES: Final[tuple[str, ...]] = ("rule", "practice", "check")


@dataclass(frozen=True)
class Bounds:
    """Households a grid may hold (or grids a community); ``target`` is what balance aims at."""

    minimum: int
    target: int
    maximum: int


@dataclass(frozen=True)
class Figure:
    """A published figure of a place and how it comes about: the product of ``numbers`` over ``divided_by``."""

    what: str
    role: str  # rule | practice | check
    measure: str  # of one grid, one of FIGURE_MEASURES; "": not comparable with a plan
    numbers: tuple[float, ...]
    divided_by: float
    gives: float
    title_en: str = ""  # ``what`` in English; "": not given

    def title(self, language: str) -> str:
        """What the figure is of, in a language where the file says it, else as the file says it."""
        return self.title_en if self.title_en and language == "en" else self.what

    @property
    def arithmetic(self) -> str:
        """How the figure comes about: ``87911 / 211``."""
        product = " × ".join(f"{n:g}" if abs(n) < 1 else f"{n:.10g}" for n in self.numbers)
        return product if self.divided_by == 1 else f"{product} / {self.divided_by:.10g}"


@dataclass(frozen=True)
class Ruleset:
    """One place's rules. Prices are costs of one metre of border; weights are costs in the same unit.

    The objective of a plan is the sum of four terms, all in *priced metres* (a metre along a residential
    street costs ``prices["residential"]``):

    - border: metres between two grids x price of their class;
    - balance: ``balance`` x sum over grids of ((load - target) / half the range) squared;
    - compactness: ``compactness`` x sum over grids of (1 - 4 pi area / perimeter squared);
    - range: ``outside`` x households above the maximum or below the minimum;
    - compound: ``compound`` x metres between two grids inside one compound 小区 (buildings are never cut: atoms hold
      them whole).
    """

    name: str
    title: str
    verified: bool  # False: 未核对, not checked against the standard's own text
    sources: tuple[str, ...]
    count: Count
    strict: bool  # False: a grid out of range is a warning, not a fault
    residential: Bounds
    rural_rule: RuralRule
    rural: Bounds
    dedicated: bool  # grids without households may be 专属网格
    communities: Bounds  # how many grids a community holds, where the input gives no communities
    prices: dict[str, float]
    balance: float
    balance_on: Balance
    compactness: float
    outside: float
    code: str
    dedicated_from: int  # first running number of dedicated grids
    grid_name: str  # "{ordinal}" is 一, 二, 三 ...; "{number}" is 1, 2, 3 ...
    digest: str  # SHA-256 of the file
    micro: Bounds | None = None  # households of a micro-grid 微网格; None: there is no second level
    building_unit: int = 0  # households of a building unit 楼栋单元; 0: the bounds are not given in them
    dedicated_kinds: tuple[str, ...] = ()  # of SITE_KINDS: places that become grids of their own
    dedicated_area: float = 0.0  # square metres below which a place does not
    household_work: float = 1.0  # work of one counted household
    work: dict[str, float] = field(default_factory=dict)  # by column without ``work_``; columns left out weigh 1
    persons: float = 0.0  # people of one household; 0: not known
    people: Bounds | None = None  # people of a residential grid: a grid outside is warned about, never refused
    figures: tuple[Figure, ...] = ()
    object_code: str = ""  # the six digits before the county in CJ/T 349
    merged_from: int = 601  # first community number of a grid area joined from several communities
    undivided_zero: bool = False  # a community of a single grid has running number 0
    dedicated_name: str = ""  # "{site}" is the name of the place; "": as other grids
    template_digits: int = 3  # digits of the running number in ``code``
    unverified: tuple[str, ...] = ()  # words (``table.word``) or tables that are 未核对, whatever ``verified`` says
    moved: float = 100.0  # priced metres that a household costs which an adjustment 动态调整 gives to another grid
    compound: float = 2.0  # what a metre of border inside a compound 小区 costs beside its price

    def class_prices(self) -> Floats:
        """Price of a metre by position in ``BORDER_CLASSES``."""
        return np.array([self.prices[_price_word(name)] for name in BORDER_CLASSES])

    def community_bounds(self) -> Bounds:
        """Counted households of the communities that are cut where the input gives none."""
        grid = self.residential.target
        c = self.communities
        return Bounds(c.minimum * grid, c.target * grid, c.maximum * grid)

    def with_bounds(
        self, minimum: int | None = None, maximum: int | None = None, target: int | None = None
    ) -> Ruleset:
        """The same rules with other residential bounds (``--min --max --target``).

        A target that is left out stays when it lies within the new bounds, else it is their middle.
        Raises ``InputError`` when the bounds exclude each other.
        """
        low = self.residential.minimum if minimum is None else minimum
        high = self.residential.maximum if maximum is None else maximum
        aim = target
        if aim is None:
            aim = self.residential.target if low <= self.residential.target <= high else (low + high) // 2
        return replace(self, residential=Bounds(*checked_bounds("residential", low, aim, high)))


def parse(data: bytes) -> Ruleset:
    """Read a ruleset from the bytes of its TOML file; raises ``InputError`` naming the field at fault."""
    try:
        tables = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InputError("ruleset_not_utf8", byte=error.start) from error
    except tomllib.TOMLDecodeError as error:
        raise InputError("ruleset_not_toml", fault=str(error)) from error
    read = Reader(tables, rows=("figures",))
    ruleset = _ruleset(read, hashlib.sha256(data).hexdigest())
    read.refuse_the_rest()
    _check_templates(ruleset)
    _check_agreement(ruleset, read.known)
    return ruleset


def words() -> tuple[str, ...]:
    """Every word that a ruleset file may hold, as ``table.word``: what docs/rulesets.md must explain."""
    read = Reader(tomllib.loads(_LEAST))
    _ruleset(read, "")
    return read.known


_FIGURE_WORDS: Final = ("what", "title_en", "role", "measure", "numbers", "divided_by", "gives")

#: The words that no file may leave out.
_LEAST: Final = """
[ruleset]
name = "least"
title = ""
verified = false
[residential]
count = "all"
minimum = 1
maximum = 2
[prices]
cell = 4
residential = 1
secondary = 1
primary = 1
water = 1
rail = 1
wall = 1
community = 0
[weights]
balance = 0
"""


def _ruleset(read: Reader, digest: str) -> Ruleset:
    read.know(*(f"figures.{word}" for word in _FIGURE_WORDS))
    count = read.word("residential", "count", ("all", "resident", "building_units"))
    unit = read.whole("building_units", "households", 0)
    if count == "building_units" and unit < 1:
        raise InputError("ruleset_missing", field="building_units.households")
    of_unit = unit if count == "building_units" else 1
    residential = _bounds(read, "residential", of_unit)
    if residential is None:
        raise InputError("ruleset_missing", field="residential.minimum")
    code = read.text("codes", "template", default="{division:12}{number:3}")
    width = re.search(r"\{number:([1-9])\}", code)
    return Ruleset(
        name=read.text("ruleset", "name"),
        title=read.text("ruleset", "title"),
        verified=read.flag("ruleset", "verified"),
        sources=read.texts("ruleset", "sources"),
        count=count,
        strict=read.flag("residential", "strict", default=True),
        residential=residential,
        rural_rule=read.word("rural", "rule", ("none", "join_groups", "split_groups"), default="none"),
        rural=_bounds(read, "rural", of_unit) or residential,
        dedicated=read.flag("dedicated", "allowed", default=False),
        communities=_bounds(read, "communities", 1) or Bounds(4, 6, 8),
        prices={word: read.number("prices", word) for word in PRICE_WORDS},
        balance=read.number("weights", "balance"),
        balance_on=read.word("weights", "balance_on", ("counted", "work"), default="counted"),
        compactness=read.number("weights", "compactness", default=0.0),
        outside=read.number("weights", "outside", default=400.0),
        compound=read.number("weights", "compound", default=2.0),
        code=code,
        dedicated_from=read.whole("codes", "dedicated_from", default=901),
        grid_name=read.text("names", "grid", default="第{ordinal}网格"),
        digest=digest,
        micro=_bounds(read, "micro", 1),
        building_unit=unit,
        dedicated_kinds=read.texts("dedicated", "kinds", SITE_KINDS),
        dedicated_area=read.number("dedicated", "minimum_area", default=0.0),
        household_work=read.number("work", "household", default=1.0),
        work=read.free_numbers("work"),
        persons=read.number("population", "per_household", default=0.0),
        people=_bounds(read, "population", 1),
        figures=tuple(_figure(row, number) for number, row in enumerate(read.rows("figures"), 1)),
        object_code=read.text("codes", "object", default=""),
        merged_from=read.whole("codes", "merged_from", default=601),
        undivided_zero=read.flag("codes", "undivided_zero", default=False),
        dedicated_name=read.text("names", "dedicated", default=""),
        template_digits=int(width[1]) if width else 0,
        unverified=read.texts("ruleset", "unverified"),
        moved=read.number("adjust", "moved", default=100.0),
    )


def _bounds(read: Reader, table: str, times: int) -> Bounds | None:
    found = read.bounds(table)
    return None if found is None else Bounds(*(times * n for n in found))


def _figure(row: dict[str, Any], number: int) -> Figure:
    """One row of ``[[figures]]``; raises where the arithmetic does not give what it says."""
    where = f"figures[{number}]"
    for word in row:
        if word not in _FIGURE_WORDS:
            raise InputError("ruleset_unknown_word", field=f"{where}.{word}")
    for word in ("what", "numbers", "gives"):
        if word not in row:
            raise InputError("ruleset_missing", field=f"{where}.{word}")
    for word, default, allowed in (("role", "check", FIGURE_ROLES), ("measure", "", FIGURE_MEASURES)):
        if row.get(word, default) not in allowed:
            raise InputError(
                "ruleset_choice",
                field=f"{where}.{word}",
                value=row[word],
                allowed=" | ".join(a for a in allowed if a),
            )
    numbers = tuple(amount(n, f"{where}.numbers") for n in typed(row["numbers"], f"{where}.numbers", (list,)))
    divisor, gives = (amount(row.get(w, 1), f"{where}.{w}") for w in ("divided_by", "gives"))
    figure = Figure(
        what=str(row["what"]),
        role=str(row.get("role", "check")),
        measure=str(row.get("measure", "")),
        numbers=numbers,
        divided_by=divisor,
        gives=gives,
        title_en=str(row.get("title_en", "")),
    )
    decimals = len(str(row["gives"]).partition(".")[2])
    if not divisor or abs(math.prod(numbers) / divisor - gives) > 0.5000001 * 10**-decimals:
        raise InputError("ruleset_figure", field=where, arithmetic=figure.arithmetic, gives=f"{gives:g}")
    return figure


def _price_word(border_class: str) -> str:
    if border_class == NONE:
        return "cell"
    if border_class in PRICE_WORDS:
        return border_class
    return PRICE_OF_STREET.get(border_class.removesuffix("_link"), "residential")


def _check_templates(ruleset: Ruleset) -> None:
    rest = CODE_FIELD.sub("", ruleset.code)
    if ruleset.code.count("{number:") != 1 or not re.fullmatch(r"[0-9A-Za-z-]*", rest):
        raise InputError("ruleset_template", field="codes.template", value=ruleset.code)
    if "{object:6}" in ruleset.code and not re.fullmatch(r"[0-9]{6}", ruleset.object_code):
        raise InputError("ruleset_template", field="codes.object", value=ruleset.object_code or '""')
    if ruleset.dedicated and ruleset.dedicated_from >= 10**ruleset.template_digits:
        raise InputError("ruleset_template", field="codes.dedicated_from", value=ruleset.dedicated_from)
    if not 1 <= ruleset.merged_from <= 999:
        raise InputError("ruleset_template", field="codes.merged_from", value=ruleset.merged_from)
    if "{ordinal}" not in ruleset.grid_name and "{number}" not in ruleset.grid_name:
        raise InputError("ruleset_template", field="names.grid", value=ruleset.grid_name)
    for word, name, known in (
        ("grid", ruleset.grid_name, r"\{(ordinal|number)\}"),
        ("dedicated", ruleset.dedicated_name, r"\{(ordinal|number|site)\}"),
    ):
        if re.search(r"[{}]", re.sub(known, "", name)):
            raise InputError("ruleset_template", field=f"names.{word}", value=name)


def _check_agreement(ruleset: Ruleset, known: tuple[str, ...]) -> None:
    """Words that cannot hold together, and marks of 未核对 on what is not there."""
    if ruleset.dedicated_kinds and not ruleset.dedicated:
        raise InputError("ruleset_contradiction", field="dedicated.kinds", other="dedicated.allowed")
    if ruleset.people is not None and not ruleset.persons:
        raise InputError("ruleset_missing", field="population.per_household")
    if ruleset.micro is not None and ruleset.micro.maximum > ruleset.residential.maximum:
        raise InputError(
            "ruleset_bounds",
            field="micro.maximum",
            minimum=ruleset.micro.maximum,
            maximum=ruleset.residential.maximum,
        )
    tables = {word.split(".")[0] for word in known}
    for word in ruleset.unverified:
        if word not in known and word not in tables and word.split(".")[0] != "work":
            raise InputError("ruleset_unknown_word", field=f"ruleset.unverified: {word}")
