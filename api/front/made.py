"""Tiles that are in no cache, made before Flask where everything they need is in memory."""

from __future__ import annotations

import re
from typing import Final

from api.services.tiles import tile_request
from api.services.tiles.tile_cache import Kept
from api.services.tiles.tiles import Tiles

#: One spelling of what the route takes; other spellings are the route's.
_PATH: Final = re.compile(r"/tiles/([a-z,-]+)/([0-9]{1,2})/([0-9]{1,8})/([0-9]{1,8})\.mvt")


class MadeTiles:
    """Tiles of what is published today, by path."""

    def __init__(self, tiles: Tiles) -> None:
        self._tiles = tiles

    def make(self, path: str) -> tuple[Kept, bytes] | None:
        """The tile and its body; None where the route shall answer."""
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        layers, z, x, y = found.groups()
        try:
            return self._tiles.at_once(tile_request.parse(layers, int(z), int(x), int(y)))
        except Exception:
            return None  # whatever it is, the route meets it again and tells of it
