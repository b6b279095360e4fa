"""What the routes for plates and codes in use take and answer."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from api.answers import Answer

#: Text without the one character that the database cannot hold.
_PLAIN = r"^[^\x00]*$"
Name = Annotated[str, Meta(max_length=200, pattern=_PLAIN)]
Words = Annotated[str, Meta(max_length=2000, pattern=_PLAIN)]
#: Which plate is meant, where an address has plates of several sizes and a code names them all.
PlateSize = Literal["", "large", "medium", "small", "building", "unit", "room"]
Metres = Annotated[float, Meta(ge=0, le=100_000)]


class Hung(Struct, frozen=True):
    """A plate (its link or code) was hung. ``photo`` is base64; a position needs its datum in ``crs``."""

    plate: Name
    on: date | None = None
    by: Name = ""
    lon: float | None = None
    lat: float | None = None
    crs: str | None = None
    accuracy: Metres = 0.0
    note: Words = ""
    photo: bytes = b""
    size: PlateSize = ""


class SeenPlate(Struct, frozen=True):
    """A plate was seen at a position."""

    plate: Name
    lon: float
    lat: float
    crs: str
    accuracy: Metres = 0.0
    on: date | None = None
    by: Name = ""
    note: Words = ""
    photo: bytes = b""
    size: PlateSize = ""


class Marked(Struct, frozen=True):
    """A plate was lost, replaced or revoked."""

    plate: Name
    status: Literal["lost", "replaced", "revoked"]
    on: date | None = None
    note: Words = ""
    size: PlateSize = ""


class Settled(Struct, frozen=True):
    """Staff looked into a plate."""

    plate: Name
    note: Words = ""


class PlateOutcome(Answer, frozen=True):
    """What became of a plate. ``distance_m``: metres from its building; ``nearness``: near, unsure, far, or ""."""

    code: str
    address: str
    batch: int
    status: str
    on: date
    distance_m: float | None = None
    nearness: str = ""
    replaced: int = 0
    size: str = ""


class TerritoryName(Struct, frozen=True):
    """A territory by its name."""

    territory: Name


class BatchesQuery(TerritoryName, frozen=True):
    """A page of a territory's batches, those behind the batch ``after``."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    after: Annotated[int, Meta(ge=0, le=2**53)] = 0


class TodosQuery(TerritoryName, frozen=True):
    """A page of plates to ``look`` at (moved, copied, said to hang elsewhere) or to ``reprint``."""

    what: Literal["look", "reprint"] = "look"
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    after: Annotated[int, Meta(ge=0, le=2**53)] = 0  # how many to pass over: a page's ``next`` holds it


class PlateTodo(Answer, frozen=True):
    """A plate to look at or to print again.

    ``why``: lost, revoked, replaced, renamed; moved, copied, reported, ended.
    """

    code: str
    address: str
    why: str
    status: str
    day: date | None
    distance_m: float | None
    size: str = ""


class PlateTodos(Answer, frozen=True):
    """Plates to look at or to print again. ``next`` is the address of the page behind this one, null on the last."""

    plates: list[PlateTodo]
    next: str | None = None


class PlateBatch(Answer, frozen=True):
    """A batch: who ordered and printed it, and its plates by state."""

    id: int
    community: str
    size: str
    purpose: str
    ordered_by: str
    ordered_on: date
    printed_by: str
    printed_on: date | None
    plates: int
    verified: int
    states: dict[str, int]


class PlateBatches(Answer, frozen=True):
    """Batches, the oldest first. ``next`` is the address of the page behind this one, null on the last."""

    batches: list[PlateBatch]
    next: str | None = None


class EndAddress(Struct, frozen=True):
    """End an address: revoked (``into`` empty), merged (one code), or split (two or more)."""

    status: Literal["revoked", "merged", "split"]
    into: Annotated[list[Name], Meta(max_length=100)] = []
    on: date | None = None
    with_parts: bool = False
    note: Words = ""


class EndedAddress(Answer, frozen=True):
    """What became of an address; ``parts`` and ``plates`` ended with it."""

    code: str
    address: str
    status: str
    on: date
    into: list[str]
    parts: int
    plates: int


class ForeignQuery(Struct, frozen=True):
    """A code of another system."""

    code: Annotated[str, Meta(max_length=100, pattern=_PLAIN)]
    system: Annotated[str, Meta(max_length=40, pattern=_PLAIN)] = ""


class ForeignLink(Answer, frozen=True):
    """A code of another system and the address it is, or was, linked to."""

    system: str
    code: str
    address_code: str
    address: str
    valid_from: date
    valid_to: date | None


class ForeignLinks(Answer, frozen=True):
    """Links of one code, the oldest first."""

    links: list[ForeignLink]


class LinkForeign(Struct, frozen=True):
    """Link a code of another system to an address for some days."""

    address_code: Name
    system: Annotated[str, Meta(max_length=40, pattern=_PLAIN)]
    code: Annotated[str, Meta(max_length=100, pattern=_PLAIN)]
    valid_from: date | None = None
    valid_to: date | None = None
