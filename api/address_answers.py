"""What parsing and matching of addresses answer and take."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from api.answers import Answer

#: Texts one request may hold.
MOST_TEXTS = 10_000
Text = Annotated[str, Meta(max_length=20_000)]


class AddressPart(Answer, frozen=True):
    """One labelled piece of a text; ``start`` and ``end`` are its place in what was sent."""

    kind: str
    text: str
    start: int
    end: int


class ParsedAddress(Answer, frozen=True):
    """The parts of a text; ``probability`` that all of them are right, by the model's own lights."""

    text: str
    parts: list[AddressPart]
    probability: float


class LibraryAddress(Answer, frozen=True):
    """An address of the library with its permanent code; position in WGS84 degrees."""

    code: str
    text: str
    community: str
    lon: float
    lat: float
    metres: float | None = None


class Reason(Answer, frozen=True):
    """Why an answer is not sure, or in what the text differs: a stable code and words for people."""

    code: str
    text: str


class MatchedAddress(Answer, frozen=True):
    """What a text means. ``exact``: ``addresses`` holds it (several for a range, 64-85栋).

    ``place``: a corner or stretch of streets, in ``geometry`` (GeoJSON, WGS84). ``unsure``: ``candidates``, best
    first. ``none``: nothing of the library. ``score`` runs from 0 to 1.
    """

    query: str
    status: Literal["exact", "place", "unsure", "none"]
    score: float
    addresses: list[LibraryAddress]
    candidates: list[LibraryAddress]
    reasons: list[Reason]
    parts: list[AddressPart]
    geometry: dict[str, Any] | None = None


class MatchedAddresses(Answer, frozen=True):
    """Answers in the order of the texts."""

    results: list[MatchedAddress]


class ParsedAddresses(Answer, frozen=True):
    """Parses in the order of the texts."""

    results: list[ParsedAddress]


class NearAddresses(Answer, frozen=True):
    """Addresses around a point, those of its street first, nearest first."""

    street: str
    addresses: list[LibraryAddress]


class TextQuery(Struct, frozen=True):
    """One text; ``territory`` restricts it to one territory by its number."""

    q: Text
    territory: int | None = None


class TextBatch(Struct, frozen=True):
    """Many texts."""

    texts: Annotated[list[Text], Meta(max_length=MOST_TEXTS)]
    territory: int | None = None


class TerritoryOption(Struct, frozen=True):
    """Which territory a file is matched in."""

    territory: int | None = None


class NearQuery(Struct, frozen=True):
    """A position in a datum that must be named."""

    lon: float
    lat: float
    crs: str
    territory: int | None = None
    limit: Annotated[int, Meta(ge=1, le=50)] = 5
