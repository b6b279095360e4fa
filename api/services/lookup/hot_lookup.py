"""Lookups of one public point answered in front of Flask, byte for byte what Flask would say.

Only the plain case is answered here: a question that is well formed, on what is in force today. Everything else
(faults, ``as_of``, no database) is left to the routes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import unquote_plus

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from api.answers import Lookup
from api.languages import chosen
from api.services.lookup import lookup
from api.services.published import Published, Standing
from gis.errors import WanggeError
from gis.locate import datums
from gis.locate.datums import Datum

Answer = tuple[int, list[tuple[str, str]], bytes]

_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,30})?")
_KEYS: Final = frozenset(("lon", "lat", "crs", "accuracy", "lang"))
_FARTHEST: Final = 100_000.0  # metres: as api.answers.LookupQuery has it


class HotLookup:
    """Answers of ``GET /api/lookup``; for many threads. ``more``: headers of every answer besides its own."""

    def __init__(self, published: Published, more: Iterable[tuple[str, str]] = ()) -> None:
        self._published = published
        self._headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store"), *more]
        self._encode = msgspec.json.Encoder().encode

    def answer(self, environ: Mapping[str, Any]) -> Answer | None:
        """Status, headers and body; None where Flask has to answer."""
        given = _query(environ.get("QUERY_STRING", ""))
        if given is None or "HTTP_AUTHORIZATION" in environ:
            return None
        x, y, crs, accuracy, language = given
        try:
            datum = datums.parse(crs)
            standing = self._published.standing()
            found = self._certain(standing, x, y, datum, accuracy) or lookup.one(self._published, x, y, crs, accuracy)
        except (WanggeError, SQLAlchemyError):
            return None  # said in full by the routes
        return self._said(found, language, environ.get("HTTP_ACCEPT_LANGUAGE", ""))

    def at_once(self, query: str, languages: str) -> Answer | None:
        """As ``answer``, without asking the database: None where that would have to be. ``languages``: accepted."""
        given, standing = _query(query), self._published.known()
        if given is None or standing is None:
            return None
        x, y, crs, accuracy, language = given
        try:
            found = self._certain(standing, x, y, datums.parse(crs), accuracy, asking=False)
        except WanggeError:
            return None
        return None if found is None else self._said(found, language, languages)

    def _said(self, found: Lookup, language: str, languages: str) -> Answer:
        noted = lookup.noted(found, chosen(language, languages))
        return 200, self._headers, self._encode(noted)

    def _certain(
        self, standing: Standing, x: float, y: float, datum: Datum, accuracy: float, *, asking: bool = True
    ) -> Lookup | None:
        """The answer where it is certain, else None. ``asking`` off: None too where people are not in memory."""
        place = datums.point_to_wgs84(x, y, datum)
        if place is None:
            return None
        found = _only_grid(standing, x, y, *place, datum)
        if found is None or not found[2] > accuracy:
            return None
        k, row, edge = found
        info, grids = standing.infos[k], standing.snapshots[k].grids
        grid_id = str(grids.grid_id[row])
        if not asking and (k, grid_id) not in standing.people:
            return None
        people = self._published.people(standing, ((k, grid_id),))[k, grid_id]
        return Lookup(
            "certain",
            grid_id,
            grids.code[row],
            grids.name[row],
            grids.community[row],
            round(edge, 2),
            [],
            lookup.persons(people),
            (round(place[0], 9), round(place[1], 9)),
            info.day,
            info.publication,
            info.territory,
            datum.name,
        )


def _only_grid(
    standing: Standing, x: float, y: float, lon: float, lat: float, datum: Datum
) -> tuple[int, int, float] | None:
    """Place and row of the grid that holds a position, and metres to its border; None when none or several do."""
    found: tuple[int, int, float] | None = None
    crs, east, north = "", 0.0, 0.0
    for k, snapshot in enumerate(standing.snapshots):
        if snapshot.crs != crs:
            crs = snapshot.crs
            if datum.name == crs:
                east, north = x, y
            else:
                east, north = datums.transformer("EPSG:4326", crs).transform(lon, lat)
        row, edge = snapshot.index.locate_one(east, north)
        if row >= 0:
            if found is not None:
                return None
            found = k, row, edge
    return found


def _query(text: str) -> tuple[float, float, str, float, str] | None:
    """Easting, northing, datum, accuracy and language; None for whatever is not plainly written."""
    given: dict[str, str] = {}
    for part in text.split("&"):
        key, _, value = part.partition("=")
        if key not in _KEYS or key in given:
            return None
        given[key] = unquote_plus(value) if "%" in value or "+" in value else value
    lon, lat, accuracy = given.get("lon", ""), given.get("lat", ""), given.get("accuracy", "0")
    if not all(_NUMBER.fullmatch(v) for v in (lon, lat, accuracy)):
        return None
    metres = float(accuracy)
    if not 0.0 <= metres <= _FARTHEST:
        return None
    return float(lon), float(lat), given.get("crs", ""), metres, given.get("lang", "")
