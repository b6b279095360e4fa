"""Tiles: made anew and from the cache, beside tipg and beside nginx with the same tiles as files."""

from __future__ import annotations

import gzip
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import psycopg

from benchmarks import serving_load, serving_servers
from benchmarks.runner import Say
from benchmarks.serving_data import Served, plain_url
from benchmarks.serving_decode import content
from benchmarks.serving_servers import Server, Servers
from gis.tiles import pyramid


@dataclass(frozen=True)
class Kind:
    """A layer at a zoom, and how many tiles of it are asked for."""

    layer: str
    z: int
    most: int

    @property
    def name(self) -> str:
        """What the report calls it."""
        return f"{self.layer} z{self.z}"


KINDS: Final = (Kind("buildings", 14, 64), Kind("buildings", 16, 256), Kind("grids", 14, 64))

#: Names of the entrants.
ANEW: Final = "ours"
WARM: Final = "ours, warm"
TIPG: Final = "tipg"
NGINX: Final = "nginx"
#: What a round of one server takes at least, in seconds.
ROUND_SECONDS: Final = 1.0


@dataclass
class Side:
    """What one server did, round by round."""

    rate: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)  # a request
    latency: list[Any] = field(default_factory=list)
    memory_mb: float = 0.0

    def add(self, load: serving_load.Load, cpu: float) -> None:
        """One round more."""
        self.rate.append(load.rate)
        self.cpu_ms.append(cpu / len(load.latency) * 1e3)
        self.latency.append(load.latency)

    def percentile(self, share: float) -> float:
        """Milliseconds, over all rounds together."""
        return float(np.percentile(np.concatenate(self.latency), share)) * 1e3


@dataclass
class Race:
    """Servers by name on one list of requests."""

    name: str
    sides: dict[str, Side] = field(default_factory=dict)
    equal: float | None = None  # share of answers with the same content

    def ratio(self, ours: str, peer: str) -> float | None:
        """Our requests a second over the peer's: the median of the rounds."""
        return self._ratio(ours, peer, lambda a, b: np.array(a.rate) / np.array(b.rate))

    def tail_ratio(self, ours: str, peer: str) -> float | None:
        """Our 99th percentile over the peer's."""
        a, b = self.sides.get(ours), self.sides.get(peer)
        return None if a is None or b is None else a.percentile(99) / b.percentile(99)

    def cpu_ratio(self, ours: str, peer: str) -> float | None:
        """The peer's CPU a request over ours: the median of the rounds."""
        return self._ratio(ours, peer, lambda a, b: np.array(b.cpu_ms) / np.maximum(np.array(a.cpu_ms), 1e-9))

    def _ratio(self, ours: str, peer: str, of: Any) -> float | None:
        a, b = self.sides.get(ours), self.sides.get(peer)
        if a is None or b is None or not a.rate or len(a.rate) != len(b.rate):
            return None
        return float(np.median(of(a, b)))


def race(
    name: str, entrants: Sequence[tuple[str, Server, Sequence[bytes]]], rounds: int, *, connections: int = 16
) -> Race:
    """Every server in turn, round by round, on its list of requests, repeated until a round takes a second or so.

    The first two rounds warm up and do not count.
    """
    out = Race(name, {who: Side() for who, *_ in entrants})
    times = {who: 1 for who, *_ in entrants}
    for number in range(-2, rounds):
        for who, server, requests in entrants:
            before = server.cpu()
            load = serving_load.run(server.port, list(requests) * times[who], connections=connections)
            if load.failed:
                raise RuntimeError(f"{name}: {who} failed {load.failed} requests")
            if number < 0:
                times[who] = max(1, round(ROUND_SECONDS * load.rate / len(requests)))
            else:
                out.sides[who].add(load, server.cpu() - before)
    for who, server, _ in entrants:
        out.sides[who].memory_mb = server.memory_mb()
    return out


