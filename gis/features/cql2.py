"""Filters in CQL2 text (OGC 21-065r2), the part that map programs send: a small parser into plain expressions.

Conformance classes: Basic CQL2, Advanced Comparison Operators (LIKE, BETWEEN, IN), Basic Spatial Functions and the
other spatial comparisons, CASEI. What is read is data only: names and values never become part of a query's text.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import shapely

from gis.errors import InputError

#: Longest filter in characters, and how deep it may nest.
LONGEST: Final = 8_000
DEEPEST: Final = 40

Value = str | float | int | bool | datetime.date | datetime.datetime


@dataclass(frozen=True)
class Property:
    """A property of the features; ``folded``: without regard to case (CASEI)."""

    name: str
    folded: bool = False


@dataclass(frozen=True)
class Literal:
    """A value; ``folded``: to be compared without regard to case."""

    value: Value
    folded: bool = False


Operand = Property | Literal


@dataclass(frozen=True)
class Comparison:
    """``left operator right``, operator one of = <> < <= > >=."""

    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True)
class Like:
    """``%`` any text, ``_`` one character, ``\\`` before one that stands for itself."""

    operand: Operand
    pattern: Literal


@dataclass(frozen=True)
class Between:
    """Both ends belong to it."""

    operand: Operand
    low: Operand
    high: Operand


@dataclass(frozen=True)
class In:
    """One of a list of values."""

    operand: Operand
    values: tuple[Literal, ...]


@dataclass(frozen=True)
class IsNull:
    """There is no value."""

    operand: Property


@dataclass(frozen=True)
class Spatial:
    """``function`` (intersects, within, ...) between the features' geometry and a given one; ``swapped``: the given
    one came first.
    """

    function: str
    property: str
    geometry: Any
    swapped: bool = False


@dataclass(frozen=True)
class Not:
    """The opposite."""

    term: Expression


@dataclass(frozen=True)
class All:
    """Every term holds."""

    terms: tuple[Expression, ...]


@dataclass(frozen=True)
class Either:
    """At least one term holds."""

    terms: tuple[Expression, ...]


@dataclass(frozen=True)
class Constant:
    """TRUE or FALSE by itself."""

    value: bool


Expression = Comparison | Like | Between | In | IsNull | Spatial | Not | All | Either | Constant

_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^']|'')*')
    | (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    | "(?P<quoted>[^"]+)"
    | (?P<name>[^\W\d][\w.:-]*)
    | (?P<sign><>|<=|>=|[=<>(),])
    )""",
    re.VERBOSE,
)
_SHAPES: Final = (
    "POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION",
)  # fmt: skip
_BOXES: Final = ("BBOX", "ENVELOPE")
_SPATIAL: Final = {
    f"S_{name.upper()}": name
    for name in ("intersects", "disjoint", "equals", "touches", "within", "contains", "crosses", "overlaps")
}
_SIGNS: Final = ("=", "<>", "<", "<=", ">", ">=")
_TRUTH: Final = {"TRUE": True, "FALSE": False}


@dataclass(frozen=True)
class _Token:
    kind: str  # text, number, name, quoted, sign, end
    value: str
    at: int

    @property
    def word(self) -> str:
        return self.value.upper() if self.kind == "name" else ""


def parse(text: str, place: Callable[[Any], Any] = lambda geometry: geometry) -> Expression:
    """The expression a filter means; :class:`InputError` ``features.filter`` says where it cannot be read.

    ``place`` takes every geometry of the filter into the coordinates it is compared in.
    """
    if len(text) > LONGEST:
        raise InputError("features.filter_long", longest=LONGEST)
    if "\0" in text:
        raise _fault(text, text.index("\0"))
    parser = _Parser(text, place)
    found = parser.either(0)
    parser.expect("end")
    return found


def _fault(text: str, at: int) -> InputError:
    return InputError("features.filter", position=at + 1, near=text[at : at + 20] or "-")


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at, end)
        if match is None or match.lastgroup is None:
            raise _fault(text, at)
        kind = match.lastgroup
        value = match[kind]
        found.append(_Token(kind, value[1:-1].replace("''", "'") if kind == "text" else value, match.start(kind)))
        at = match.end()
    return [*found, _Token("end", "", end)]


