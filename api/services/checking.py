"""Every check of this checkout: lint, types, contracts, the pages' own, and the tests."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from data.machine import node, places, web
from gis.progress import silent

#: pytest's exit status when no test matched.
NO_TESTS: Final = 5


@dataclass(frozen=True, slots=True)
class Check:
    """One program to run; ``passing`` are the exit statuses that count as passed."""

    name: str
    command: tuple[str, ...]
    folder: Path = places.ROOT
    passing: tuple[int, ...] = (0,)
    #: Folder of programs to be found before the machine's.
    programs: Path | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """How a check ended."""

    check: Check
    status: int
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether the exit status is one that counts as passed."""
        return self.status in self.check.passing


def checks(*, slow: bool, arguments: tuple[str, ...]) -> list[Check]:
    """What to run: with arguments or for the slow tests only pytest, else everything."""
    marked = ("-m", "slow" if slow else "not slow")
    pytest = (sys.executable, "-m", "pytest", *(() if "-m" in arguments else marked), "--durations=10", *arguments)
    tests = Check("pytest", pytest, passing=(0, NO_TESTS) if slow and not arguments else (0,))
    return [tests] if slow or arguments else [*_static(), *_pages(), tests]


def run(wanted: list[Check]) -> Iterator[Check | Result]:
    """Run the checks one after the other, each to its end: first the check, then its result."""
    for check in wanted:
        yield check
        before = time.monotonic()
        ended = subprocess.run(
            check.command, cwd=check.folder, env=_environment(check), check=False, stdin=subprocess.DEVNULL
        )
        yield Result(check, ended.returncode, time.monotonic() - before)


def _environment(check: Check) -> dict[str, str] | None:
    if check.programs is None:
        return None
    return {**os.environ, "PATH": f"{check.programs}{os.pathsep}{os.environ.get('PATH', '')}"}


def _static() -> list[Check]:
    return [
        Check("ruff", (sys.executable, "-m", "ruff", "check")),
        Check("ruff format", (sys.executable, "-m", "ruff", "format", "--check", "--quiet")),
        Check("mypy", (sys.executable, "-m", "mypy")),
        Check("import contracts", (str(Path(sys.executable).parent / "lint-imports"),)),
    ]


def _pages() -> list[Check]:
    if not (web.source() / "package.json").exists():
        return []
    folder = node.ensure(silent)
    npm = (str(folder / "npm"), "run", "--silent")
    return [
        Check("web types", (*npm, "check"), web.source(), programs=folder),
        Check("web tests", (*npm, "test", "--", "--passWithNoTests"), web.source(), programs=folder),
    ]
