"""What stands beside a failed test in the report: how busy the machine was, and what its programs said last."""

from __future__ import annotations

import os
import time
from pathlib import Path

#: A log not written to for so many seconds is of another test; so many logs, and so many characters of each.
NEWER_THAN, MOST, LENGTH = 900, 4, 3000


def sections(folder: Path) -> list[tuple[str, str]]:
    """Titles and texts: the machine, then the ends of the logs below ``folder``, newest first."""
    return [("machine", _machine()), *((f"end of {log.name}", _end(log)) for log in _logs(folder))]


def _machine() -> str:
    load = " ".join(f"{number:.1f}" for number in os.getloadavg())
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        lines = []
    free = " ".join(line for line in lines if line.startswith(("MemAvailable", "SwapFree")))
    return f"load {load}, cores {os.cpu_count()}, {free}, {time.strftime('%H:%M:%S %z')}\n"


def _logs(folder: Path) -> list[Path]:
    found = []
    for place, _, names in os.walk(folder):  # which passes over what is taken away meanwhile
        for log in (Path(place, name) for name in names if name.endswith(".log")):
            try:
                state = log.stat()
            except OSError:
                continue
            if state.st_size and time.time() - state.st_mtime < NEWER_THAN:
                found.append((state.st_mtime, log))
    return [log for _, log in sorted(found, reverse=True)[:MOST]]


def _end(log: Path) -> str:
    try:
        return log.read_text(encoding="utf-8", errors="replace")[-LENGTH:]
    except OSError as error:
        return f"{error}\n"
