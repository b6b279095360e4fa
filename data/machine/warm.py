"""Compiles the engine's hot loops once, so that no later command waits for the compiler.

A module with compiled loops offers ``warm()``, which calls each of them on a tiny input with the types the
engine uses; numba keeps the result in ``NUMBA_CACHE_DIR``.
"""

from __future__ import annotations

import compileall
import hashlib
import importlib
import itertools
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Final

from data.machine import places, processes
from data.machine.steps import Outcome
from gis.progress import Progress, silent

STEP: Final = "warm"
_MARK: Final = "\ndef warm() -> None:"


def modules() -> list[str]:
    """Names of the engine's modules that offer ``warm()``."""
    return [_name(file) for file in _sources() if _MARK in file.read_text(encoding="utf-8")]


def ensure(progress: Progress = silent) -> Outcome:
    """Have every compiled loop in the cache."""
    import numba

    for package in ("gis", "data", "api"):
        # where the checkout is read-only later, nobody could keep these
        compileall.compile_dir(places.ROOT / package, quiet=2)
    names = modules()
    wanted = _fingerprint(numba.__version__)
    stamp = _cache() / ".warm"
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return Outcome("there", "setup_warm_there", {"modules": len(names)})
    _forget()
    _compile(names, progress)
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted, encoding="ascii")
    return Outcome("made", "setup_warm_there", {"modules": len(names)})


def _compile(names: list[str], progress: Progress) -> None:
    """Warm every module; packages side by side, as many as there are cores, those of one package one by one."""
    packages = [tuple(group) for _, group in itertools.groupby(names, lambda name: name.split(".")[1])]
    if not packages:
        return
    cores = min(len(packages), processes.cores())
    with ProcessPoolExecutor(cores, mp_context=multiprocessing.get_context("spawn")) as pool:
        tasks = {pool.submit(_warm, package): package for package in packages}
        progress(STEP, 0.0, " ".join(package[0] for package in packages))
        for number, task in enumerate(as_completed(tasks), 1):
            task.result()
            progress(STEP, number / len(packages), tasks[task][0])


def _warm(names: tuple[str, ...]) -> None:
    for name in names:
        warm: Callable[[], None] = importlib.import_module(name).warm
        warm()


def _forget() -> None:
    """Drop what was compiled from other sources: numba watches a loop's own file, not those of the loops it calls."""
    for compiled in _cache().rglob("*.nb[ci]"):
        compiled.unlink(missing_ok=True)


def _cache() -> Path:
    given = os.environ.get("NUMBA_CACHE_DIR")
    return Path(given) if given else places.state() / "numba"


def _sources() -> list[Path]:
    return sorted((places.ROOT / "gis").rglob("*.py"))


def _name(file: Path) -> str:
    parts = file.relative_to(places.ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _fingerprint(version: str) -> str:
    digest = hashlib.sha256(f"{version}\0{places.ROOT}".encode())
    for file in _sources():
        words = file.read_text(encoding="utf-8")
        if "njit" in words or _MARK in words:
            # numba recompiles when the file's time or size changes, whatever it says
            found = file.stat()
            digest.update(f"{file}\0{found.st_mtime_ns}\0{found.st_size}\0".encode())
    return digest.hexdigest()
