"""Routes: they read the request, call one service and answer. ``endpoints()`` lists them all."""

from __future__ import annotations

from typing import Any

from api.endpoints import Endpoint


def endpoints() -> tuple[Endpoint, ...]:
    """Every route of the service, the API description last."""
    from api.openapi import describe
    from api.routes import addresses, downloads, features, lookup, operations, pages, places, plates, scan, tiles

    listed = (
        *pages.ENDPOINTS,
        *scan.ENDPOINTS,
        *lookup.ENDPOINTS,
        *addresses.ENDPOINTS,
        *places.ENDPOINTS,
        *plates.ENDPOINTS,
        *tiles.ENDPOINTS,
        *features.ENDPOINTS,
        *downloads.ENDPOINTS,
        *operations.ENDPOINTS,
    )

    def description() -> dict[str, Any]:
        return describe((*listed, own))

    own = Endpoint(
        "/api/openapi.json",
        operations.openapi_view(description),
        "This description (OpenAPI 3.1)",
        {"application/json": None},
        tag="operations",
        shared=True,
    )
    return (*listed, own)
