"""What boards and cards say. Words come ready from outside; only what is posted in public goes in.

``label`` of texts: what stands before a value (网格, 范围). Phones are duty phones; nothing about residents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Contact:
    """A responsible person: ``post`` as people read it, ``duties`` in a few words."""

    name: str
    post: str
    phone: str
    duties: str = ""


@dataclass(frozen=True)
class Street:
    """A street of the map; ``width`` in metres as drawn."""

    name: str
    shape: Any  # shapely LineString or MultiLineString
    width: float = 6.0


@dataclass(frozen=True)
class RangeMap:
    """The grid's range, in metres of one CRS: its outline, buildings, streets, and where the board hangs.

    Boards of one ``key`` differ in ``here`` only: the rest of their map is drawn once.
    """

    grid: Any
    here: Any
    buildings: tuple[Any, ...] = ()
    streets: tuple[Street, ...] = ()
    key: str = ""


@dataclass(frozen=True)
class Notice:
    """One board. ``facts`` are (label, text); ``link`` is in the QR, ``code`` its printed form."""

    key: str
    title: str
    place: str
    address: str
    grid: str
    facts: tuple[tuple[str, str], ...]
    people: tuple[Contact, ...]
    link: str
    code: str
    host: str
    scan: str
    hotline: tuple[str, str]  # number, words
    heads: tuple[str, str, str, str]  # post, name, phone, duties
    here: str
    foot: tuple[str, ...] = ()
    more_people: str = ""
    range_map: RangeMap | None = None


@dataclass(frozen=True)
class Card:
    """One contact card of a person on a post. ``link`` ("" for none) is dialled when scanned."""

    key: str
    title: str
    name: str
    post: str
    place: str
    phone: str
    phone_label: str
    facts: tuple[tuple[str, str], ...]
    link: str
    scan: str
    hotline: tuple[str, str]
    foot: str = ""
