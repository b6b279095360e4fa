"""Rulesets 划分规则: one place's practice as data, checked word by word.

A ruleset is a TOML file. Every table and word is known here: an unknown one, a value of the wrong type, bounds
that exclude each other or a negative weight raise ``InputError`` naming the field as ``table.word``.
"""

from __future__ import annotations

import hashlib
import math
import re
import tomllib
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np

from gis.errors import InputError
from gis.territory.classes import BARRIER_KINDS, BORDER_CLASSES, COMMUNITY, NONE
from gis.territory.model import Floats

#: What the bounds count: every household, or only those that live there (常住户).
Count = Literal["all", "resident"]
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

#: A field of the code template: ``{county:6}``, ``{street:3}``, ``{community:3}``, ``{division:12}``, ``{number:n}``.
CODE_FIELD: Final = re.compile(r"\{(county:6|street:3|community:3|division:12|number:[1-9])\}")


@dataclass(frozen=True)
class Bounds:
    """Households a grid may hold (or grids a community); ``target`` is what balance aims at."""

    minimum: int
    target: int
    maximum: int


@dataclass(frozen=True)
class Ruleset:
    """One place's rules. Prices are costs of one metre of border; weights are costs in the same unit.

    The objective of a plan is the sum of four terms, all in *priced metres* (a metre along a residential
    street costs ``prices["residential"]``):

    - border: metres between two grids x price of their class;
    - balance: ``balance`` x sum over grids of ((load - target) / half the range) squared;
    - compactness: ``compactness`` x sum over grids of (1 - 4 pi area / perimeter squared);
    - range: ``outside`` x households above the maximum or below the minimum.
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
        return replace(self, residential=_checked_bounds("residential", low, aim, high))


def parse(data: bytes) -> Ruleset:
    """Read a ruleset from the bytes of its TOML file; raises ``InputError`` naming the field at fault."""
    try:
        tables = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InputError("ruleset_not_utf8", byte=error.start) from error
    except tomllib.TOMLDecodeError as error:
        raise InputError("ruleset_not_toml", fault=str(error)) from error
    read = _Reader(tables)
    ruleset = Ruleset(
        name=read.text("ruleset", "name"),
        title=read.text("ruleset", "title"),
        verified=read.flag("ruleset", "verified"),
        sources=read.texts("ruleset", "sources"),
        count=read.word("residential", "count", ("all", "resident")),
        strict=read.flag("residential", "strict", default=True),
        residential=read.bounds("residential"),
        rural_rule=read.word("rural", "rule", ("none", "join_groups", "split_groups"), default="none"),
        rural=read.bounds("rural", default=read.bounds("residential")),
        dedicated=read.flag("dedicated", "allowed", default=False),
        communities=read.bounds("communities", default=Bounds(4, 6, 8)),
        prices={word: read.number("prices", word) for word in PRICE_WORDS},
        balance=read.number("weights", "balance"),
        balance_on=read.word("weights", "balance_on", ("counted", "work"), default="counted"),
        compactness=read.number("weights", "compactness", default=0.0),
        outside=read.number("weights", "outside", default=400.0),
        code=read.text("codes", "template", default="{division:12}{number:3}"),
        dedicated_from=read.whole("codes", "dedicated_from", default=901),
        grid_name=read.text("names", "grid", default="第{ordinal}网格"),
        digest=hashlib.sha256(data).hexdigest(),
    )
    read.refuse_the_rest()
    _check_templates(ruleset)
    return ruleset


def _price_word(border_class: str) -> str:
    if border_class == NONE:
        return "cell"
    if border_class in PRICE_WORDS:
        return border_class
    return PRICE_OF_STREET.get(border_class.removesuffix("_link"), "residential")


def _checked_bounds(table: str, minimum: int, target: int, maximum: int) -> Bounds:
    if minimum < 0:
        raise InputError("ruleset_negative", field=f"{table}.minimum", value=minimum)
    if maximum < 1 or minimum > maximum:
        raise InputError("ruleset_bounds", field=f"{table}.minimum", minimum=minimum, maximum=maximum)
    if not minimum <= target <= maximum:
        raise InputError("ruleset_target", field=f"{table}.target", target=target, minimum=minimum, maximum=maximum)
    return Bounds(minimum, target, maximum)


def _check_templates(ruleset: Ruleset) -> None:
    rest = CODE_FIELD.sub("", ruleset.code)
    if "{number:" not in ruleset.code or not re.fullmatch(r"[0-9A-Za-z-]*", rest):
        raise InputError("ruleset_template", field="codes.template", value=ruleset.code)
    if "{ordinal}" not in ruleset.grid_name and "{number}" not in ruleset.grid_name:
        raise InputError("ruleset_template", field="names.grid", value=ruleset.grid_name)
    if re.search(r"[{}]", ruleset.grid_name.replace("{ordinal}", "").replace("{number}", "")):
        raise InputError("ruleset_template", field="names.grid", value=ruleset.grid_name)


_MISSING: Final[Any] = object()


class _Reader:
    """Takes words out of the tables one by one, so that what remains is unknown."""

    def __init__(self, tables: dict[str, Any]) -> None:
        self._tables: dict[str, dict[str, Any]] = {}
        self._known: set[tuple[str, str]] = set()
        for table, content in tables.items():
            if not isinstance(content, dict):
                raise InputError("ruleset_unknown_word", field=table)
            self._tables[table] = content

    def _value(self, table: str, word: str, default: Any) -> Any:
        self._known.add((table, word))
        value = self._tables.get(table, {}).get(word, default)
        if value is _MISSING:
            raise InputError("ruleset_missing", field=f"{table}.{word}")
        return value

    def _typed(self, table: str, word: str, kinds: tuple[type, ...], default: Any) -> Any:
        value = self._value(table, word, default)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise InputError("ruleset_type", field=f"{table}.{word}", value=value, expected=kinds[0].__name__)
        return value

    def text(self, table: str, word: str, default: Any = _MISSING) -> str:
        return str(self._typed(table, word, (str,), default))

    def flag(self, table: str, word: str, default: Any = _MISSING) -> bool:
        return bool(self._typed(table, word, (bool,), default))

    def texts(self, table: str, word: str) -> tuple[str, ...]:
        values = self._typed(table, word, (list,), [])
        if not all(isinstance(v, str) for v in values):
            raise InputError("ruleset_type", field=f"{table}.{word}", value=values, expected="list of str")
        return tuple(values)

    def word(self, table: str, word: str, allowed: tuple[str, ...], default: Any = _MISSING) -> Any:
        value = self.text(table, word, default)
        if value not in allowed:
            raise InputError("ruleset_choice", field=f"{table}.{word}", value=value, allowed=" | ".join(allowed))
        return value

    def number(self, table: str, word: str, default: Any = _MISSING) -> float:
        value = float(self._typed(table, word, (int, float), default))
        if not math.isfinite(value):
            raise InputError("ruleset_type", field=f"{table}.{word}", value=value, expected="finite number")
        if value < 0:
            raise InputError("ruleset_negative", field=f"{table}.{word}", value=value)
        return value

    def whole(self, table: str, word: str, default: Any = _MISSING) -> int:
        value = self._typed(table, word, (int,), default)
        if value < 0:
            raise InputError("ruleset_negative", field=f"{table}.{word}", value=value)
        return int(value)

    def bounds(self, table: str, default: Bounds | None = None) -> Bounds:
        words = ("minimum", "target", "maximum")
        if default is not None and not any(w in self._tables.get(table, {}) for w in words):
            self._known.update((table, w) for w in words)
            return default
        low, high = self.whole(table, "minimum"), self.whole(table, "maximum")
        return _checked_bounds(table, low, self.whole(table, "target", (low + high) // 2), high)

    def refuse_the_rest(self) -> None:
        tables = {table for table, _ in self._known}
        for table, content in self._tables.items():
            if table not in tables:
                raise InputError("ruleset_unknown_word", field=table)
            for word in content:
                if (table, word) not in self._known:
                    raise InputError("ruleset_unknown_word", field=f"{table}.{word}")
