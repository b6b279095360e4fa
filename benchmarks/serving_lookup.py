"""Lookup: many points beside geopandas and shapely, every point against PostGIS, one point beside Flask + PostGIS."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import psycopg
import shapely
from numpy.typing import NDArray

from benchmarks import serving_load
from benchmarks.runner import ROOT, Say, fresh_process
from benchmarks.serving_city import CRS
from benchmarks.serving_data import Served, plain_url
from benchmarks.serving_servers import Servers
from benchmarks.serving_tiles import ANEW, Race, body_of, line, plain, race
from gis.locate import datums

Floats = NDArray[np.float64]

PEER: Final = str(ROOT / "benchmarks" / "peers" / "bulk_lookup.py")
FLASK: Final = "Flask + PostGIS"
#: How far an adversarial point lies from an edge or a vertex at most, in metres.
NEAR: Final = 1e-6


@dataclass
class Bulk:
    """Points a CPU second by way, and points whose grid differs from PostGIS's."""

    points: int = 0
    ours: list[float] = field(default_factory=list)
    peers: dict[str, list[float]] = field(default_factory=dict)
    build_s: float | None = None
    index_mb: float | None = None
    disagree: int = 0  # with the peers, on the same points
    uniform: tuple[int, int] | None = None  # points, mismatches with PostGIS
    adversarial: tuple[int, int] | None = None

    def ratio(self, peer: str) -> float | None:
        """How many times the points a CPU second of one way; ``best``: of the best tree."""
        names = [peer] if peer != "best" else [n for n in self.peers if n != "sjoin"]
        rates = [np.array(self.peers[n]) for n in names if n in self.peers]
        return float(np.median(np.array(self.ours) / np.max(rates, axis=0))) if rates and self.ours else None


def grids_of(served: Served) -> NDArray[np.object_]:
    """The published grids by their ids, in the city's metre CRS."""
    with psycopg.connect(plain_url(served.url)) as connection:
        rows = connection.execute("SELECT ST_AsBinary(geom) FROM grid_version ORDER BY grid_id").fetchall()
    return np.array([bytes(wkb) for (wkb,) in rows], dtype=object)


