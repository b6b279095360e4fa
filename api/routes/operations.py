"""``/healthz /readyz /metrics`` and the API description."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from flask import Response

from api.answers import Health
from api.context import here
from api.endpoints import Endpoint, json
from api.front.wsgi import count
from api.services.operating import health


def healthz() -> Response:
    """This worker answers."""
    return json(Health("ok"))


def readyz() -> Response:
    """The database answers and is migrated."""
    missing = health.missing(here().engine)
    return json(Health("waiting", missing), 503) if missing else json(Health("ok"))


def metrics() -> Response:
    """This worker's counters in Prometheus' text form."""
    context = here()
    with context.lock:
        requests = sorted(context.requests.items())
        seconds = sorted(context.seconds.items())
    lines = ["# TYPE wangge_requests_total counter"]
    lines += [f'wangge_requests_total{{route="{r}",status="{s}"}} {n}' for (r, s), n in requests]
    lines += ["# TYPE wangge_request_seconds_total counter"]
    lines += [f'wangge_request_seconds_total{{route="{r}"}} {n:.6f}' for r, n in seconds]
    lines += ["# TYPE wangge_tile_cache_total counter"]
    found = {"hit": context.tiles.hits, "stored": context.tiles.stored, "made": context.tiles.made}
    lines += [f'wangge_tile_cache_total{{result="{name}"}} {count(n)}' for name, n in found.items()]
    lines += ["# TYPE wangge_tile_cache_bytes gauge", f"wangge_tile_cache_bytes {context.tiles.cache.bytes}"]
    lines += ["# TYPE wangge_front_total counter"]
    lines += [f'wangge_front_total{{status="{s}"}} {count(n)}' for s, n in context.front.answered.items()]
    return Response("\n".join(lines) + "\n", mimetype="text/plain; version=0.0.4")


def openapi_view(description: Callable[[], dict[str, Any]]) -> Callable[[], Response]:
    """The view of the API description; made when the whole table of routes is known."""

    def openapi() -> Response:
        return Response(msgspec.json.encode(description()), mimetype="application/json")

    return openapi


ENDPOINTS: Final = (
    Endpoint("/healthz", healthz, "This worker answers", {"application/json": Health}, tag="operations"),
    Endpoint(
        "/readyz",
        readyz,
        "The database answers and is migrated",
        {"application/json": Health},
        statuses=(200, 503),
        tag="operations",
    ),
    Endpoint("/metrics", metrics, "Counters for Prometheus", {"text/plain": None}, tag="operations"),
)
