"""Adjusting published plans of synthetic cities after households changed, each in a process of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.runner import Say, fresh_process

if TYPE_CHECKING:
    from benchmarks.partition_case import Case

SECONDS = 900.0


def adjust_cases(cases: Sequence[Case], folder: Path, say: Say) -> list[dict[str, Any]]:
    """Figures of one adjustment a city; ``fault`` says why there is none."""
    out: list[dict[str, Any]] = []
    for case in cases:
        if case.part is None or not case.part.exists():
            out.append({"fault": "no plan to adjust"})
            continue
        try:
            found = fresh_process(
                "benchmarks.partition_adjust_one", str(case.file), str(case.part), str(case.seed), timeout=SECONDS
            )
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            found = {"fault": str(error)[:160]}
        say(f"adjust, {case.size} seed {case.seed}: {found}")
        out.append(found)
    return out
