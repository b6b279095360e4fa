"""A peer's run on a graph file, in the peer's own environment."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Final

from benchmarks.runner import fresh_process

SCRIPT: Final = str(Path(__file__).parent / "peers" / "graph_peers.py")

#: Most CPU seconds a peer gets for one graph, and how many times that the wall clock may be on a busy machine.
PEER_SECONDS: Final = 120
PATIENCE: Final = 12.0


def peer_process(
    peer: str, python: str, graph: Path, part: Path, *, seed: int = 1, limit: int = PEER_SECONDS
) -> dict[str, Any]:
    """What a peer took; its plan is then in ``part``. ``fault`` says why there is none."""
    words = (peer, str(graph), str(part), str(seed), str(limit))
    try:
        return fresh_process(SCRIPT, *words, python=python, timeout=PATIENCE * limit)
    except subprocess.TimeoutExpired:
        return {"fault": f"no plan in {PATIENCE * limit:.0f} s"}
    except RuntimeError as error:
        killed = str(error).startswith("exit status -")
        return {"fault": f"no plan in {limit} CPU s" if killed else str(error)[:120]}
