"""Reads OpenStreetMap extracts: ``.osm.pbf``, ``.osm``, ``.osm.gz``.

Areas are assembled by libosmium; ways that an extract has cut are split at their missing nodes, so that no
chord appears that nobody mapped. What cannot be read is listed in ``excluded``.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import osmium
import shapely
from osmium.filter import EntityFilter, KeyFilter

from data import osm_doors
from gis.errors import InputError
from gis.progress import Progress, silent
from gis.territory.classes import LANE_RANK, RAILWAYS, STREET_RANK, WATERWAYS
from gis.territory.layers import (
    make_areas,
    make_barriers,
    make_buildings,
    make_doors,
    make_sites,
    make_sources,
    make_streets,
)
from gis.territory.model import Exclusion, Sources
from gis.territory.sites import kind_of_tags

ATTRIBUTION: Final = "© OpenStreetMap contributors, ODbL 1.0"
_KEYS: Final = (
    "highway", "railway", "waterway", "barrier", "building", "natural", "landuse",
    "amenity", "leisure", "shop",
)  # fmt: skip
#: Read from nodes only: doors of buildings and address points.
_DOOR_KEYS: Final = ("entrance", "addr:housenumber")
#: Doors that nobody calls at.
_NO_DOORS: Final = frozenset({"", "no", "exit", "emergency", "fire_exit", "service", "garage", "delivery"})
_WALLS: Final = frozenset({"wall", "city_wall", "fence", "retaining_wall"})
_WATER_LANDUSE: Final = frozenset({"reservoir", "basin"})
_NO: Final = frozenset({"", "no", "false", "0"})
_NUMBER: Final = re.compile(r"\s*([0-9]+(?:[.,][0-9]+)?)")
_FEET: Final = re.compile(r"([0-9.]+)\s*(?:'|ft|feet)")


def number(value: str | None) -> float:
    """The leading number of a tag (``"12.5 m"`` → 12.5), NaN where there is none."""
    found = _NUMBER.match(value or "")
    return float(found.group(1).replace(",", ".")) if found else float("nan")


def metres(value: str | None) -> float:
    """A length tag in metres; feet are converted."""
    feet = _FEET.search(value or "")
    return number(value) * 0.3048 if feet else number(value)


@dataclass
class _Table:
    """Rows of one layer while the file is read: WKB or coordinates, and columns by name."""

    geometry: list[Any] = field(default_factory=list)
    columns: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, geometry: Any, **values: Any) -> None:
        self.geometry.append(geometry)
        for name, value in values.items():
            self.columns.setdefault(name, []).append(value)

    def geometries(self) -> Any:
        """All geometries; rows whose WKB was made by libosmium are hex text, cut pieces are shapely already."""
        out = np.empty(len(self.geometry), dtype=object)
        out[:] = self.geometry
        hexes = np.array([isinstance(g, str) for g in self.geometry], dtype=bool)
        if hexes.any():
            out[hexes] = shapely.from_wkb(out[hexes])
        return out


class OsmRows:
    """The rows of every layer while they are read: from an extract here, from a place's server in ``data.place``."""

    def __init__(self) -> None:
        self.factory = osmium.geom.WKBFactory()
        self.streets, self.barriers, self.buildings, self.compounds = _Table(), _Table(), _Table(), _Table()
        self.sites, self.doors = _Table(), _Table()
        self.door_kinds: list[str] = []
        self.excluded: list[Exclusion] = []
        self.claimed: dict[str, str] = {}  # building ways and relations: why, should no area come of them
        self.made: set[str] = set()

    def read(self, path: str, progress: Progress) -> None:
        """One pass for relations (inside pyosmium), one for ways and areas."""
        wanted = EntityFilter(osmium.osm.NODE | osmium.osm.WAY | osmium.osm.RELATION | osmium.osm.AREA)
        keys = KeyFilter(*_KEYS)
        objects = osmium.FileProcessor(path).with_areas(keys).with_filter(wanted)
        objects = objects.with_filter(KeyFilter(*_KEYS, *_DOOR_KEYS))
        for count, thing in enumerate(objects):
            if isinstance(thing, osmium.osm.Way):
                self.way(thing)
            elif isinstance(thing, osmium.osm.Area):
                self.area(thing)
            elif isinstance(thing, osmium.osm.Relation):
                self.relation(thing)
            elif isinstance(thing, osmium.osm.Node):
                self.node(thing)
            if count % 20_000 == 0:
                progress("read", 0.0, f"{count:,}")

    def node(self, node: Any) -> None:
        """A building mapped as a point, a door or an address point."""
        tags = node.tags
        if not node.location.valid():
            return
        if tags.get("building", "no") not in _NO | {"entrance"}:
            self.building(self.factory.create_point(node), f"node/{node.id}", tags)
        elif tags.get("addr:housenumber") or tags.get("entrance", "") not in _NO_DOORS:
            self.door(self.factory.create_point(node), f"node/{node.id}", tags)

    def door(self, point: Any, source: str, tags: Any) -> None:
        """A door or an address point; whose it is shows when all buildings are known."""
        number, kind = tags.get("addr:housenumber", ""), tags.get("entrance", "")
        unit = tags.get("addr:unit") or tags.get("ref", "") if kind and not number else ""
        self.doors.add(
            point,
            source_id=source,
            name=f"unit {unit}" if unit else "",
            street=tags.get("addr:street", ""),
            housenumber=number,
        )
        self.door_kinds.append(kind)

    def way(self, way: Any) -> None:
        """A street or a barrier line; a building way is noted, its area comes later."""
        tags = way.tags
        if _is_building(tags):
            self.claimed[f"way/{way.id}"] = _why_no_area(way)
        if tags.get("area") == "yes":
            return
        highway = tags.get("highway", "")
        kind = "" if highway in STREET_RANK or highway in LANE_RANK else _line_kind(tags)
        if not kind and highway not in STREET_RANK and highway not in LANE_RANK:
            return
        source = f"way/{way.id}"
        pieces = list(self.pieces(way))
        layer = "barriers" if kind else "streets"
        if not pieces:
            self.excluded.append(Exclusion(layer, source, "missing_nodes"))
        for piece in pieces:
            self.line(piece, source, tags)

    def line(self, piece: Any, source: str, tags: Any) -> None:
        """A street, or a railway, waterway or wall; anything else is passed over."""
        highway = tags.get("highway", "")
        if highway in STREET_RANK or highway in LANE_RANK:
            self.street(piece, source, highway, tags)
        elif kind := _line_kind(tags):
            name, tunnel = tags.get("name", ""), _is_tunnel(tags)
            self.barriers.add(piece, source_id=source, kind=kind, name=name, tunnel=tunnel)

    def street(self, piece: Any, source: str, highway: str, tags: Any) -> None:
        """One piece of a street or lane."""
        junction = tags.get("junction", "")
        layer = number((tags.get("layer") or "").lstrip("-"))
        level = 0 if np.isnan(layer) else int(layer)
        self.streets.add(
            piece,
            source_id=source,
            highway=highway,
            name=tags.get("name", ""),
            bridge=tags.get("bridge", "") not in _NO,
            tunnel=_is_tunnel(tags),
            oneway=tags.get("oneway", "") in {"yes", "true", "1", "-1"}
            or junction in {"roundabout", "circular"}
            or highway in {"motorway", "motorway_link"},
            layer=-level if (tags.get("layer") or "").startswith("-") else level,
            junction=junction if junction in {"roundabout", "circular"} else "",
            service=tags.get("service", ""),
        )

    def pieces(self, way: Any) -> Iterator[Any]:
        """The way as lines: whole, or split where nodes are missing."""
        try:
            yield self.factory.create_linestring(way)
            return
        except (osmium.InvalidLocationError, RuntimeError):
            pass
        run: list[tuple[float, float]] = []
        for node in way.nodes:
            if node.location.valid():
                point = (node.location.lon, node.location.lat)
                if not run or run[-1] != point:
                    run.append(point)
                continue
            if len(run) > 1:
                yield shapely.LineString(run)
            run = []
        if len(run) > 1:
            yield shapely.LineString(run)

    def relation(self, relation: Any) -> None:
        """A building multipolygon is noted, its area comes later."""
        if relation.tags.get("type") == "multipolygon" and _is_building(relation.tags):
            self.claimed[f"relation/{relation.id}"] = "incomplete_relation"

    def area(self, area: Any) -> None:
        """An area that libosmium assembled."""
        tags = area.tags
        source = f"{'way' if area.from_way() else 'relation'}/{area.orig_id()}"
        layer = _area_layer(tags)
        if not layer and not kind_of_tags(tags):
            return
        try:
            self.polygon(self.factory.create_multipolygon(area), source, tags)
        except RuntimeError:
            if layer not in {"buildings", ""}:  # those are found by comparing what was claimed with what was made
                self.excluded.append(Exclusion(layer, source, "missing_nodes"))

    def polygon(self, geometry: Any, source: str, tags: Any) -> None:
        """A building, a water area, a named residential area or a site; anything else is passed over."""
        layer = _area_layer(tags)
        if kind := kind_of_tags(tags):
            self.sites.add(geometry, source_id=source, kind=kind, name=tags.get("name", ""))
        if layer == "buildings":
            self.made.add(source)
            self.building(geometry, source, tags)
        elif layer == "barriers":
            self.barriers.add(geometry, source_id=source, kind="water", name=tags.get("name", ""), tunnel=False)
        elif layer:
            self.compounds.add(geometry, source_id=source, name=tags.get("name", ""))

    def building(self, geometry: Any, source: str, tags: Any) -> None:
        """A footprint or point, as WKB or as a geometry."""
        self.buildings.add(
            geometry,
            source_id=source,
            use=tags.get("building", ""),
            name=tags.get("name", ""),
            housenumber=tags.get("addr:housenumber", ""),
            street=tags.get("addr:street", ""),
            dwellings=number(tags.get("building:flats") or tags.get("building:units")),
            levels=number(tags.get("building:levels")),
            height=metres(tags.get("height") or tags.get("building:height")),
        )

    def sources(self) -> Sources:
        """Everything read, as columns; multipolygons of one part become polygons."""
        lost = [Exclusion("buildings", i, why) for i, why in self.claimed.items() if i not in self.made]
        buildings = make_buildings(_single(self.buildings.geometries()), None, **self.buildings.columns)
        tables = {
            "streets": make_streets(self.streets.geometries(), **self.streets.columns),
            "barriers": make_barriers(_single(self.barriers.geometries()), **self.barriers.columns),
            "buildings": buildings,
            "doors": osm_doors.of_buildings(
                make_doors(self.doors.geometries(), **self.doors.columns), self.door_kinds, buildings
            ),
            "compounds": make_areas(_single(self.compounds.geometries()), **self.compounds.columns),
            "sites": make_sites(_single(self.sites.geometries()), **self.sites.columns),
        }
        return make_sources("EPSG:4326", **tables, excluded=(*self.excluded, *lost), attribution=ATTRIBUTION)