def uniform(grids: NDArray[np.object_], count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Points anywhere on the city's box, a little beyond it too."""
    west, south, east, north = shapely.total_bounds(grids)
    more = 0.01 * (east - west)
    return rng.uniform(west - more, east + more, count), rng.uniform(south - more, north + more, count)


def adversarial(grids: NDArray[np.object_], count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Points on vertices, on edges (as near as numbers come), and within a micrometre of both."""
    xy, ring = shapely.get_coordinates(grids, return_index=True)
    edge = np.flatnonzero(ring[:-1] == ring[1:])
    some = edge[rng.integers(0, len(edge), count)]
    share = np.where(np.arange(count) % 4 == 0, 0.0, rng.random(count))[:, None]
    points = xy[some] + share * (xy[some + 1] - xy[some])
    off = rng.uniform(-NEAR, NEAR, (count, 2)) * (np.arange(count) % 2 == 1)[:, None]
    points = points + off
    return np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])


def bulk(served: Served, folder: Path, python: str | None, *, rounds: int, points: tuple[int, int], say: Say) -> Bulk:
    """Rates side by side, then every point against PostGIS. ``points``: uniform and adversarial ones."""
    wkb, rng = grids_of(served), np.random.default_rng(11)
    grids = np.asarray(shapely.from_wkb(wkb), dtype=object)
    many = uniform(grids, points[0], rng)
    hard = adversarial(grids, points[1], rng)
    out = Bulk(points=len(many[0]))
    for number in range(rounds):
        mine = _ours(folder, wkb, *many)
        out.ours.append(out.points / mine["cpu_s"])
        out.build_s, out.index_mb = mine["build_s"], mine["index_mb"]
        if python is not None:
            _peers(out, folder, python, say, first=number == 0)
    out.uniform = _beside_postgis(served, folder, wkb, many)
    out.adversarial = _beside_postgis(served, folder, wkb, hard)
    rates = {n: f"{np.median(v):,.0f}" for n, v in {"ours": out.ours, **out.peers}.items()}
    say(f"bulk lookup, points a CPU second: {rates}; mismatches {out.uniform} {out.adversarial}")
    return out


def _ours(folder: Path, wkb: NDArray[np.object_], x: Floats, y: Floats) -> dict[str, Any]:
    # the grids as hexadecimal WKB: a file without pickles
    np.savez(folder / "points.npz", wkb=np.array([w.hex() for w in wkb]), x=x, y=y)
    words = (str(folder / "points.npz"), str(folder / "ours.npy"))
    return fresh_process("benchmarks.serving_bulk_one", *words)


def _peers(out: Bulk, folder: Path, python: str, say: Say, *, first: bool) -> None:
    words = (str(folder / "points.npz"), str(folder / "peers.npy"))
    try:
        theirs = fresh_process(PEER, *words, python=python)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        say(f"geopandas and shapely: {error}")
        return
    for name, seconds in theirs.items():
        if name != "versions":
            out.peers.setdefault(name, []).append(out.points / seconds)
    if first:
        found, mine = np.load(folder / "peers.npy"), np.load(folder / "ours.npy")
        out.disagree = int((found != mine).any(axis=0).sum())


def _beside_postgis(
    served: Served, folder: Path, wkb: NDArray[np.object_], points: tuple[Floats, Floats]
) -> tuple[int, int]:
    """How many points there were, and how many have another grid by PostGIS."""
    _ours(folder, wkb, *points)
    mine = np.load(folder / "ours.npy")
    theirs = np.full(len(mine), -1)
    with psycopg.connect(plain_url(served.url)) as connection:
        connection.execute(_PLACES)
        connection.execute("CREATE TEMP TABLE ask (n int, x float8, y float8)")
        with connection.cursor().copy("COPY ask FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int4", "float8", "float8"])
            for row in zip(range(len(mine)), *(p.tolist() for p in points), strict=True):
                copy.write_row(row)
        connection.execute("ANALYZE ask")
        rows = connection.execute(_EVERY).fetchall()
    if rows:
        number, place = np.array(rows, dtype=np.int64).T
        theirs[number] = place
    return len(mine), int(np.count_nonzero(mine != theirs))


_PLACES: Final = """
CREATE TEMP TABLE place AS SELECT row_number() OVER (ORDER BY grid_id)::int - 1 AS place, geom FROM peer.places;
CREATE INDEX ON place USING gist (geom);
ANALYZE place;
"""
_EVERY: Final = """
SELECT a.n, min(g.place) FROM ask a JOIN place g ON ST_Covers(g.geom, ST_SetSRID(ST_MakePoint(a.x, a.y), 4547))
GROUP BY a.n
"""


def places(served: Served, count: int) -> list[tuple[float, float]]:
    """Points inside grids (outside, our answer says more than the peer's), WGS84 degrees to seven places."""
    grids = np.asarray(shapely.from_wkb(grids_of(served)), dtype=object)
    x, y = uniform(grids, 2 * count, np.random.default_rng(5))
    inside = np.unique(shapely.STRtree(grids).query(shapely.points(x, y), predicate="within")[0])[:count]
    lon, lat = datums.to_wgs84(x[inside], y[inside], datums.parse(CRS))
    return list(zip(np.round(lon, 7).tolist(), np.round(lat, 7).tolist(), strict=True))


def one(served: Served, servers: Servers, *, rounds: int, say: Say) -> Race:
    """One point a request: ours beside Flask + PostGIS."""
    mine = [f"/api/lookup?lon={lon}&lat={lat}&crs=wgs84" for lon, lat in places(served, 500)]
    requests = [serving_load.get(p) for p in mine]
    entrants = [(ANEW, servers.kept, requests)]
    if servers.flask is not None:
        entrants.append((FLASK, servers.flask, requests))
    out = race("one lookup", entrants, rounds)
    if servers.flask is not None:
        pairs = [[json.loads(plain(body_of(s, p))) for s in (servers.kept, servers.flask)] for p in mine[:100]]
        out.equal = sum(_same(a, b) for a, b in pairs) / len(pairs)
    say(line(out))
    return out


def _same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """The same grid, border distance and people."""
    if a["status"] == "outside" or b["status"] == "outside":
        return bool(a["status"] == b["status"])
    people = [sorted((p["name"], p["post"], p["phone"]) for p in each["people"]) for each in (a, b)]
    return bool(a["grid_id"] == b["grid_id"] and abs(a["edge_m"] - b["edge_m"]) < 0.1 and people[0] == people[1])
