"""Settings of one running service. Read once at start, passed on explicitly, never changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from data.machine import places
from gis.errors import SetupError


@dataclass(frozen=True)
class Config:
    """``database_url``: PostgreSQL; ``tile_cache_bytes``: memory for rendered tiles in each worker;
    ``typed_per_minute``: plate codes one address may type by hand (0: no limit); ``reports_per_day``: reports one
    address may send from plates' pages (0: no limit); ``behind_proxy``: trust one
    reverse proxy's ``X-Forwarded-*`` headers; ``cache_folder``: where workers share what they made ("": nowhere),
    rendered tiles up to ``tile_store_bytes``; ``cross_origin``: pages of other hosts may read
    what is public.
    """

    database_url: str
    tile_cache_bytes: int = 64 << 20
    typed_per_minute: int = 30
    behind_proxy: bool = False
    pool_size: int = 4
    reports_per_day: int = 50
    cache_folder: str = ""
    tile_store_bytes: int = 1 << 30
    cross_origin: bool = True

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """From ``DATABASE_URL`` and ``WANGGE_*``."""
        given = os.environ if environment is None else environment
        url = given.get("DATABASE_URL", "").strip()
        if not url:
            raise SetupError("serve.no_database")
        return cls(
            database_url=url,
            tile_cache_bytes=int(given.get("WANGGE_TILE_CACHE_MB", "64")) << 20,
            typed_per_minute=int(given.get("WANGGE_TYPED_PER_MINUTE", "30")),
            behind_proxy=given.get("WANGGE_BEHIND_PROXY", "") == "1",
            reports_per_day=int(given.get("WANGGE_REPORTS_PER_DAY", "50")),
            cache_folder=given.get("WANGGE_CACHE", str(places.state() / "cache")),
            tile_store_bytes=int(given.get("WANGGE_TILE_STORE_MB", "1024")) << 20,
            cross_origin=given.get("WANGGE_CROSS_ORIGIN", "1") != "0",
        )
