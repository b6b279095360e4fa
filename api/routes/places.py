"""``/api/territories``, ``/api/grids/...``, ``/api/search``: what the map and the phone page ask."""

from __future__ import annotations

from typing import Final

from flask import Response, request
from werkzeug.exceptions import TooManyRequests

from api.answers import AsOfQuery, FoundList, GridCard, SearchQuery, Territories, TerritoriesQuery
from api.context import here, language
from api.endpoints import Endpoint, json
from api.services import search as searching
from api.services import territories as places
from gis.addressing import codes


def territories(query: TerritoriesQuery) -> Response:
    """Published territories, page by page."""
    return json(places.territories(here().published, query.limit, query.after))


def grid(grid_id: str, query: AsOfQuery) -> Response:
    """One grid and its people."""
    return json(places.grid_card(here().published, grid_id, query.as_of, language()))


def search(query: SearchQuery) -> Response:
    """What a typed text may mean. Codes typed without their tag are counted like those at ``/d/``."""
    link = codes.parse(query.q)
    if link is not None and not link.key_id and not here().throttle.allows(request.remote_addr or ""):
        raise TooManyRequests
    return json(searching.search(here().published, query.q, query.territory, query.limit, query.after))


ENDPOINTS: Final = (
    Endpoint(
        "/api/territories",
        territories,
        "Published territories",
        {"application/json": Territories},
        query=TerritoriesQuery,
        faults=(400,),
        tag="grids",
    ),
    Endpoint(
        "/api/grids/{grid_id}",
        grid,
        "One grid and who is responsible",
        {"application/json": GridCard},
        query=AsOfQuery,
        faults=(400, 404),
        tag="grids",
    ),
    Endpoint(
        "/api/search",
        search,
        "Search by address, plate code, grid, street, compound or coordinate",
        {"application/json": FoundList},
        query=SearchQuery,
        faults=(400, 429),
        tag="search",
    ),
)
