"""``/tiles/...``: vector tiles and their TileJSON."""

from __future__ import annotations

import gzip
from typing import Annotated, Final

import msgspec
from flask import Response, request

from api.answers import TileJson
from api.context import caller, here
from api.endpoints import Endpoint, json
from api.front.wsgi import takes_gzip
from api.services.tiles import tile_request, tiles
from api.services.tiles.tile_cache import MIME, PLAIN, headers

#: What may follow the ``?``: a plan version or a day, and the properties that layers are filtered by.
TileQuery: Final = msgspec.defstruct(
    "TileQuery",
    [
        ("plan", Annotated[str, msgspec.Meta(description="Id of a plan version; drafts need the token.")], ""),
        ("as_of", Annotated[str, msgspec.Meta(description="Day in force, YYYY-MM-DD; not with plan.")], ""),
        *((name, str, "") for name in tile_request.FILTERS),
    ],
    frozen=True,
)


def tile(layers: str, z: int, x: int, y: int, query: msgspec.Struct) -> Response:
    """One gzipped tile; 304 when the caller's ETag still holds, 204 is never used (an empty tile is a tile).

    The words after ``?`` are read where they stand, as a property may come several times (either value will do).
    What it may answer itself, the layer in front of Flask answers the next time (``api.front``).
    """
    context = here()
    drafts = caller().may_see_drafts()
    asked = tile_request.parse(layers, z, x, y, request.args.items(multi=True), drafts=drafts)
    plain = not takes_gzip(request.headers.get("Accept-Encoding", ""))
    # a proxy may have weakened the tag, and a body without gzip has a tag of its own
    known = {tag.removesuffix(PLAIN) for tag in request.if_none_match.as_set(include_weak=True)}
    made = context.tiles.tile(asked, known)
    if not made.private:
        context.front.keep(request.environ, made.kept)
    held = made.etag in known
    body = gzip.decompress(made.body) if plain and not held else made.body
    answer = Response(body, 304 if held else 200, headers=headers(made.etag + PLAIN * plain, private=made.private))
    if held:
        del answer.headers["Content-Type"]
        return answer
    answer.headers["Content-Type"] = MIME
    if not plain:
        answer.headers["Content-Encoding"] = "gzip"
    return answer


def tilejson(layers: str, query: msgspec.Struct) -> Response:
    """The description of a tile set; what follows ``?`` holds for each of its tiles."""
    base = request.host_url.rstrip("/")
    return json(tiles.tilejson(here().published, layers, base, request.args.items(multi=True)))


ENDPOINTS: Final = (
    Endpoint(
        "/tiles/{layers}/{z}/{x}/{y}.mvt",
        tile,
        "Vector tile of one or more layers, comma-separated",
        {MIME: None},
        parts={"z": int, "x": int, "y": int},
        query=TileQuery,
        statuses=(200, 304),
        faults=(400, 401, 404),
        tag="tiles",
        shared=True,
    ),
    Endpoint(
        "/tiles/{layers}.json",
        tilejson,
        "TileJSON 3.0 of one or more layers",
        {"application/json": TileJson},
        query=TileQuery,
        faults=(400, 404),
        tag="tiles",
        shared=True,
    ),
)
