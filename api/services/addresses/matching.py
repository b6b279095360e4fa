"""Texts to addresses: the library of a deployment, always as of now.

The bulk of it is a base a territory, made in the background and shared by workers (``library_bases``); what changed
since is read when something changed (``library_shelves``), and stands in place of the base's rows.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Final

import numpy as np
import shapely
from sqlalchemy import Connection, Engine

from api import messages
from api.address_answers import AddressPart, LibraryAddress, MatchedAddress, NearAddresses, ParsedAddress, Reason
from api.services.addresses import library_bases, library_shelves
from api.services.addresses.library_bases import Base, Bases
from api.services.addresses.library_shelves import Shelf, Stand
from api.services.published import Freshness
from data.addressing import model_file
from data.postgres.addresses import address_library
from data.postgres.addresses.address_library import Lines
from data.postgres.imported.territories import Territory
from data.postgres.plans import publications
from gis.addressing.matching.junctions import Place, Streets
from gis.addressing.matching.library import Library, OtherName
from gis.addressing.matching.matcher import Answer, Matcher
from gis.addressing.matching.names import folded
from gis.addressing.matching.reverse import Reverse
from gis.addressing.matching.segment import Segment
from gis.addressing.parsing.model import Model, Parsed, Parser
from gis.addressing.parsing.normalise import LONGEST
from gis.errors import BusyError, InputError
from gis.locate import datums

#: Kinds of names as the parser's lexicon calls them.
_LEXICON = {"county": "district", "town": "town", "community": "community", "road": "road", "compound": "compound"}
#: Scopes kept, each of some territories.
_SCOPES: Final = 16


@dataclass(frozen=True)
class Ground:
    """Streets and points of one territory in its metre CRS; ``reverse`` counts rows from ``offset``."""

    territory: Territory
    streets: Streets
    reverse: Reverse
    offset: int


class Scope:
    """The library of some territories on a day, with what is derived from it when first needed.

    ``stands``: each territory as it was then, in the order of the library's parts; ``added`` the part that holds what
    changed in all of them, if there is one.
    """

    def __init__(self, library: Library, parser: Parser, stands: Sequence[Stand], engine: Engine) -> None:
        self.library = library
        self.parser = parser
        self.matcher = Matcher(library, parser)
        self._stands = stands
        self._engine = engine

    @cached_property
    def grounds(self) -> list[Ground]:
        """Streets and points, one entry a territory."""
        parts, found = self.library.parts, []
        begin = parts[len(self._stands)].offset if len(parts) > len(self._stands) else 0
        for part, stand in zip(parts, self._stands, strict=False):
            count = len(stand.read.id) if stand.read is not None else 0
            found.append(self._ground(stand, part.offset, range(begin, begin + count)))
            begin += count
        return found

    def _ground(self, stand: Stand, offset: int, added: range) -> Ground:
        """``offset``: of the base's rows; ``added``: rows of what changed."""
        crs, base = stand.territory.crs, stand.base.segment
        held = stand.shelf.drawn
        if held is None or held[:2] != (stand.base, stand.streets):
            with self._engine.connect() as connection:
                lines = address_library.lines(connection, stand.territory.id, stand.day)
            streets = Streets(lines.name, lines.geometry, np.array([], dtype=object), np.array([], dtype=object))
            reverse = _reverse(base, crs, lines)
            held = stand.shelf.drawn = (stand.base, stand.streets, streets, reverse)
        reverse = held[3]
        if added or self.library.hidden:
            part = self.library.parts[-1]
            rows = part.segment.buildings
            rows = rows[(rows >= added.start - part.offset) & (rows < added.stop - part.offset)]
            x, y, road = _points(part.segment, rows, crs)
            hidden = {r - offset for r in self.library.hidden}
            reverse = reverse.changed(rows + part.offset - offset, x, y, road, hidden)
        mine = (range(offset, offset + len(base)), added)
        streets = held[2].with_places(lambda name: self._compound(name, mine, crs))
        return Ground(stand.territory, streets, reverse, offset)

    def _compound(self, name: str, among: Sequence[range], crs: str) -> Any:
        """The buildings of a compound in metres; None for a name that is none."""
        named = self.library.names.exact(folded(name))
        rows = [r for n in named.compounds for r in self.library.buildings_of(n.number)] if named else []
        at = np.array([self.library.position(r) for r in rows if any(r in m for m in among)], dtype=np.float64)
        return shapely.multipoints(np.column_stack(datums.project(at[:, 0], at[:, 1], crs))) if len(at) else None


def _points(segment: Segment, rows: Any, crs: str) -> tuple[Any, Any, Any]:
    """Positions in metres and roads of some rows."""
    x, y = datums.project(segment.x[rows], segment.y[rows], crs)
    return x, y, np.array(segment.place["road"], dtype=object)[segment.columns["road"][rows]]


def _reverse(segment: Segment, crs: str, lines: Lines) -> Reverse:
    rows = segment.buildings
    return Reverse(rows, *_points(segment, rows, crs), lines.name, lines.geometry)