def tiles_of(served: Served, kind: Kind, seed: int = 1) -> list[tuple[int, int, int]]:
    """A fixed list of tiles that lie wholly on the city's box, in a mixed order."""
    with psycopg.connect(plain_url(served.url)) as connection:
        row = connection.execute(
            "SELECT ST_XMin(b), ST_YMin(b), ST_XMax(b), ST_YMax(b)"
            " FROM (SELECT Box2D(geom_3857) AS b FROM territory) t"
        ).fetchone()
    assert row is not None
    side = 2 * pyramid.HALF / 2**kind.z
    columns = range(int((row[0] + pyramid.HALF) // side), int((row[2] + pyramid.HALF) // side) + 1)
    lines = range(int((pyramid.HALF - row[3]) // side), int((pyramid.HALF - row[1]) // side) + 1)
    found = [(kind.z, x, y) for x in columns for y in lines]
    order = np.random.default_rng(seed).permutation(len(found))[: kind.most]
    return [found[i] for i in order]


def our_path(kind: Kind, tile: tuple[int, int, int]) -> str:
    """Our address of a tile."""
    return "/tiles/{}/{}/{}/{}.mvt".format(kind.layer, *tile)


def tipg_path(kind: Kind, tile: tuple[int, int, int]) -> str:
    """tipg's address of the same tile."""
    return "/collections/peer.{}/tiles/WebMercatorQuad/{}/{}/{}".format(kind.layer, *tile)


def body_of(server: Server, path: str, accept: str = "*/*") -> bytes:
    """An answer as it comes, gzip or not."""
    headers = {"Accept-Encoding": "gzip", "Accept": accept}
    ask = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", headers=headers)
    with urllib.request.urlopen(ask, timeout=300) as answer:
        got: bytes = answer.read()
    return got


def plain(body: bytes) -> bytes:
    """A body without its compression."""
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def run(served: Served, servers: Servers, folder: Path, *, rounds: int, say: Say) -> dict[str, Race]:
    """A race for every kind of tile: ours made anew, tipg, ours from the cache, nginx with the same as files."""
    out: dict[str, Race] = {}
    for kind in KINDS:
        tiles = tiles_of(served, kind)
        files = folder / kind.name.replace(" ", "_")
        _write_files(servers.kept, kind, tiles, files)
        mine = [serving_load.get(our_path(kind, t)) for t in tiles]
        entrants = [(ANEW, servers.anew, mine)]
        if servers.tipg is not None:
            entrants.append((TIPG, servers.tipg, [serving_load.get(tipg_path(kind, t)) for t in tiles]))
        entrants.append((WARM, servers.kept, mine))
        with _static(files, our_path(kind, tiles[0]), folder, say) as static:
            if static is not None:
                entrants.append((NGINX, static, mine))
            made = race(kind.name, entrants, rounds)
        if servers.tipg is not None:
            made.equal = equal_share(servers.anew, servers.tipg, kind, tiles, say)
        out[kind.name] = made
        say(line(made))
    return out


def _write_files(server: Server, kind: Kind, tiles: Sequence[tuple[int, int, int]], folder: Path) -> None:
    """The same tiles, compressed as we send them, as nginx reads them."""
    for tile in tiles:
        body = body_of(server, our_path(kind, tile))
        file = folder / (our_path(kind, tile)[1:] + ".gz")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body if body[:2] == b"\x1f\x8b" else gzip.compress(body, 6))
        # nginx looks for the plain file too where a client takes no gzip
        file.with_suffix("").write_bytes(plain(body))


@contextmanager
def _static(files: Path, ready: str, folder: Path, say: Say) -> Iterator[Server | None]:
    program = serving_servers.nginx_program(say)
    if program is None:
        yield None
        return
    with serving_servers.nginx(program, files, ready, folder) as server:
        yield server


def equal_share(
    ours: Server, peer: Server, kind: Kind, tiles: Sequence[tuple[int, int, int]], say: Say, most: int = 12
) -> float:
    """Share of tiles in which every feature of the peer's is in ours, properties and all.

    Ours hold a few more: what lies in the buffer only, which tipg leaves out. ``tone``, a colour, is ours alone.
    """
    same = 0
    some = tiles[:most]
    for tile in some:
        mine, theirs = (content(plain(body_of(s, p(kind, tile)))) for s, p in ((ours, our_path), (peer, tipg_path)))
        missing = _bare(theirs) - _bare(mine)
        same += not missing
        if missing:
            say(f"{kind.name} {tile}: we lack {missing.total()} of {theirs.total()}, such as {next(iter(missing))}")
    return same / len(some)


def _bare(found: Any) -> Any:
    out = type(found)()
    for feature, count in found.items():
        out[tuple(part for part in feature if not isinstance(part, tuple) or part[0] not in ("tone", "id"))] += count
    return out


def line(made: Race) -> str:
    """A race for people."""
    parts = [
        f"{who} {np.median(s.rate):,.0f}/s p50 {s.percentile(50):.2f} p99 {s.percentile(99):.2f} ms "
        f"cpu {np.median(s.cpu_ms):.3f} ms {s.memory_mb:,.0f} MB"
        for who, s in made.sides.items()
    ]
    return f"{made.name}: " + " | ".join(parts) + ("" if made.equal is None else f" | equal {made.equal:.2f}")
