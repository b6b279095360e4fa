"""What a reader asks of a collection, checked and made comparable: equal questions are equal values."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final

import shapely

from data.postgres.features.feature_collections import COLLECTIONS, Collection
from data.postgres.features.feature_filters import Conditions, rectangle
from data.postgres.features.read_features import TODAY, Days
from gis.errors import InputError, NotFoundError
from gis.features import cql2, references
from gis.features.references import LONLAT, Reference

#: Most features on one page; more may be asked for and are not given, as the standard says.
MOST: Final = 10_000
#: Days at which an open interval begins and ends.
EARLIEST: Final = "0002-01-01"
LATEST: Final = "9998-12-31"
FILTER_LANGUAGE: Final = "cql2-text"


@dataclass(frozen=True)
class Question:
    """A page of a collection: what, where, when, after which feature, how many and in which CRS."""

    collection: str
    crs: Reference = LONLAT
    days: Days = TODAY
    after: tuple[int, Any] | None = None
    limit: int = 100
    bbox: str = ""
    bbox_crs: Reference = LONLAT
    filter: str = ""
    filter_crs: Reference = LONLAT
    equal: tuple[tuple[str, str], ...] = ()
    drafts: bool = False

    @property
    def matching(self) -> tuple[object, ...]:
        """All that decides which features are meant, but the page."""
        return (self.collection, self.days, self.bbox, self.bbox_crs, self.filter, self.filter_crs, self.equal)


@dataclass(frozen=True, eq=False)
class Place:
    """A geometry of EPSG:3857, prepared; its box, and whether it is nothing else."""

    geometry: Any
    bounds: tuple[float, float, float, float]
    rectangle: bool


@dataclass(frozen=True)
class Wanted:
    """The conditions of a question, with the box (EPSG:3857 metres) outside of which nothing meets them.

    ``places`` are the geometries of which a feature has to meet one (none: any will do).
    """

    conditions: Conditions
    bounds: tuple[float, float, float, float] | None = None
    places: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Asked:
    """A question as it comes: texts."""

    limit: int = 100
    cursor: str = ""
    bbox: str = ""
    bbox_crs: str = ""
    crs: str = ""
    datetime: str = ""
    filter: str = ""
    filter_lang: str = FILTER_LANGUAGE
    filter_crs: str = ""
    others: tuple[tuple[str, str], ...] = field(default=())


def collection_of(name: str) -> Collection:
    """The collection of a name; NotFoundError ``features.collection`` else."""
    found = COLLECTIONS.get(name)
    if found is None:
        raise NotFoundError("features.collection", name=name[:40], known=", ".join(COLLECTIONS))
    return found


def question(name: str, asked: Asked, *, drafts: bool = False) -> Question:
    """Check what was asked; raises InputError or NotFoundError that names the fault."""
    collection = collection_of(name)
    if asked.filter_lang != FILTER_LANGUAGE:
        raise InputError("features.filter_language", given=asked.filter_lang[:40])
    for other, value in asked.others:
        if collection.field(other) is None:
            raise InputError("features.parameter", name=other[:40])
        if "\0" in value:
            raise InputError("features.value", name=other, kind="text", value="-")
    return Question(
        name,
        reference(asked.crs),
        days_of(asked.datetime),
        cursor_of(collection, asked.cursor),
        min(asked.limit, MOST),
        asked.bbox,
        reference(asked.bbox_crs),
        asked.filter,
        reference(asked.filter_crs),
        tuple(sorted(asked.others)),
        drafts,
    )


def reference(text: str) -> Reference:
    """A CRS by its URI; longitude and latitude where none is named."""
    return references.parse(text) if text else LONLAT


def wanted(question: Question) -> Wanted:
    """The conditions of a question; nobody changes them."""
    q = question
    return _wanted(q.collection, q.bbox, q.bbox_crs, q.equal, q.filter, q.filter_crs)


@lru_cache(maxsize=256)  # the pages of one question follow each other
def _wanted(
    name: str, bbox: str, bbox_crs: Reference, equal: tuple[tuple[str, str], ...], text: str, text_crs: Reference
) -> Wanted:
    collection = COLLECTIONS[name]
    conditions = Conditions()
    bounds: tuple[float, float, float, float] | None = None
    places: tuple[Place, ...] = ()
    if bbox:
        given = references.box(bbox, bbox_crs)
        conditions.add_places(collection, given)
        bounds = _bounds(shapely.total_bounds(given))
        places = tuple(_place(g) for g in given)
    for column_name, value in equal:
        column = collection.field(column_name)
        assert column is not None
        conditions.add_equal(column, value)
    if text:
        conditions.add(collection, cql2.parse(text, references.to_mercator(text_crs)))
    return Wanted(conditions, bounds, places)


def _place(geometry: Any) -> Place:
    shapely.prepare(geometry)
    return Place(geometry, _bounds(shapely.bounds(geometry)), rectangle(geometry))


def _bounds(given: Any) -> tuple[float, float, float, float]:
    west, south, east, north = (float(v) for v in given)
    return west, south, east, north


def days_of(text: str) -> Days:
    """The days of a ``datetime``: a day, a moment, or an interval ``from/to`` with ``..`` (or nothing) for open ends.

    Moments are seen from the time zone of each territory.
    """
    if not text:
        return TODAY
    ends = text.split("/")
    if len(ends) > 2 or all(e in ("", "..") for e in ends):
        raise InputError("features.datetime", datetime=text[:60])
    first, last = _end(ends[0], text), _end(ends[-1], text)
    if first is not None and last is not None and first[0] > last[0]:
        raise InputError("features.datetime", datetime=text[:60])
    return Days(EARLIEST if first is None else first[1], LATEST if last is None else last[1])


def _end(part: str, whole: str) -> tuple[datetime, str] | None:
    """An end of an interval: the moment to compare, and its text; None for an open end."""
    if part in ("", ".."):
        return None
    if len(part) == 11:  # GDAL writes a day so when it is asked for dates
        part = part.removesuffix("T")
    try:
        day = date.fromisoformat(part) if len(part) == 10 else None
        moment = datetime.fromisoformat(part if day is None else f"{day}T00:00:00+00:00")
        if moment.tzinfo is None or not EARLIEST <= moment.date().isoformat() <= LATEST:
            raise ValueError(part)
    except ValueError:
        raise InputError("features.datetime", datetime=whole[:60]) from None
    return moment, (moment if day is None else day).isoformat()


def cursor_of(collection: Collection, text: str) -> tuple[int, Any] | None:
    """Where the page before ended: territory and key; None at the beginning."""
    if not text:
        return None
    territory, _, key = text.partition(".")
    try:
        if not (territory.isascii() and territory.isdigit() and len(territory) < 19):
            raise ValueError(text)
        return int(territory), checked_id(key, collection.key_kind)
    except ValueError:
        raise InputError("features.cursor") from None


def checked_id(text: str, kind: str) -> str | int:
    """An id as the database takes it; ValueError where it can be none."""
    if kind == "uuid":
        return str(uuid.UUID(text))
    if kind == "bigint":
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise ValueError(text)
        return int(text)
    if "\0" in text or not text:
        raise ValueError(text)
    return text


def others(pairs: Iterable[tuple[str, str]], known: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """What was asked beside the parameters of the standard."""
    own = set(known)
    return tuple((k, v) for k, v in pairs if k not in own)
