"""Filters as conditions of a query. Names come from the collection, every value is bound: nothing is pasted."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import shapely

from data.postgres.features.feature_collections import Collection, Field
from gis.errors import InputError
from gis.features.cql2 import (
    All,
    Between,
    Comparison,
    Constant,
    Either,
    Expression,
    In,
    IsNull,
    Like,
    Literal,
    Not,
    Operand,
    Property,
    Spatial,
)

#: Names under which a filter may ask for the geometry.
GEOMETRY: Final = ("geometry", "geom")
_CASTS: Final = {"text": "text", "integer": "numeric", "number": "float8", "boolean": "boolean", "date": "date"}


def rectangle(place: Any) -> bool:
    """Is a geometry nothing but its own box?"""
    return bool(shapely.equals(place, shapely.envelope(place)))


@dataclass
class Conditions:
    """Conditions joined by AND, with the values they bind. ``joined``: they ask for more than the table itself."""

    parts: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    joined: bool = False

    @property
    def sql(self) -> str:
        """The conditions, each after an AND."""
        return "".join(f" AND ({part})" for part in self.parts)

    def bind(self, value: Any, cast: str) -> str:
        """A placeholder for a value."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"CAST(%({name})s AS {cast})"

    def add_places(self, collection: Collection, places: Sequence[Any]) -> None:
        """Features that meet any of some geometries of EPSG:3857."""
        meet = []
        for place in places:
            given = f"ST_GeomFromWKB({self.bind(shapely.to_wkb(place), 'bytea')}, 3857)"
            test = f"ST_Intersects({collection.mercator}, {given})"
            if rectangle(place):  # what lies in it with its box lies in it; PostGIS's own boxes are a metre too large
                own = collection.mercator
                w, s, e, n = (self.bind(float(v), "float8") for v in shapely.bounds(place))
                inside = f"ST_XMin({own}) >= {w} AND ST_YMin({own}) >= {s} AND ST_XMax({own}) <= {e}"
                test = f"{own} && {given} AND CASE WHEN {inside} AND ST_YMax({own}) <= {n} THEN true ELSE {test} END"
            meet.append(test)
        self.parts.append(" OR ".join(f"({m})" for m in meet))

    def add_equal(self, column: Field, text: str) -> None:
        """Features whose property has the value a text says."""
        self.joined = True
        self.parts.append(f"{column.compared} = {self.bind(_read(column, text), _CASTS[column.kind])}")

    def add(self, collection: Collection, expression: Expression) -> None:
        """Features for which an expression holds; its geometries are in EPSG:3857."""
        self.joined = True
        self.parts.append(_Writer(self, collection).write(expression))


def _read(column: Field, text: str) -> Any:
    """A value given as text in a query string."""
    try:
        match column.kind:
            case "integer":
                return int(text) if len(text) < 20 else float(text)
            case "number":
                return float(text)
            case "boolean":
                return {"true": True, "false": False}[text.lower()]
            case "date":
                return datetime.date.fromisoformat(text)
    except (ValueError, KeyError):
        raise InputError("features.value", name=column.name, kind=column.kind, value=text[:40]) from None
    return text


@dataclass
class _Writer:
    into: Conditions
    collection: Collection

    def write(self, expression: Expression) -> str:  # noqa: PLR0911  one answer a kind of expression
        match expression:
            case All(terms):
                return " AND ".join(f"({self.write(t)})" for t in terms)
            case Either(terms):
                return " OR ".join(f"({self.write(t)})" for t in terms)
            case Not(term):
                return f"NOT ({self.write(term)})"
            case Constant(value):
                return "TRUE" if value else "FALSE"
            case Comparison(operator, left, right):
                a, b = self.pair(left, right)
                return f"{a} {operator} {b}"
            case Between(operand, low, high):
                a, b = self.pair(operand, low)
                _, c = self.pair(operand, high)
                return f"{a} BETWEEN {b} AND {c}"
            case In(operand, values):
                pairs = [self.pair(operand, v) for v in values]
                return f"{pairs[0][0]} IN ({', '.join(b for _, b in pairs)})"
            case Like(operand, pattern):
                a, b = self.pair(operand, pattern, text=True)
                return f"{a} LIKE {b}"
            case IsNull(operand):
                return f"{self.column(operand.name).compared} IS NULL"
            case Spatial():
                return self.spatial(expression)

    def column(self, name: str) -> Field:
        found = self.collection.field(name)
        if found is None:
            known = ", ".join(f.name for f in self.collection.fields)
            raise InputError("features.property", name=name[:40], known=known)
        return found

    def pair(self, left: Operand, right: Operand, *, text: bool = False) -> tuple[str, str]:
        """Two operands of one kind, that of the first that is a property."""
        of = next((self.column(o.name) for o in (left, right) if isinstance(o, Property)), None)
        kind = of.kind if of is not None else _kind(left)
        folded = left.folded or right.folded
        if (text or folded) and kind != "text":
            raise InputError("features.kind", name=of.name if of else "-", kind=kind)
        return self.operand(left, kind, folded), self.operand(right, kind, folded)

    def operand(self, operand: Operand, kind: str, folded: bool) -> str:
        if isinstance(operand, Property):
            column = self.column(operand.name)
            if column.kind != kind and {column.kind, kind} != {"integer", "number"}:
                raise InputError("features.kind", name=column.name, kind=kind)
            sql = column.compared
        else:
            sql = self.literal(operand, kind)
        return f"lower({sql})" if folded else sql

    def literal(self, literal: Literal, kind: str) -> str:
        value, own = literal.value, _kind(literal)
        if own == "moment" and kind == "date":
            return self.into.bind(value, "timestamptz")
        if own == "text" and kind == "date":  # many programs write days as plain text
            try:
                return self.into.bind(datetime.date.fromisoformat(str(value)), "date")
            except ValueError:
                raise InputError("features.kind", name=str(value)[:40], kind=kind) from None
        if own != kind and not (own in ("integer", "number") and kind in ("integer", "number")):
            raise InputError("features.kind", name=str(value)[:40], kind=kind)
        return self.into.bind(value, "float8" if own == "number" else _CASTS[kind])

    def spatial(self, expression: Spatial) -> str:
        if expression.property not in GEOMETRY:
            raise InputError("features.property", name=expression.property[:40], known=GEOMETRY[0])
        given = f"ST_GeomFromWKB({self.into.bind(shapely.to_wkb(expression.geometry), 'bytea')}, 3857)"
        own = self.collection.mercator
        first, second = (given, own) if expression.swapped else (own, given)
        return f"ST_{expression.function.capitalize()}({first}, {second})"


#: A date is compared as one, a moment by itself; the first class that fits decides.
_KINDS: Final = (
    (bool, "boolean"), (int, "integer"), (float, "number"), (datetime.datetime, "moment"), (datetime.date, "date"),
)  # fmt: skip


def _kind(operand: Operand) -> str:
    if isinstance(operand, Property):
        return ""
    return next((kind for of, kind in _KINDS if isinstance(operand.value, of)), "text")
