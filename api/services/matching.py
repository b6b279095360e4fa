"""Texts to addresses: the library of a deployment in memory, made anew when its addresses change."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from sqlalchemy import Connection, Engine

from api import messages
from api.address_answers import AddressPart, LibraryAddress, MatchedAddress, NearAddresses, ParsedAddress, Reason
from data.addressing import model_file
from data.postgres import address_library, generations, publications
from data.postgres.territories import Territory
from gis.addressing.matching.junctions import Place, Streets
from gis.addressing.matching.library import Library
from gis.addressing.matching.matcher import Answer, Matcher
from gis.addressing.matching.reverse import Reverse
from gis.addressing.parsing.model import Model, Parsed, Parser
from gis.addressing.parsing.normalise import LONGEST
from gis.locate import datums

#: Kinds of names as the parser's lexicon calls them.
_LEXICON = {"county": "district", "town": "town", "community": "community", "road": "road", "compound": "compound"}


@dataclass(frozen=True)
class Ground:
    """Streets and points of one territory in its metre CRS."""

    territory: Territory
    streets: Streets
    reverse: Reverse


class Scope:
    """The library of some territories on a day, with what is derived from it when first needed."""

    def __init__(self, read: address_library.Read, model: Model, grounds: Sequence[_Drawn]) -> None:
        self.read = read
        self._drawn = grounds
        library = Library(read.entries, read.other_names, read.above, read.texts)
        names = [(n, _LEXICON[k]) for k in _LEXICON for n in library.place[k] if n]
        self.parser = Parser(model, names)
        self.matcher = Matcher(library, self.parser)

    @cached_property
    def grounds(self) -> list[Ground]:
        """Streets and points, one entry a territory."""
        return [self._ground(d) for d in self._drawn]

    def _ground(self, drawn: _Drawn) -> Ground:
        e = self.read.entries
        rows = np.flatnonzero(
            (self.read.territory == drawn.territory.id) & (e.unit == "") & (e.room == "") & ~e.ended
        )
        x, y = datums.project(e.x[rows], e.y[rows], drawn.territory.crs)
        points: Any = shapely.points(x, y)
        named = np.flatnonzero(e.compound[rows] != "")
        streets = Streets(drawn.lines.name, drawn.lines.geometry, e.compound[rows][named], points[named])
        road = e.road[rows]
        return Ground(drawn.territory, streets, Reverse(rows, x, y, road, drawn.lines.name, drawn.lines.geometry))


@dataclass(frozen=True)
class _Drawn:
    territory: Territory
    lines: address_library.Lines


class Addresses:
    """Libraries by scope; safe to share between threads. A scope is read again when its addresses have changed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._lock = threading.Lock()
        self._held: dict[tuple[int, ...], tuple[Any, Scope]] = {}

    @cached_property
    def model(self) -> Model:
        """The shipped parser."""
        return model_file.shipped()

    def scope(self, wanted: Sequence[int] | None = None, day: date | None = None) -> Scope:
        """The library of some territories (all when None) as of a day (today when None)."""
        with self._engine.connect() as connection:
            every = address_library.every(connection)
            chosen = [t for t in every if wanted is None or t.id in wanted]
            on = day or (publications.today(chosen[0]) if chosen else date.today())  # noqa: DTZ011 nothing is there
            state = (on, [(t.id, sorted(generations.current(connection, t.id).items())) for t in chosen])
            key = tuple(t.id for t in chosen)
            with self._lock:
                held = self._held.get(key)
                if held is None or held[0] != state:
                    held = state, self._read(connection, chosen, on)
                    self._held[key] = held
            return held[1]

    def _read(self, connection: Connection, chosen: Sequence[Territory], on: date) -> Scope:
        read = address_library.read(connection, [t.id for t in chosen], on)
        drawn = [_Drawn(t, address_library.lines(connection, t.id, on)) for t in chosen]
        return Scope(read, self.model, drawn)


