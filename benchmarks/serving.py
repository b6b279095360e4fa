"""Tiles, lookup and features beside tipg, geopandas, shapely, Flask + PostGIS and nginx, on one published city.

Both sides stand on one database and are asked in turn, round by round, with the same lists over 16 connections, gzip
on; a ratio is the median of the rounds'. CPU is that of a server's whole process tree with the database's. ``anew``
means that no rendered answer is kept anywhere. ``--quick`` makes fewer rounds.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks import serving_features, serving_lookup, serving_servers, serving_tiles
from benchmarks.runner import ROOT, Figure, Say, figure, fresh_process, peer_python, versions
from benchmarks.serving_city import BUILDINGS
from benchmarks.serving_data import Served, served_city
from benchmarks.serving_lookup import FLASK, Bulk
from benchmarks.serving_tiles import ANEW, NGINX, TIPG, WARM, Race
from data.postgres.server.cluster import Cluster

LOCKED: Final = ROOT / "requirements" / "peers_serving.txt"
#: Rounds that count.
FULL: Final = 7
QUICK: Final = 3
#: Points of the bulk lookup: uniform, and on edges, on vertices or within a micrometre of them.
POINTS: Final = (1_000_000, 400_000)


@dataclass
class Results:
    """What was measured; a part that could not be taken is empty."""

    tiles: dict[str, Race] = field(default_factory=dict)
    features: dict[str, Race] = field(default_factory=dict)
    one: Race | None = None
    bulk: Bulk | None = None
    rebuild: dict[str, Any] = field(default_factory=dict)


def figures(*, quick: bool, say: Say) -> tuple[list[Figure], dict[str, str]]:
    """A row for every bar of the issue, and what stands behind it."""
    python = peer_python("serving", (), say, locked=LOCKED)
    used = versions("numpy", "numba", "shapely", "granian", "flask", "psycopg")
    if python is not None:
        used |= _peer_versions(python)
    results, counts = measure(BUILDINGS, python, rounds=QUICK if quick else FULL, say=say)
    used["city"] = ", ".join(f"{n:,} {table}" for table, n in counts.items() if n)
    return rows(results), used


def measure(
    buildings: int,
    python: str | None,
    *,
    rounds: int,
    say: Say,
    points: tuple[int, int] = POINTS,
    cluster: Cluster | None = None,
) -> tuple[Results, dict[str, int]]:
    """Every part on a city of so many buildings, and what the city holds. ``python``: the peers' environment."""
    with served_city(buildings, say, cluster) as served, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        say(f"city: {served.counts}")
        out = Results(rebuild=_rebuild(served, folder, say))
        say(f"index after publication: {out.rebuild}")
        with serving_servers.all_of(served, folder, python) as servers:
            out.tiles = serving_tiles.run(served, servers, folder, rounds=rounds, say=say)
            out.one = serving_lookup.one(served, servers, rounds=rounds, say=say)
            out.features = serving_features.run(served, servers, rounds=rounds, say=say)
        out.bulk = serving_lookup.bulk(served, folder, python, rounds=(rounds + 1) // 2, points=points, say=say)
        return out, served.counts


def _rebuild(served: Served, folder: Path, say: Say) -> dict[str, Any]:
    try:
        return fresh_process("benchmarks.serving_rebuild_one", served.url, str(folder / "index"))
    except RuntimeError as error:
        say(f"index: {error}")
        return {}


def _peer_versions(python: str) -> dict[str, str]:
    code = "import json, importlib.metadata as m; print(json.dumps({n: m.version(n) for n in %r}))"
    names = ("tipg", "geopandas", "gunicorn", "uvicorn")
    done = subprocess.run([python, "-c", code % (names,)], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def rows(results: Results) -> list[Figure]:
    """The figures of a run: first every bar of the issue, in its order, then what stands behind them."""
    races = [*results.tiles.values(), *results.features.values(), *([results.one] if results.one else [])]
    return [
        *_tile_rows(results.tiles),
        *_bulk_rows(results.bulk or Bulk()),
        *_answer_rows(results.one, results.features),
        *_index_rows(results.rebuild),
        *(row for made in races for row in _behind(made)),
    ]


def _tile_rows(races: Mapping[str, Race]) -> Iterator[Figure]:
    cold = {n: r.ratio(ANEW, TIPG) for n, r in races.items()}
    warm = {n: r.ratio(WARM, TIPG) for n, r in races.items()}
    static = {n: r.ratio(WARM, NGINX) for n, r in races.items()}
    tail = {n: r.tail_ratio(ANEW, TIPG) for n, r in races.items()}
    named: dict[str, Any] = {"better": "high", "peer": TIPG, "peer_value": 1.0}
    yield figure("uncached tile, geometric mean", mean(cold.values()), "x", floor=8, aim=15, **named)
    for name, value in cold.items():
        yield figure(f"uncached tile, {name}", value, "x", floor=6, aim=15, **named)
    yield figure("warm tile against tipg, geometric mean", mean(warm.values()), "x", floor=100, aim=200, **named)
    for name, value in warm.items():
        yield figure(f"warm tile against tipg, {name}", value, "x", floor=60, aim=200, **named)
    named |= {"peer": NGINX}
    yield figure("warm tile against static files, geometric mean", mean(static.values()), "x", floor=0.4, aim=0.7,
                 **named)  # fmt: skip
    named |= {"better": "low", "peer": TIPG}
    for name, value in tail.items():
        yield figure(f"p99 of uncached tiles, {name}", value, "x", floor=1 / 3, aim=1 / 6, **named)


def _bulk_rows(bulk: Bulk) -> Iterator[Figure]:
    rate = float(np.median(bulk.ours)) if bulk.ours else None
    best = {n: float(np.median(v)) for n, v in bulk.peers.items()}
    tree = max((v for n, v in best.items() if n != "sjoin"), default=None)
    for title, way, floor, peer in (
        ("geopandas.sjoin", "sjoin", 30, "geopandas"),
        ("the best STRtree form", "best", 15, "shapely"),
    ):
        yield figure(f"bulk lookup against {title}", bulk.ratio(way), "x", better="high", floor=floor, aim=2 * floor,
                     peer=peer, peer_value=1.0)  # fmt: skip
    for name, found in (("uniform", bulk.uniform), ("adversarial", bulk.adversarial)):
        points = "" if found is None else f", {found[0]:,}"
        yield figure(f"mismatches with PostGIS, {name} points{points}", None if found is None else found[1], "points",
                     better="equal", floor=0, peer="PostGIS", peer_value=0)  # fmt: skip
    yield figure("bulk lookup", rate, "points/CPU s", better="high", peer="geopandas", peer_value=best.get("sjoin"))
    yield figure("bulk lookup, best tree", rate, "points/CPU s", better="high", peer="shapely", peer_value=tree)
    yield figure("lookup index", bulk.index_mb, "MB", better="low")


def _answer_rows(one: Race | None, features: Mapping[str, Race]) -> Iterator[Figure]:
    value = None if one is None else one.ratio(ANEW, FLASK)
    yield figure("one lookup over HTTP", value, "x", better="high", floor=7, aim=10, peer=FLASK, peer_value=1.0)
    for kind, title in (("items", "page of 100 features"), ("item", "single feature")):
        ratios = [r.ratio(ANEW, TIPG) for n, r in features.items() if n.split()[0] == kind]
        yield figure(f"{title}, geometric mean", mean(ratios), "x", better="high", floor=8, aim=12, peer=TIPG,
                     peer_value=1.0)  # fmt: skip


def _index_rows(rebuild: Mapping[str, Any]) -> Iterator[Figure]:
    grids = f" of {rebuild['grids']:,} grids" if rebuild else ""
    yield figure(f"index after publication{grids}", rebuild.get("s"), "s", better="low", floor=1.0, aim=0.3)
    yield figure("index after publication, CPU", rebuild.get("cpu_s"), "s", better="low")


def _behind(made: Race) -> Iterator[Figure]:
    """Absolute figures of a race: each of ours beside the peer it is held against."""
    for mine, other in ((ANEW, TIPG), (ANEW, FLASK), (WARM, NGINX)):
        ours, theirs = made.sides.get(mine), made.sides.get(other)
        if ours is None or (theirs is None and other != TIPG):
            continue
        peer = None if theirs is None else other
        name = f"{made.name}, warm" if mine == WARM else made.name
        for what, unit, better, of in _MEASURES:
            value, peer_value = of(ours), None if theirs is None else of(theirs)
            yield figure(f"{name}: {what}", value, unit, better=better, peer=peer, peer_value=peer_value)
        if peer is not None:
            yield figure(f"{name}: CPU a request, times less", made.cpu_ratio(mine, other), "x", better="high",
                         peer=peer, peer_value=1.0)  # fmt: skip
        if mine == ANEW and made.equal is not None:
            yield figure(f"{name}: answers with the same content", made.equal, "share", better="high", peer=peer,
                         peer_value=1.0)  # fmt: skip


_MEASURES: Final[tuple[tuple[str, str, Any, Any], ...]] = (
    ("requests", "1/s", "high", lambda s: float(np.median(s.rate))),
    ("p50", "ms", "low", lambda s: s.percentile(50)),
    ("p99", "ms", "low", lambda s: s.percentile(99)),
    ("CPU a request", "ms", "low", lambda s: float(np.median(s.cpu_ms))),
    ("memory", "MB", "low", lambda s: s.memory_mb),
)


def mean(values: Iterable[float | None]) -> float | None:
    """The geometric mean; None where one is missing."""
    known = list(values)
    if not known or any(v is None or v <= 0 for v in known):
        return None
    return float(np.exp(np.mean(np.log(np.array(known, dtype=np.float64)))))
