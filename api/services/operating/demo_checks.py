"""The demo's own check of what it is about to serve: tiles hold every grid, lookup names every grid."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from api.services.lookup import pointcolumns
from api.services.plates import pages
from api.services.published import Published, Snapshot
from api.services.tiles import tile_request, tiles
from data.postgres.plans.read_published import InForce
from data.postgres.plates import read_plates
from gis.errors import InputError
from gis.progress import Progress, silent
from gis.tiles import pyramid

_LAYERS: Final = "water,communities,grids,rail,streets,buildings,addresses,labels"
_ZOOM: Final = 14
#: Plate links that are opened.
_LINKS: Final = 50


@dataclass(frozen=True)
class Checked:
    """How many tiles were made, positions looked up and plate links opened."""

    tiles: int
    lookups: int
    links: int


def check(published: Published, publication: int, progress: Progress = silent) -> Checked:
    """Check one publication in force; a fault is an error with its reason."""
    with published.reading() as connection:
        info = next(i for i in published.in_force(connection) if i.publication == publication)
        snapshot = published.snapshot(connection, publication, info.crs)
    made = _tiles(published, info, snapshot, progress)
    asked = _lookups(published, snapshot, progress)
    return Checked(made, asked, _links(published, info, progress))


def _tiles(published: Published, info: InForce, snapshot: Snapshot, progress: Progress) -> int:
    """Every tile of a middle zoom: together their labels name every grid and community once."""
    west, south, east, north = (float(v) for v in _degrees(snapshot))
    wanted = pyramid.covering(_ZOOM, west, south, east, north)
    made = tiles.uncached(published)
    labels = 0
    for k, (x, y) in enumerate(wanted):
        body = gzip.decompress(made.tile(tile_request.parse(_LAYERS, _ZOOM, x, y)).body)
        labels += dict(layers(body)).get("labels", 0)
        progress("tiles", (k + 1) / len(wanted))
    expected = len(snapshot.grids) + len(snapshot.communities.ids)
    if labels != expected:
        raise InputError("demo.failed_tiles", territory=info.name, found=labels, expected=expected)
    return len(wanted)


def _degrees(snapshot: Snapshot) -> tuple[float, float, float, float]:
    box = snapshot.bounds_wgs84
    return box[:, 0].min(), box[:, 1].min(), box[:, 2].max(), box[:, 3].max()


def _lookups(published: Published, snapshot: Snapshot, progress: Progress) -> int:
    """The label point of every grid lies in that grid and in no other."""
    progress("lookup", 0.0)
    grids = snapshot.grids
    found = pointcolumns.columns(published, grids.label[:, 0], grids.label[:, 1], "EPSG:3857")
    wrong = np.flatnonzero(found["grid_id"] != grids.grid_id)
    if len(wrong):
        raise InputError("demo.failed_lookup", count=len(wrong), grid=grids.code[wrong[0]])
    progress("lookup", 1.0)
    return len(grids)


def _links(published: Published, info: InForce, progress: Progress) -> int:
    """Plates just printed open their page, which is signed and names a grid."""
    with published.reading() as connection:
        links = read_plates.printed_links(connection, info.territory, _LINKS)
    for k, link in enumerate(links):
        page = pages.plate(published, link)
        if page.verdict != "signed" or page.grid is None:
            raise InputError("demo.failed_link", link=link, verdict=page.verdict)
        progress("links", (k + 1) / len(links))
    return len(links)


def layers(tile: bytes) -> Iterator[tuple[str, int]]:
    """Name and number of features of every layer of a vector tile (protocol buffers, read to this depth only)."""
    for _, layer in _fields(tile):
        name, features = "", 0
        for number, value in _fields(layer):
            if number == 1:
                name = value.decode()
            elif number == 2:
                features += 1
        yield name, features


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Length-delimited fields of a message; whole numbers are skipped."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        value, at = _varint(message, at)
        if key & 7 == 2:
            yield key >> 3, message[at : at + value]
            at += value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return value, at
        shift += 7
