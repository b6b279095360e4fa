"""``/tiles/...``: vector tiles and their TileJSON."""

from __future__ import annotations

from typing import Final

from flask import Response, request

from api.answers import TileJson
from api.context import here
from api.endpoints import Endpoint, json
from api.services import tiles

MVT: Final = "application/vnd.mapbox-vector-tile"


def tile(layers: str, z: int, x: int, y: int) -> Response:
    """One gzipped tile; 304 when the caller's ETag still holds, 204 is never used (an empty tile is a tile)."""
    context = here()
    known = next(iter(request.if_none_match), None)
    made = tiles.tile(context.published, context.tiles, layers, z, x, y, known)
    answer = Response(made.body, 304 if made.etag == known else 200, mimetype=MVT)
    answer.set_etag(made.etag)
    answer.headers["Cache-Control"] = "no-cache"
    if answer.status_code == 200:
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