def _area_layer(tags: Any) -> str:
    """The layer an area belongs to, "" for none."""
    if _is_building(tags):
        return "buildings"
    if _is_water(tags):
        return "barriers"
    return "compounds" if tags.get("landuse") == "residential" and tags.get("name") else ""


def _is_building(tags: Any) -> bool:
    return tags.get("building", "no") not in _NO


def _why_no_area(way: Any) -> str:
    """Why a building way would not become an area (only read when it does not)."""
    if not all(node.location.valid() for node in way.nodes):
        return "missing_nodes"
    return "self_crossing" if way.is_closed() else "not_closed"


def _is_water(tags: Any) -> bool:
    return (
        tags.get("natural") == "water"
        or tags.get("waterway") in {"riverbank", "dock"}
        or tags.get("landuse") in _WATER_LANDUSE
    )


def _is_tunnel(tags: Any) -> bool:
    # A passage through a building is at ground level: people walk it and streets join there.
    return tags.get("tunnel", "") not in _NO | {"building_passage"}


def _line_kind(tags: Any) -> str:
    """Kind of the barrier that a way's line is, "" for none."""
    if tags.get("railway") in RAILWAYS and not tags.get("service"):
        return "rail"
    if tags.get("waterway") in WATERWAYS or tags.get("natural") == "coastline":
        return "water"
    # A fence round a tennis court separates nobody from anybody.
    return "wall" if tags.get("barrier") in _WALLS and not tags.get("leisure") else ""


