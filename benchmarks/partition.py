"""Plans of synthetic cities and of real extracts beside METIS, KaHIP, Mt-KaHyPar, GerryChain and spopt.

Every planner gets the same graph files, runs in a process of its own (peers in environments of their own) on one
core, and is judged by the same code (``graph_measures``). Each city is one community. ``--quick`` takes fewer seeds,
no city of 100,000 atoms, and the slow peers on one city only; a row left out has no value and says why.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from shapely.errors import GEOSException

from benchmarks import cities, partition_rows
from benchmarks.graph_measures import judge, objective
from benchmarks.partition_adjust import adjust_cases
from benchmarks.partition_case import Case
from benchmarks.partition_peers import PEER_SECONDS, peer_process
from benchmarks.partition_real import real_cases
from benchmarks.runner import Figure, Say, fresh_process, peer_python, versions
from data import rulesets

#: What is installed for each peer, beside numpy and scipy.
PACKAGES: Final[dict[str, tuple[str, ...]]] = {
    "metis": ("pymetis",),
    "kahip": ("kahip",),
    "mtkahypar": ("mtkahypar",),
    "gerrychain": ("gerrychain",),
    "spopt": ("spopt", "geopandas", "libpysal"),
}
#: Whose environment a peer of ``peers/graph_peers.py`` runs in, where it is not its own name.
HOME: Final = {"metis_best": "metis"}

#: Longest that we may take for one city, in seconds of wall clock.
OUR_SECONDS: Final = 3000.0


@dataclass(frozen=True)
class Size:
    """Cities of one size: seeds, and the peers that run on all of them or on the first alone."""

    name: str
    atoms: int
    seeds: tuple[int, ...]
    peers: tuple[str, ...] = ("metis",)
    first_only: tuple[str, ...] = ()
    curve: tuple[int, ...] = ()  # iterations of the time-quality curve, on the first seed


SMALL: Final = "8 grids"
FULL: Final = (
    Size(SMALL, 80, tuple(range(11, 24)), ("metis", "metis_best")),
    Size(
        "1k",
        1_000,
        tuple(range(11, 21)),
        ("metis", "metis_best", "kahip", "mtkahypar", "gerrychain"),
        ("spopt",),
        (1, 2, 4, 8, 16),
    ),
    Size("10k", 10_000, (11, 12, 13), ("metis", "metis_best"), ("kahip", "mtkahypar"), (1, 2, 4)),
    Size("100k", 100_000, (11,)),
)
QUICK: Final = (
    Size(SMALL, 80, tuple(range(11, 18)), ("metis",)),
    Size("1k", 1_000, (11, 12, 13), ("metis",), ("metis_best", "kahip", "mtkahypar", "gerrychain"), (1, 2, 4)),
    Size("10k", 10_000, (11,), ("metis",)),
    Size("100k", 100_000, ()),
)


def figures(*, quick: bool, say: Say) -> tuple[list[Figure], dict[str, str]]:
    """A row for every bar of the issue, by size."""
    used = versions("numpy", "numba", "scipy", "shapely", "highspy")
    used["cities"] = cities.generator_name()
    say(f"cities: {used['cities']}")
    sizes = QUICK if quick else FULL
    with tempfile.TemporaryDirectory() as folder:
        pythons = interpreters(sizes, say)
        cases = solve_cities(sizes, pythons, Path(folder), say)
        adjusted = adjust_cases([c for c in cases if c.size == "1k"], Path(folder), say)
        real = real_cases(pythons, Path(folder), quick=quick, say=say)
    for case in cases:
        used |= {name: str(v["version"]) for name, v in case.peers.items() if "version" in v}
    return partition_rows.rows(cases, adjusted, real, [s.name for s in sizes if s.name != SMALL]), used


def interpreters(sizes: Sequence[Size], say: Say) -> dict[str, str]:
    """Python of every peer's environment that could be made."""
    wanted = dict.fromkeys(HOME.get(p, p) for s in sizes for p in (*s.peers, *s.first_only))
    made = {name: peer_python(name, ("numpy", "scipy", *PACKAGES[name]), say) for name in wanted}
    return {name: python for name, python in made.items() if python is not None}


def solve_cities(sizes: Sequence[Size], pythons: dict[str, str], folder: Path, say: Say) -> list[Case]:
    """Every city of every size, by us and by its peers."""
    out: list[Case] = []
    for size in sizes:
        for seed in size.seeds:
            case = Case(size.name, seed, folder / f"{size.atoms}_{seed}.npz")
            try:
                cities.save(cities.make_city(size.atoms, seed), case.file)
            except GEOSException as error:  # of the common generator, on a few of the smallest cities
                say(f"{size.name} seed {seed}: no city: {error}")
                continue
            case.part = case.file.with_suffix(".ours.npy")
            case.ours = ours(case.file, case.part, say)
            first = seed == size.seeds[0]
            for peer in (*size.peers, *(size.first_only if first else ())):
                case.peers[peer] = run_peer(peer, pythons.get(HOME.get(peer, peer)), case.file, seed=1)
            for iterations in size.curve if first else ():
                case.curve[iterations] = ours(case.file, folder / "curve.npy", say, iterations)
            say(_line(case))
            out.append(case)
    return out


def ours(city: Path, part: Path, say: Say, iterations: int | None = None) -> dict[str, Any]:
    """Our plan of a city file, in a process of its own; empty where it fails."""
    options = [] if iterations is None else ["--iterations", str(iterations)]
    try:
        return fresh_process("benchmarks.partition_one", str(city), str(part), *options, timeout=OUR_SECONDS)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        say(f"{city.name}: {error}")
        return {"fault": str(error)}


def run_peer(peer: str, python: str | None, city: Path, *, seed: int, limit: int = PEER_SECONDS) -> dict[str, Any]:
    """A peer's plan of a city file, judged like ours; ``fault`` says why there is none."""
    if python is None:
        return {"fault": "cannot be installed"}
    part = city.with_suffix(f".{peer}.npy")
    took = peer_process(peer, python, city, part, seed=seed, limit=limit)
    if "fault" in took:
        return took
    arrays = cities.load(city)
    found = np.load(part)
    return {**judge(arrays, found), "objective": objective(arrays, found, weights()), **took}


def weights() -> tuple[float, float, float]:
    """Balance, compactness and range of the default ruleset."""
    rules = rulesets.load()
    return rules.balance, rules.compactness, rules.outside


def _line(case: Case) -> str:
    def short(v: dict[str, Any]) -> str:
        if "cost" not in v:
            return str(v.get("fault", "nothing"))
        return (
            f"both {v['both']:.3f} cost {v['cost']:.0f} street {v['on_street']:.3f} pp {v['pp']:.3f} "
            f"cv {v['cv']:.3f} off {v['avoidable']:.4f} {v['cpu_s']} s"
        )

    parts = [f"{case.size} seed {case.seed}: ours {short(case.ours)} gap {case.ours.get('gap')}"]
    parts += [f"  {name}: {short(v)}" for name, v in case.peers.items()]
    parts += [f"  after {i}: {short(v)}" for i, v in case.curve.items()]
    return "\n".join(parts)
