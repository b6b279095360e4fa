"""Real extracts for the benchmark of plans: which there are, and each in its own process."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Final

from benchmarks.atoms import QUEENS, extracts
from benchmarks.runner import Say, fresh_process

#: Peers that return contiguous parts near the bounds; with those that bound only the maximum there is no comparing.
PEERS: Final = ("metis", "gerrychain")
SECONDS: Final = 3000.0
#: Why there are no figures of what a quick run leaves out.
LEFT_OUT: Final = "left out by --quick"


def real_cases(
    pythons: dict[str, str], folder: Path, *, quick: bool, say: Say
) -> dict[str, dict[str, dict[str, Any]]]:
    """Figures by extract and planner; ``{"ours": {"fault": why}}`` for one that was not run."""
    out: dict[str, dict[str, dict[str, Any]]] = {QUEENS: {"ours": {"fault": "not on this machine"}}}
    for name, path in extracts().items():
        if quick and name == QUEENS:
            out[name] = {"ours": {"fault": LEFT_OUT}}
            continue
        chosen = [f"{p}={pythons[p]}" for p in PEERS if p in pythons and not (quick and p == "gerrychain")]
        try:
            out[name] = fresh_process(
                "benchmarks.partition_extract", str(path), str(folder), *chosen, timeout=SECONDS
            )
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            out[name] = {"ours": {"fault": str(error)[:200]}}
        say(f"{name}: {json.dumps(out[name])}")
    return out
