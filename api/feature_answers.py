"""What ``/ogc`` answers and takes (OGC API Features), as typed shapes."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from msgspec import Meta, Raw, Struct

from api.answers import Answer


class Link(Answer, frozen=True, omit_defaults=True):
    """A link to another resource."""

    href: str
    rel: str
    type: str = ""
    title: str = ""


class Landing(Answer, frozen=True):
    """The landing page."""

    title: str
    description: str
    links: list[Link]


class Conformance(Answer, frozen=True, rename={"conforms_to": "conformsTo"}):
    """The conformance classes that hold here."""

    conforms_to: list[str]


class SpatialExtent(Answer, frozen=True):
    """Boxes in degrees, the first around everything."""

    bbox: list[tuple[float, float, float, float]]
    crs: str


class TemporalExtent(Answer, frozen=True):
    """Intervals of days; null is open."""

    interval: list[tuple[str | None, str | None]]
    trs: str = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"


class Extent(Answer, frozen=True, omit_defaults=True):
    """Where and when the features of a collection lie."""

    spatial: SpatialExtent | None = None
    temporal: TemporalExtent | None = None


class CollectionInfo(
    Answer, frozen=True, omit_defaults=True, rename={"item_type": "itemType", "storage_crs": "storageCrs"}
):
    """One collection."""

    id: str
    title: str
    description: str
    links: list[Link]
    extent: Extent
    crs: list[str]
    storage_crs: str
    item_type: str


class CollectionList(Answer, frozen=True):
    """Every collection."""

    collections: list[CollectionInfo]
    links: list[Link]
    crs: list[str]


class Feature(Struct, frozen=True, omit_defaults=True, gc=False):
    """A GeoJSON feature. Its geometry is written before it comes here."""

    type: str
    id: int | str
    geometry: Raw
    properties: Any
    links: tuple[Link, ...] = ()


class FeatureOut(Answer, frozen=True):
    """A GeoJSON feature."""

    type: Literal["Feature"]
    id: int | str
    geometry: dict[str, Any]
    properties: dict[str, Any]
    links: list[Link]


class FeatureListOut(
    Answer, frozen=True, rename={"number_matched": "numberMatched", "number_returned": "numberReturned"}
):
    """A page of GeoJSON features; the link ``next`` leads on while there are more."""

    type: Literal["FeatureCollection"]
    features: list[dict[str, Any]]
    number_matched: int
    number_returned: int
    links: list[Link]


class PlainQuery(Struct, frozen=True):
    """Representation: JSON is the only one; words in ``zh-CN`` or ``en``."""

    f: Literal["json"] = "json"
    lang: str = ""


_NAMES = {"bbox_crs": "bbox-crs", "filter_lang": "filter-lang", "filter_crs": "filter-crs"}


class ItemsQuery(Struct, frozen=True, rename=_NAMES):
    """Which features, how many, in which CRS. Any queryable may also be asked for by its name (``kind=rural``)."""

    limit: Annotated[int, Meta(ge=1, le=2**31 - 1)] = 100
    cursor: Annotated[str, Meta(max_length=200)] = ""
    bbox: Annotated[str, Meta(max_length=300)] = ""
    bbox_crs: Annotated[str, Meta(max_length=200)] = ""
    crs: Annotated[str, Meta(max_length=200)] = ""
    datetime: Annotated[str, Meta(max_length=100)] = ""
    filter: str = ""
    filter_lang: str = "cql2-text"
    filter_crs: Annotated[str, Meta(max_length=200)] = ""
    f: Literal["json"] = "json"
    lang: str = ""


class ItemQuery(Struct, frozen=True):
    """In which CRS, and as of when."""

    crs: Annotated[str, Meta(max_length=200)] = ""
    datetime: Annotated[str, Meta(max_length=100)] = ""
    f: Literal["json"] = "json"
    lang: str = ""


_KEYWORDS = {"schema": "$schema", "id": "$id", "others": "additionalProperties"}


class Queryables(Answer, frozen=True, omit_defaults=True, rename=_KEYWORDS):
    """What filters may ask for (JSON Schema)."""

    schema: str
    id: str
    type: str
    title: str
    properties: dict[str, dict[str, Any]]
    others: bool | None = None


class DownloadQuery(Struct, frozen=True):
    """What is to be downloaded: ``community`` by code or name, ``grid`` by code or permanent id, ``layers`` separated
    by commas.
    """

    territory: Annotated[str, Meta(max_length=200, description="Name (territory of /api/territories) or title.")]
    format: Literal["gpkg", "geojson", "flatgeobuf", "geoparquet", "shapefile", "xlsx"] = "gpkg"
    community: Annotated[str, Meta(max_length=200)] = ""
    grid: Annotated[str, Meta(max_length=200)] = ""
    layers: Annotated[str, Meta(max_length=200)] = "grids,communities,buildings,addresses"
    as_of: date | None = None
    crs: Annotated[str, Meta(max_length=200)] = ""
    encoding: Literal["utf-8", "gbk"] = "utf-8"
    lang: str = ""