def _single(geometry: Any) -> Any:
    """Multipolygons of one part as polygons."""
    one = (shapely.get_type_id(geometry) == 6) & (shapely.get_num_geometries(geometry) == 1)
    geometry[one] = shapely.get_geometry(geometry[one], 0)
    return geometry


def read_osm(path: str | Path, *, progress: Progress = silent) -> Sources:
    """Read an extract into columns in EPSG:4326 (WGS 84 longitude, latitude).

    Raises :class:`InputError` when the file is no OpenStreetMap data, is truncated, or holds text that is not UTF-8.
    """
    file = Path(path)
    reader = OsmRows()
    try:
        reader.read(str(file), progress)
    except UnicodeDecodeError:
        raise InputError("input.encoding", file=file.name, layer="osm", row="?") from None
    except (RuntimeError, ValueError) as error:
        line = _line_not_utf8(file)
        if line:
            raise InputError("input.encoding", file=file.name, layer="osm", row=line) from None
        raise InputError("input.unreadable", file=file.name, detail=str(error)) from None
    return reader.sources()


def _line_not_utf8(file: Path) -> int:
    """First line of an XML extract that is not UTF-8, 0 when there is none (or it is no XML)."""
    if file.name.endswith(".pbf"):
        return 0
    opener: Any = gzip.open if file.name.endswith(".gz") else open
    stream: IO[bytes]
    try:
        with opener(file, "rb") as stream:
            for count, line in enumerate(stream, start=1):
                if count == 1 and not line.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
                    return 0
                try:
                    line.decode("utf-8")
                except UnicodeDecodeError:
                    return count
    except (OSError, EOFError):
        return 0
    return 0


def digest_of(path: str | Path) -> str:
    """SHA-256 of a file's bytes."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