class Addresses:
    """Libraries by scope; safe to share between threads, and never older than the database's last change.

    ``watch`` tells when nothing can have changed; without one the database is asked every time.
    """

    def __init__(self, engine: Engine, bases: Bases | None = None, watch: Freshness | None = None) -> None:
        url = engine.url.render_as_string(hide_password=False)
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._seeing = engine.execution_options(isolation_level="REPEATABLE READ")
        self._bases = bases or Bases(url)
        self._watch = watch
        self._lock = threading.Lock()
        self._shelves: dict[int, Shelf] = {}
        self._held: dict[tuple[int, ...] | None, tuple[int, Any, Scope]] = {}
        self._joined: tuple[list[Base], Library] | None = None
        self._read_by: tuple[Library, Parser] | None = None

    @cached_property
    def model(self) -> Model:
        """The shipped parser."""
        return model_file.shipped()

    def scope(self, wanted: Sequence[int] | None = None, day: date | None = None) -> Scope:
        """The library of some territories (all when None) as of a day (today when None).

        Raises BusyError where a large library was never made on this machine, or is too far behind.
        """
        key = None if wanted is None else tuple(sorted(wanted))
        watch = self._watch
        held = self._held.get(key)
        if day is None and held is not None and watch is not None and watch.fresh(held[0]):
            return held[2]
        with self._lock:
            epoch = watch.epoch if watch is not None else 0
            with self._reading() as connection:
                chosen = [t for t in address_library.every(connection) if key is None or t.id in key]
                on = day or (publications.today(chosen[0]) if chosen else date.today())  # noqa: DTZ011 nothing is there
                if day is not None:
                    return self._past(connection, chosen, on)
                shelves = [self._shelf(connection, t, on) for t in chosen]
                state = [s.state() for s in shelves]
                if held is None or held[1] != state:
                    scope = self._scope(connection, [s.stand() for s in shelves])
                else:
                    scope = held[2]
            if len(self._held) >= _SCOPES and key not in self._held:
                self._held.clear()
            self._held[key] = epoch, state, scope
            return scope

    def warm(self, wanted: Sequence[int]) -> None:
        """Have the library of some territories there, or let it be made."""
        with contextlib.suppress(BusyError):
            self.scope(wanted)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database."""
        with self._seeing.connect() as connection:
            yield connection

    def _shelf(self, connection: Connection, territory: Territory, on: date) -> Shelf:
        """A territory with what changed up to now."""
        shelf = self._shelves.get(territory.id)
        fresh = self._bases.newer(territory.id)
        if fresh is not None and library_bases.usable(connection, territory.id, fresh, on):
            shelf = Shelf(territory, fresh, on)
        if shelf is None or not shelf.follow(connection, territory, on):
            shelf = Shelf(territory, self._bases.get(connection, territory.id, on), on)
            shelf.follow(connection, territory, on)
        self._shelves[territory.id] = shelf
        if len(shelf.replaced) > library_shelves.RENEW:
            self._bases.renew(territory.id)
        return shelf

    def _past(self, connection: Connection, chosen: Sequence[Territory], on: date) -> Scope:
        """As of another day: made for this once."""
        bases = [library_bases.base_of(*library_bases.made(connection, t.id, on)) for t in chosen]
        return self._scope(connection, [Shelf(t, b, on).stand() for t, b in zip(chosen, bases, strict=True)])

    def _scope(self, connection: Connection, stands: Sequence[Stand]) -> Scope:
        core = self._core(stands)
        segment, replaced = library_shelves.added(stands)
        named = address_library.names(connection, [s.territory.id for s in stands])
        segments = [s.base.segment for s in stands] + ([segment] if segment is not None else [])
        groups = sorted({pair for s in segments for pair in s.short_groups})
        every = [*named.other, *(OtherName("group", g, short) for g, short in groups)]
        library = core.grown(segment, replaced, every, named.above, named.within)
        return Scope(library, self._parser(core, library), stands, self._engine)

    def _core(self, stands: Sequence[Stand]) -> Library:
        """The library of the bases alone, kept while they stay."""
        if len(stands) == 1:
            return stands[0].base.core
        bases, held = [s.base for s in stands], self._joined
        if held is None or held[0] != bases:
            held = self._joined = bases, Library.of([b.segment for b in bases])
        return held[1]

    def _parser(self, core: Library, library: Library) -> Parser:
        """The parser with a library's names: the one of its core where no place came to it."""
        held = self._read_by
        if held is None or held[0] is not core:
            held = self._read_by = core, self._with_names(core)
        same = all(len(library.place[k]) == len(core.place[k]) for k in _LEXICON)
        return held[1] if same else self._with_names(library)

    def _with_names(self, library: Library) -> Parser:
        return Parser(self.model, [(n, _LEXICON[k]) for k in _LEXICON for n in library.place[k] if n])


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
    """Addresses around a position, those of its street first. Raises InputError for what is no place on earth."""
    datum = datums.parse(crs)
    east, north = datums.to_wgs84(np.array([lon]), np.array([lat]), datum)
    if not np.isfinite(east[0]):
        turned, _ = datums.to_wgs84(np.array([lat]), np.array([lon]), datum)
        code = "lookup.swapped" if np.isfinite(turned[0]) else "lookup.impossible"
        raise InputError(code, row=1, x=lon, y=lat, crs=datum.name)
    best: NearAddresses = NearAddresses("", [])
    for ground in scope.grounds:
        x, y = datums.project(east, north, ground.territory.crs)
        if not (np.isfinite(x[0]) and np.isfinite(y[0])):
            continue
        found = ground.reverse.near(float(x[0]), float(y[0]), limit)
        if found.rows and (not best.addresses or found.metres[0] < (best.addresses[0].metres or 0.0)):
            rows = [_address(scope, r + ground.offset, m) for r, m in zip(found.rows, found.metres, strict=True)]
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
    library = scope.library
    lon, lat = library.position(row)
    community = library.named("community", row)
    return LibraryAddress(library.code(row), library.text(row), community, round(lon, 7), round(lat, 7), metres)


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

    made: dict[str, Any] = json.loads(shapely.to_geojson(shapely.transform(geometry, degrees)))
    return made
