"""What the service answers and what it takes, as typed shapes: the JSON, and with it the API description.

Positions are WGS84 ``[longitude, latitude]``; lengths are metres; days are ISO dates.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

Share = Annotated[float, Meta(ge=0, le=1)]
Position = tuple[float, float]
Box = tuple[float, float, float, float]


#: Marks what a request must hold although its shape allows its absence, so that the fault is told in our words.
REQUIRED = {"x-required": True}


class Answer(Struct, frozen=True, omit_defaults=False):
    """Base of every answer."""


class Problem(Answer, frozen=True):
    """A fault as RFC 9457 describes it: ``code`` is stable, ``detail`` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str


class Person(Answer, frozen=True):
    """A responsible person's public contact."""

    name: str
    post: str
    phone: str


class Candidate(Answer, frozen=True):
    """Another grid the position could be in, with its distance in metres."""

    grid_id: str
    code: str
    distance_m: float
    name: str = ""
    community: str = ""


class Lookup(Answer, frozen=True):
    """Which grid a position is in. ``edge_m``: metres to the nearest border of the grid.

    ``uncertain``: another grid (or the outside) lies within the accuracy. ``outside``: ``candidates`` holds the
    nearest grid. ``version`` is the publication that answered; ``datum`` and ``note`` say what was converted.
    """

    status: Literal["certain", "uncertain", "outside"]
    grid_id: str | None
    code: str | None
    name: str | None
    community: str | None
    edge_m: float | None
    candidates: list[Candidate]
    people: list[Person]
    wgs84: Position
    as_of: date
    version: int | None
    territory: int | None = None
    datum: str = ""
    note: str = ""


class LookupQuery(Struct, frozen=True):
    """One position. ``lon`` is the easting and ``lat`` the northing for a projected EPSG code."""

    lon: float
    lat: float
    crs: Annotated[str | None, Meta(extra_json_schema=REQUIRED)] = None  # left out, a fault that says what to name
    accuracy: Annotated[float, Meta(ge=0, le=100_000)] = 0.0
    as_of: date | None = None


class LookupOptions(Struct, frozen=True):
    """How positions are to be read; what a JSON body says itself goes before it."""

    crs: str | None = None
    accuracy: Annotated[float, Meta(ge=0, le=100_000)] = 0.0
    as_of: date | None = None


class LookupBatch(Struct, frozen=True):
    """Many positions of one datum: ``points`` are ``[lon, lat]`` or ``[easting, northing]``."""

    points: Annotated[list[Position], Meta(max_length=10_000)]
    crs: str | None = None
    accuracy: Annotated[float, Meta(ge=0, le=100_000)] = 0.0
    as_of: date | None = None


class Lookups(Answer, frozen=True):
    """Answers in the order of the points."""

    results: list[Lookup]


class Found(Answer, frozen=True):
    """One thing that a search found. ``url`` is its page where it has one."""

    kind: Literal["address", "plate", "grid", "community", "street", "compound", "coordinate"]
    label: str
    detail: str
    lon: float
    lat: float
    territory: int | None = None
    grid_id: str | None = None
    url: str | None = None


class FoundList(Answer, frozen=True):
    """Best first. ``next`` is the address of the page behind this one, null on the last."""

    results: list[Found]
    next: str | None = None


class SearchQuery(Struct, frozen=True):
    """What a person typed; ``territory`` narrows it to one."""

    q: Annotated[str, Meta(max_length=200)]
    territory: int | None = None
    limit: Annotated[int, Meta(ge=1, le=50)] = 10
    after: Annotated[int, Meta(ge=0, le=1000)] = 0  # how many to pass over: a page's ``next`` holds it


class TerritoriesQuery(Struct, frozen=True):
    """A page of territories in the order of their ids, those behind ``after``."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    after: Annotated[int, Meta(ge=0, le=2**53)] = 0


class Territory(Answer, frozen=True):
    """A published territory and its figures. ``name`` is for people; ``territory`` what commands, downloads and the
    features' property of that name know it by.
    """

    id: int
    name: str
    title: str
    bbox: Box
    attribution: str
    grids: int
    households: int
    in_range_share: Share | None
    on_street_share: Share | None
    crs: str
    valid_from: date
    version: int
    fictitious: bool
    territory: str = ""


class Territories(Answer, frozen=True):
    """Published territories. ``next`` is the address of the page behind this one, null on the last."""

    territories: list[Territory]
    next: str | None = None


class AsOfQuery(Struct, frozen=True):
    """The day that is asked about; today when left out."""

    as_of: date | None = None


class GridCard(Answer, frozen=True):
    """One grid as published, and who is responsible."""

    grid_id: str
    code: str
    name: str
    kind: Literal["residential", "dedicated", "rural"]
    community: str
    community_code: str
    households: int
    counted: int
    buildings: int
    on_street_share: Share | None
    compactness: float
    area_m2: float
    bbox: Box
    center: Position
    note: str
    people: list[Person]
    territory: int
    valid_from: date
    as_of: date
    version: int
    bounds: str = ""  # the four bounds 四至 in words
    streets: list[str] = []  # on its border, that it answers for


class PlateGrid(Answer, frozen=True):
    """The grid of a plate's building."""

    grid_id: str
    code: str
    name: str
    community: str


class PlatePart(Answer, frozen=True):
    """One of the addresses that another was split into."""

    code: str
    address: str


class PlateCode(Answer, frozen=True):
    """The code another system (police plates, GB/T 39609) knows an address by."""

    system: str
    code: str


class Plate(Answer, frozen=True):
    """What a plate's page says. Nothing here is about residents.

    ``verdict``: ``signed`` (the link is ours), ``typed`` (a code without a link's tag), ``merged`` (the address went
    up in ``successor``, whose words these are; ``shown`` is the former text), ``split`` (``parts`` took its place),
    ``forged``, ``mistyped``, ``not_a_code``, ``unknown``, ``revoked``, ``lost``, ``replaced`` or ``throttled``.
    ``shown``: what the plate itself says where that is no longer the address's text. ``since``: day of the change.
    """

    verdict: str
    code: str
    address: str = ""
    division: str = ""
    territory: str = ""
    grid: PlateGrid | None = None
    people: list[Person] = []
    hotline: str = "12345"
    as_of: date | None = None
    successor: str = ""
    fictitious: bool = False
    fictitious_people: bool = False
    scanned: bool = False
    shown: str = ""
    since: date | None = None
    aliases: list[str] = []
    former: list[str] = []
    parts: list[PlatePart] = []
    codes: list[PlateCode] = []


class VectorLayer(Answer, frozen=True):
    """A layer of a tile set."""

    id: str
    minzoom: int
    maxzoom: int
    fields: dict[str, str]


class TileJson(Answer, frozen=True):
    """TileJSON 3.0."""

    tilejson: str
    name: str
    tiles: list[str]
    minzoom: int
    maxzoom: int
    bounds: Box
    center: tuple[float, float, int]
    attribution: str
    scheme: str
    vector_layers: list[VectorLayer]


class Health(Answer, frozen=True):
    """``ok``, or what is missing."""

    status: str
    detail: str = ""
