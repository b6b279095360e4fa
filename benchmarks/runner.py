"""What every benchmark shares: figures with their bars, and one JSON report a run."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Figure:
    """One row of a report. ``floor`` is the bar of the issue (a lone bar is the floor), ``aim`` the better one;
    ``met`` tells whether the floor is reached; a figure that could not be taken has value None and is not met; one
    that a quick run leaves out has None for both."""

    name: str
    value: float | bool | None
    unit: str
    peer: str | None = None
    peer_value: float | bool | str | None = None
    floor: float | bool | None = None
    aim: float | bool | None = None
    met: bool | None = None


def figure(
    name: str,
    value: float | bool | None,
    unit: str,
    *,
    better: Literal["low", "high", "equal"],
    floor: float | bool | None = None,
    aim: float | bool | None = None,
    peer: str | None = None,
    peer_value: float | bool | str | None = None,
    left_out: bool = False,
) -> Figure:
    """A figure held against its floor. ``left_out``: nobody tried to take it, as the run is a quick one."""
    met: bool | None = None
    if floor is not None and not left_out:
        met = value is not None and {"low": value <= floor, "high": value >= floor, "equal": value == floor}[better]
    return Figure(name, value, unit, peer, peer_value, floor, aim, met)


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory, 1),
        "load": [round(v, 2) for v in os.getloadavg()],
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def versions(*packages: str) -> dict[str, str]:
    """Versions of Python and of packages."""
    out = {"python": platform.python_version()}
    for package in packages:
        try:
            out[package] = version(package)
        except PackageNotFoundError:
            continue
    return out


def report(
    figures: Sequence[Figure], seconds: float, packages: dict[str, str], load: Sequence[float]
) -> dict[str, Any]:
    """The JSON of one run."""
    return {
        "figures": [asdict(f) for f in figures],
        "machine": {**machine(), "load": [round(v, 2) for v in load]},
        "versions": packages,
        "seconds": round(seconds, 1),
    }


def fresh_process(
    module: str, *arguments: str, python: str = sys.executable, cores: int | None = 1, timeout: float = 900.0
) -> dict[str, Any]:
    """Run a module in a process of its own, on one core, and read the JSON it prints last.

    CPU and peak memory are then that run's alone. Raises ``RuntimeError`` with the last line of its errors.
    """
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    if cores == 1:
        env |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    command = [python, "-m", module, *arguments] if not module.endswith(".py") else [python, module, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise RuntimeError(lines[-1] if lines else f"exit status {done.returncode}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def peak_mb() -> float:
    """Peak resident memory of this process in MB, counted from its own start."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return round(int(line.split()[1]) / 1024, 1)
    raise RuntimeError("no VmHWM")


def peer_python(name: str, packages: Sequence[str], say: Say, *, locked: Path | None = None) -> str | None:
    """Python of an environment with a peer in it, made with uv when it is missing; None where it cannot be had.

    ``locked``: a file of requirements with hashes, which is then all that is installed; a new one makes it anew.
    """
    if locked is not None:
        packages = ["--require-hashes", "-r", str(locked)]
        name = f"{name}-{hashlib.sha256(locked.read_bytes()).hexdigest()[:12]}"
    home = Path(os.environ.get("WANGGE_HOME", ROOT / ".wangge")) / "peers" / name
    python = home / "bin" / "python"
    if python.exists():
        return str(python)
    uv = _uv()
    if uv is None:
        say(f"peer {name}: no uv to install it with")
        return None
    made = [
        [uv, "venv", "-q", "--clear", "-p", sys.executable, str(home)],
        [uv, "pip", "install", "-q", "-p", str(python), *packages],
    ]
    for command in made:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines()
            say(f"peer {name} cannot be installed: {lines[-1] if lines else done.returncode}")
            python.unlink(missing_ok=True)
            return None
    return str(python)


def _uv() -> str | None:
    import shutil

    own = Path(os.environ.get("WANGGE_HOME", ROOT / ".wangge")) / "uv" / "bin" / "uv"
    return str(own) if own.exists() else shutil.which("uv")


def run(name: str, *, quick: bool, say: Say) -> dict[str, Any]:
    """Run the benchmark ``benchmarks.<name>`` and return its report."""
    import importlib

    started, load = time.monotonic(), os.getloadavg()
    figures, packages = importlib.import_module(f"benchmarks.{name}").figures(quick=quick, say=say)
    return report(figures, time.monotonic() - started, packages, load)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a report under a temporary name, then rename it."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".part", delete=False, encoding="utf-8") as file:
        json.dump(content, file, indent=1, ensure_ascii=False)
        file.write("\n")
    Path(file.name).replace(path)
