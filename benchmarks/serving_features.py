"""Features: pages of 100 with links and counts, and single ones, beside tipg on the same rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely

from benchmarks import serving_load
from benchmarks.runner import Say
from benchmarks.serving_city import CRS
from benchmarks.serving_data import Served
from benchmarks.serving_lookup import grids_of
from benchmarks.serving_servers import Server, Servers
from benchmarks.serving_tiles import ANEW, TIPG, Race, body_of, line, plain, race
from gis.locate import datums

LAYERS: Final = ("buildings", "grids")
LIMIT: Final = 100
#: Boxes that are asked for: beside the first page of all.
BOXES: Final = 15
ACCEPT: Final = "application/geo+json"


@dataclass(frozen=True)
class Asked:
    """The same questions for both sides, as paths."""

    ours: list[str]
    peer: list[str]


def boxes(served: Served, metres: float = 1500.0) -> list[str]:
    """Boxes in degrees about so many metres wide, anywhere in the city."""
    grids = np.asarray(shapely.from_wkb(grids_of(served)), dtype=object)
    west, south, east, north = shapely.total_bounds(grids)
    metres = min(metres, (east - west) / 4)
    rng = np.random.default_rng(3)
    x, y = rng.uniform(west, east - metres, BOXES), rng.uniform(south, north - metres, BOXES)
    meant = datums.parse(CRS)
    (w, s), (e, n) = datums.to_wgs84(x, y, meant), datums.to_wgs84(x + metres, y + metres, meant)
    return [",".join(f"{v:.6f}" for v in box) for box in zip(w, s, e, n, strict=True)]


def pages(layer: str, found: list[str]) -> Asked:
    """The first page of a layer, and the first of every box."""
    queries = [f"limit={LIMIT}", *(f"limit={LIMIT}&bbox={box}" for box in found)]
    return Asked(
        [f"/ogc/collections/{layer}/items?{q}" for q in queries],
        [f"/collections/peer.{layer}/items?{q}" for q in queries],
    )


def singles(layer: str, ours: Server, peer: Server | None) -> Asked:
    """A hundred features by their ids, the same ones on both sides where they can be told."""
    key = "grid_id" if layer == "grids" else "id"
    mine = _features(ours, f"/ogc/collections/{layer}/items?limit={LIMIT}")
    paths = [f"/ogc/collections/{layer}/items/{f['id']}" for f in mine]
    if peer is None:
        return Asked(paths, [])
    theirs = _features(peer, f"/collections/peer.{layer}/items?limit={LIMIT}")
    known = {str(f["properties"].get(key, f["id"])): f["id"] for f in theirs}
    same = [known.get(str(f["id"])) for f in mine]
    ids = [k for k in same if k is not None] if all(k is not None for k in same) else list(known.values())
    return Asked(paths, [f"/collections/peer.{layer}/items/{i}" for i in ids])


def _features(server: Server, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(plain(body_of(server, path, ACCEPT)))["features"]
    return found


def run(served: Served, servers: Servers, *, rounds: int, say: Say) -> dict[str, Race]:
    """Races by name: ``items <layer>`` and ``item <layer>``; our answers are made anew."""
    out: dict[str, Race] = {}
    found, server, peer = boxes(served), servers.anew, servers.tipg
    for layer in LAYERS:
        for name, asked in (("items", pages(layer, found)), ("item", singles(layer, server, peer))):
            entrants = [(ANEW, server, _requests(asked.ours))]
            if peer is not None:
                entrants.append((TIPG, peer, _requests(asked.peer)))
            made = race(f"{name} {layer}", entrants, rounds)
            if peer is not None and name == "items":
                made.equal = _equal(server, peer, asked, say)
            out[made.name] = made
            say(line(made))
    return out


def _requests(paths: list[str]) -> list[bytes]:
    return [serving_load.get(path, Accept=ACCEPT) for path in paths]


def _equal(ours: Server, peer: Server, asked: Asked, say: Say) -> float:
    """Share of pages with as many features, the same count of all, and a link to the next page on both sides."""
    same = 0
    for mine, theirs in zip(asked.ours, asked.peer, strict=True):
        pair = [json.loads(plain(body_of(s, p, ACCEPT))) for s, p in ((ours, mine), (peer, theirs))]
        said = [_said(p) for p in pair]
        same += said[0] == said[1]
        if said[0] != said[1]:
            say(f"{mine}: {said[0]} beside {said[1]}")
    return same / len(asked.ours)


def _said(page: dict[str, Any]) -> tuple[Any, ...]:
    follows = any(link.get("rel") == "next" for link in page.get("links", []))
    return len(page["features"]), page.get("numberReturned"), page.get("numberMatched"), follows