def parse(parser: Parser, text: str) -> ParsedAddress:
    """The labelled parts of a text."""
    parsed = parser.parse(text)
    return ParsedAddress(parsed.text, _parts(parsed), round(parsed.probability, 4))


def match(scope: Scope, text: str, language: str, *, parts: bool = True) -> MatchedAddress:
    """What a text means in a scope: an address, a corner or stretch of streets, candidates, or nothing.

    ``parts`` false leaves the labelled parts out, which takes half the time.
    """
    parsed = scope.parser.parse(text) if parts and len(text) <= LONGEST else None
    found = scope.matcher.match(text, parsed)
    parsed = parsed or Parsed("", (), 0.0)
    place = _place(scope, text) if found.status != "exact" else None
    if place is not None:
        ground, where = place
        if where.reason in ("", "several_corners") and where.geometry is not None:
            shape = _geojson(where.geometry, ground.territory.crs)
            why = _reasons((where.reason,) if where.reason else (), language)
            score = 0.95 if not where.reason else 0.6
            status: Any = "place" if not where.reason else "unsure"
            return MatchedAddress(text, status, score, [], [], why, _parts(parsed), shape)
        return MatchedAddress(text, "none", 0.0, [], [], _reasons((where.reason,), language), _parts(parsed))
    return _answered(scope, text, found, parsed, language)


def near(scope: Scope, lon: float, lat: float, crs: str, limit: int) -> NearAddresses:
    """Addresses around a position, those of its street first."""
    datum = datums.parse(crs)
    east, north = datums.to_wgs84(np.array([lon]), np.array([lat]), datum)
    best: NearAddresses = NearAddresses("", [])
    for ground in scope.grounds:
        x, y = datums.project(east, north, ground.territory.crs)
        if not (np.isfinite(x[0]) and np.isfinite(y[0])):
            continue
        found = ground.reverse.near(float(x[0]), float(y[0]), limit)
        if found.rows and (not best.addresses or found.metres[0] < (best.addresses[0].metres or 0.0)):
            rows = [_address(scope, r, m) for r, m in zip(found.rows, found.metres, strict=True)]
            best = NearAddresses(found.street, rows)
    return best


def _place(scope: Scope, text: str) -> tuple[Ground, Place] | None:
    if len(text) > LONGEST:
        return None
    found = [(g, p) for g in scope.grounds if (p := g.streets.place(text)) is not None]
    sure = [f for f in found if not f[1].reason]
    return (sure or found)[0] if found else None


def _answered(scope: Scope, text: str, found: Answer, parsed: Parsed, language: str) -> MatchedAddress:
    return MatchedAddress(
        text,
        found.status,
        found.score,
        [_address(scope, r) for r in found.rows],
        [_address(scope, r) for r in found.candidates],
        _reasons(found.reasons, language),
        _parts(parsed),
    )


def _address(scope: Scope, row: int, metres: float | None = None) -> LibraryAddress:
    e = scope.read.entries
    lon, lat = round(float(e.x[row]), 7), round(float(e.y[row]), 7)
    return LibraryAddress(str(e.code[row]), str(e.text[row]), str(e.community[row]), lon, lat, metres)


def _parts(parsed: Parsed) -> list[AddressPart]:
    return [AddressPart(p.kind, p.text, p.start, p.end) for p in parsed.parts]


def _reasons(codes: Sequence[str], language: str) -> list[Reason]:
    return [Reason(c, messages.text(f"parse.reason.{c}", language)) for c in codes]


def _geojson(geometry: Any, crs: str) -> dict[str, Any]:
    """A geometry in metres as GeoJSON in WGS84."""
    datum = datums.parse(crs)

    def degrees(xy: Any) -> Any:
        lon, lat = datums.to_wgs84(xy[:, 0], xy[:, 1], datum)
        return np.round(np.column_stack([lon, lat]), 7)

    import json

    made: dict[str, Any] = json.loads(shapely.to_geojson(shapely.transform(geometry, degrees)))
    return made
