"""Vector tiles (MVT 2.1) written by ourselves, from columns: clip, round to tile units, write protocol buffers.

Shared borders are rounded vertex by vertex to the same units, so a coverage stays one in the tile.
Format: https://github.com/mapbox/vector-tile-spec/tree/master/2.1
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely

from gis.territory.model import Floats, Geometries, Ints
from gis.tiles import pieces
from gis.tiles.columns import Bytes, Columns, Flags, build, field
from gis.tiles.cutting import rings_of
from gis.tiles.kernels import CUT, draw_cut, gather, survey, write
from gis.tiles.pyramid import BUFFER, EXTENT, bounds

_NO_FLAGS: Flags = np.zeros(0, dtype=bool)
#: Bytes that one vertex, one part and one feature may take at most, commands and lengths included.
_VERTEX, _PART, _FEATURE, _TAG = 24, 256, 64, 10
#: shapely's type id of a polygon.
_AREA = 3


def layer(
    name: str,
    tile: tuple[int, int, int],
    ids: Sequence[int],
    columns: Mapping[str, Sequence[Any]],
    geometry: Geometries,
) -> bytes:
    """One layer of the tile z/x/y; b"" when no feature shows.

    ``geometry`` is in EPSG:3857, one kind a feature. ``columns`` hold texts, whole numbers, floats, booleans or
    None (left out). Features come in the order given; points beyond the buffer and shapes that round to
    nothing are left out.
    """
    return table(name, tile, build(ids, columns, geometry))


def table(name: str, tile: tuple[int, int, int], columns: Columns, *, chosen: Flags | None = None) -> bytes:
    """One layer of the tile z/x/y from prepared columns; b"" when no feature shows.

    ``chosen`` (n,): features that may show.
    """
    west, _, east, north = bounds(*tile)
    scale = EXTENT / (east - west)
    low, high = -float(BUFFER), float(EXTENT + BUFFER)
    place = (west, north, scale, low, high)
    of, c = _NO_FLAGS if chosen is None else chosen, columns
    rows, state, vertices, parts = survey(*place, tile[0], of, c.zoom, c.kind, c.box, c.first, c.start, c.outer, c.xy)
    if not len(rows):
        return b""
    cut, cut_ends = _cut(columns, rows[state == CUT], place)
    room = _VERTEX * vertices + _PART * parts + len(cut) + len(rows) * (_FEATURE + _TAG * c.shown)
    out = np.empty(room, np.uint8)
    used = np.empty(len(c.values), np.int32)
    size, values = write(
        *place, rows, state, c.ids, c.kind, c.first, c.start, c.outer, c.xy, c.codes, c.shown, cut, cut_ends, out,
        used,
    )  # fmt: skip
    if not size:
        return b""
    keys = b"".join(field(3, key.encode()) for key in c.keys[: c.shown])
    dictionary = gather(used[:values], c.written, c.written_at).tobytes()
    head = field(1, name.encode())
    return field(3, b"".join((head, out[:size].tobytes(), keys, dictionary, _TAIL)))


_TAIL = b"\x28" + bytes((EXTENT & 127 | 128, EXTENT >> 7)) + b"\x78\x02"


def _cut(columns: Columns, rows: Ints, place: tuple[float, float, float, float, float]) -> tuple[Bytes, Ints]:
    """Polygons that the tile's edge cuts into several pieces: commands, and where each ends."""
    if not len(rows):
        return _NOTHING
    first, start, begins, xy, done = pieces.cut(rows, columns.first, columns.start, columns.outer, columns.xy, place)
    if not done:
        first, start, begins, xy = by_geos(columns, rows, place)
    made: tuple[Bytes, Ints] = draw_cut(first, start, begins, xy)
    return made


def by_geos(
    columns: Columns, rows: Ints, place: tuple[float, float, float, float, float]
) -> tuple[Ints, Ints, Flags, Floats]:
    """As ``gis.tiles.pieces.cut``, by GEOS: for rings that are no simple ones, and to compare with."""
    west, north, scale, low, high = place
    c = columns
    local, ring, polygon, row = rings_of(rows, c.first, c.start, c.outer, c.xy, west, north, scale)
    rings = np.asarray(shapely.linearrings(local, indices=ring))
    whole = shapely.polygons(rings, indices=polygon)
    pieces, piece_of = shapely.get_parts(shapely.clip_by_rect(whole, low, low, high, high), return_index=True)
    # an edge that is only touched leaves lines and points
    areas = (shapely.get_type_id(pieces) == _AREA) & ~shapely.is_empty(pieces)
    rings, ring_of = shapely.get_rings(pieces[areas], return_index=True)
    begins = np.ones(len(rings), bool)
    begins[1:] = ring_of[1:] != ring_of[:-1]
    xy, line = shapely.get_coordinates(rings, return_index=True)
    first = np.searchsorted(row[piece_of[areas]][ring_of], np.arange(len(rows) + 1)).astype(np.int64)
    return first, np.searchsorted(line, np.arange(len(rings) + 1)).astype(np.int64), begins, xy


_NOTHING = (np.zeros(0, np.uint8), np.zeros(1, np.int64))


def warm() -> None:
    """Compile or load the kernels."""
    comb = [(1e7, 0), (3e7, 0), (3e7, 1e6), (1.5e7, 1e6), (1.5e7, 2e6), (3e7, 2e6), (3e7, 3e6), (1e7, 3e6)]
    shapes = [shapely.Polygon(comb), shapely.LineString([(0, 0), (1e6, 1e6)]), shapely.Point(0, 0)]
    layer("warm", (0, 0, 0), [1, 2, 3], {"a": ["b", None, 1]}, np.array(shapes, dtype=object))
