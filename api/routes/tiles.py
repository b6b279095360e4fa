"""``/tiles/...``: vector tiles and their TileJSON."""

from __future__ import annotations

import gzip
from typing import Final

from flask import Response, request

from api.answers import TileJson
from api.context import here
from api.endpoints import Endpoint, json
from api.services import tiles

MVT: Final = "application/vnd.mapbox-vector-tile"
#: Added to the ETag of a body that is not compressed.
_PLAIN: Final = "-plain"


def tile(layers: str, z: int, x: int, y: int) -> Response:
    """One gzipped tile; 304 when the caller's ETag still holds, 204 is never used (an empty tile is a tile)."""
    context = here()
    plain = not request.accept_encodings["gzip"]
    # a proxy may have weakened the tag, and a body without gzip has a tag of its own
    known = {tag.removesuffix(_PLAIN) for tag in request.if_none_match.as_set(include_weak=True)}
    made = tiles.tile(context.published, context.tiles, layers, z, x, y, known)
    held = made.etag in known
    body = gzip.decompress(made.body) if plain and not held else made.body
    answer = Response(body, 304 if held else 200, mimetype=MVT)
    answer.set_etag(made.etag + (_PLAIN if plain else ""))
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["Vary"] = "Accept-Encoding"
    if not held and not plain:
        answer.headers["Content-Encoding"] = "gzip"
    return answer


def tilejson(layers: str) -> Response:
    """The description of a tile set."""
    return json(tiles.tilejson(here().published, layers, request.host_url.rstrip("/")))


ENDPOINTS: Final = (
    Endpoint(
        "/tiles/{layers}/{z}/{x}/{y}.mvt",
        tile,
        "Vector tile of one or more layers, comma-separated",
        {MVT: None},
        parts={"z": int, "x": int, "y": int},
        statuses=(200, 304),
        faults=(400, 404),
        tag="tiles",
    ),
    Endpoint(
        "/tiles/{layers}.json",
        tilejson,
        "TileJSON 3.0 of one or more layers",
        {"application/json": TileJson},
        faults=(404,),
        tag="tiles",
    ),
)