class _Parser:
    """Recursive descent over the tokens; ``depth`` bounds what hostile filters can make it do."""

    def __init__(self, text: str, moved: Callable[[Any], Any]) -> None:
        self.text = text
        self.moved = moved
        self.tokens = _tokens(text)
        self.at = 0

    @property
    def here(self) -> _Token:
        return self.tokens[self.at]

    def fault(self) -> InputError:
        return _fault(self.text, self.here.at)

    def take(self) -> _Token:
        token = self.here
        self.at += 1
        return token

    def accept(self, *words: str) -> bool:
        """Step over the words (or signs) when they come next."""
        for k, word in enumerate(words):
            token = self.tokens[min(self.at + k, len(self.tokens) - 1)]
            if word not in (token.word, token.value if token.kind == "sign" else ""):
                return False
        self.at += len(words)
        return True

    def expect(self, kind: str, value: str = "") -> _Token:
        if self.here.kind != kind or (value and self.here.value != value):
            raise self.fault()
        return self.take()

    def either(self, depth: int) -> Expression:
        if depth > DEEPEST:
            raise InputError("features.filter_deep", deepest=DEEPEST)
        terms = [self.all(depth)]
        while self.accept("OR"):
            terms.append(self.all(depth))
        return terms[0] if len(terms) == 1 else Either(tuple(terms))

    def all(self, depth: int) -> Expression:
        terms = [self.term(depth)]
        while self.accept("AND"):
            terms.append(self.term(depth))
        return terms[0] if len(terms) == 1 else All(tuple(terms))

    def term(self, depth: int) -> Expression:
        if self.accept("NOT"):
            return Not(self.term(depth + 1)) if depth < DEEPEST else self.either(depth + 1)
        if self.accept("("):
            inner = self.either(depth + 1)
            self.expect("sign", ")")
            return inner
        if self.here.word in _SPATIAL:
            return self.spatial()
        if self.here.word in _TRUTH and self.tokens[self.at + 1].value not in _SIGNS:
            return Constant(_TRUTH[self.take().word])
        return self.predicate()

    def predicate(self) -> Expression:
        left = self.operand()
        if self.here.value in _SIGNS and self.here.kind == "sign":
            return Comparison(self.take().value, left, self.operand())
        if self.accept("IS"):
            negated = self.accept("NOT")
            if not self.accept("NULL") or not isinstance(left, Property):
                raise self.fault()
            return self.negated(IsNull(left), negated)
        negated = self.accept("NOT")
        if self.accept("LIKE"):
            return self.negated(Like(left, self.pattern()), negated)
        if self.accept("BETWEEN"):
            low = self.operand()
            if not self.accept("AND"):
                raise self.fault()
            return self.negated(Between(left, low, self.operand()), negated)
        if self.accept("IN"):
            return self.negated(In(left, self.values()), negated)
        raise self.fault()

    @staticmethod
    def negated(term: Expression, negated: bool) -> Expression:
        return Not(term) if negated else term

    def pattern(self) -> Literal:
        at = self.here
        found = self.operand()
        if not isinstance(found, Literal) or not isinstance(found.value, str):
            raise _fault(self.text, at.at)
        if (len(found.value) - len(found.value.rstrip("\\"))) % 2:
            raise _fault(self.text, at.at)  # a lone backslash at the end stands before nothing
        return found

    def values(self) -> tuple[Literal, ...]:
        self.expect("sign", "(")
        found = []
        while True:
            value = self.operand()
            if not isinstance(value, Literal):
                raise self.fault()
            found.append(value)
            if not self.accept(","):
                self.expect("sign", ")")
                return tuple(found)

    def operand(self) -> Operand:
        token = self.here
        if token.kind == "text":
            return Literal(self.take().value)
        if token.kind == "number":
            return Literal(self.number())
        if token.kind == "quoted":
            return Property(self.take().value)
        if token.kind != "name":
            raise self.fault()
        if token.word in _TRUTH:
            return Literal(_TRUTH[self.take().word])
        if token.word in ("DATE", "TIMESTAMP", "CASEI") and self.tokens[self.at + 1].value == "(":
            return self.call()
        if token.word in ("AND", "OR", "NOT", "IS", "IN", "LIKE", "BETWEEN", "NULL"):
            raise self.fault()
        return Property(self.take().value)

    def number(self) -> int | float:
        value = float(self.here.value)
        if not math.isfinite(value):
            raise self.fault()
        text = self.take().value
        return int(text) if text.lstrip("+-").isdigit() and abs(value) < 2**63 else value

    def call(self) -> Operand:
        function, at = self.take().word, self.here.at
        self.expect("sign", "(")
        inner = self.operand()
        self.expect("sign", ")")
        if function == "CASEI":
            if isinstance(inner, Property):
                return Property(inner.name, folded=True)
            if isinstance(inner.value, str):
                return Literal(inner.value, folded=True)
            raise _fault(self.text, at)
        if not isinstance(inner, Literal) or not isinstance(inner.value, str):
            raise _fault(self.text, at)
        try:
            if function == "DATE":
                return Literal(datetime.date.fromisoformat(inner.value))
            moment = datetime.datetime.fromisoformat(inner.value)
        except ValueError:
            raise _fault(self.text, at) from None
        return Literal(moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC))

    def spatial(self) -> Spatial:
        function = _SPATIAL[self.take().word]
        self.expect("sign", "(")
        first = self.place()
        self.expect("sign", ",")
        second = self.place()
        self.expect("sign", ")")
        if isinstance(first, str) == isinstance(second, str):
            raise self.fault()
        if isinstance(first, str):
            return Spatial(function, first, self.moved(second))
        return Spatial(function, str(second), self.moved(first), swapped=True)

    def place(self) -> Any:
        """A geometry, or the name of the property that holds the features' own."""
        word = self.here.word
        if word in _BOXES and self.tokens[self.at + 1].value == "(":
            return self.box()
        following = self.tokens[self.at + 1]
        if word in _SHAPES and (following.value == "(" or following.word in ("Z", "EMPTY")):
            return self.shape()
        if self.here.kind not in ("name", "quoted"):
            raise self.fault()
        return self.take().value

    def box(self) -> Any:
        at = self.take().at
        numbers = [float(v.value) for v in self.values() if not isinstance(v.value, (str, bool, datetime.date))]
        if len(numbers) == 6:
            numbers = [*numbers[:2], *numbers[3:5]]
        if len(numbers) != 4 or numbers[0] > numbers[2] or numbers[1] > numbers[3]:
            raise _fault(self.text, at)
        west, south, east, north = numbers
        return shapely.box(west, south, east, north)

    def shape(self) -> Any:
        """Well-known text up to its last bracket."""
        start, deep = self.here.at, 0
        self.take()
        while self.here.kind != "end":
            token = self.take()
            deep += {"(": 1, ")": -1}.get(token.value, 0) if token.kind == "sign" else 0
            if deep == 0:
                break
        text = self.text[start : self.tokens[self.at - 1].at + 1]
        try:
            found = shapely.force_2d(shapely.from_wkt(text))
        except shapely.errors.GEOSException:
            raise _fault(self.text, start) from None
        if shapely.is_empty(found) or not shapely.is_valid(found):
            raise _fault(self.text, start)
        return found
