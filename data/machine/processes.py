"""What a process id stands for: alive, a zombie, or somebody else's."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

PROC = Path("/proc")


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def state_of(pid: int) -> str:
    """One letter of the process's state (``R``, ``S``, ``Z`` and so on); empty when there is no such process."""
    stat = PROC / str(pid) / "stat"
    if PROC.joinpath("self").exists():
        try:
            # the name in brackets may itself hold blanks and brackets
            return stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
        except (OSError, IndexError):
            return ""
    asked = subprocess.run(["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return asked.stdout.strip()[:1]


def alive(pid: int) -> bool:
    """Whether a process runs: a zombie, dead but not yet reaped, does not."""
    return pid > 0 and state_of(pid) not in {"", "Z", "X"}


def command_of(pid: int) -> str:
    """The command line of a process, blanks between arguments; empty when it cannot be read."""
    if PROC.joinpath("self").exists():
        try:
            return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            return ""
    asked = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def working_in(folder: Path) -> list[int]:
    """Ids of live processes whose working directory is ``folder`` (Linux only; empty elsewhere)."""
    found = []
    for entry in PROC.glob("[0-9]*"):
        try:
            if os.readlink(entry / "cwd") == str(folder) and alive(int(entry.name)):
                found.append(int(entry.name))
        except OSError:
            continue
    return sorted(found)
