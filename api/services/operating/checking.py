"""Every check of this checkout: lint, types, contracts, the pages' own, and the tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from data.machine import node, places, processes, web
from gis.progress import silent

#: pytest's exit status when no test matched.
NO_TESTS: Final = 5
#: The tests run in at most this many processes: each takes up to a gigabyte.
PROCESSES: Final = 4


@dataclass(frozen=True, slots=True)
class Check:
    """One program to run; ``passing`` are the exit statuses that count as passed."""

    name: str
    command: tuple[str, ...]
    folder: Path = places.ROOT
    passing: tuple[int, ...] = (0,)
    #: Folder of programs to be found before the machine's.
    programs: Path | None = None
    #: Runs beside the others from the start; what it says is shown after them.
    beside: bool = False


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
    """What to run: with arguments or for the slow tests only pytest, else everything.

    Without arguments pytest uses every core (at most ``PROCESSES``), a file's tests in one process.
    """
    marked = ("-m", "slow" if slow else "not slow")
    pytest = (sys.executable, "-m", "pytest", *(() if "-m" in arguments else marked), "--durations=10", *arguments)
    tests = Check(
        "pytest",
        (*pytest, *(() if arguments else _processes())),
        passing=(0, NO_TESTS) if slow and not arguments else (0,),
    )
    return [tests] if slow or arguments else [*_static(), *_pages(), tests]


def _processes() -> tuple[str, ...]:
    cores = min(PROCESSES, processes.cores())
    # the order of the files is tests/conftest.py's: those that take longest first
    return (f"--numprocesses={cores}", "--dist=loadfile", "--no-loadscope-reorder") if cores > 1 else ()


def run(wanted: list[Check]) -> Iterator[Check | Result]:
    """Run the checks one after the other, each to its end: first the check, then its result.

    Those that run ``beside`` the others are started before them and reported after them.
    """
    with contextlib.ExitStack() as ending:
        started = [_Beside(check, ending) for check in wanted if check.beside]
        for check in wanted:
            if not check.beside:
                yield check
                before = time.monotonic()
                ended = subprocess.run(
                    check.command, cwd=check.folder, env=_environment(check), check=False, stdin=subprocess.DEVNULL
                )
                yield Result(check, ended.returncode, time.monotonic() - before)
        for each in started:
            yield each.check
            yield each.result()


class _Beside:
    """A check that runs in the background, ended with the others if they end early."""

    def __init__(self, check: Check, ending: contextlib.ExitStack) -> None:
        self.check = check
        self._before = time.monotonic()
        # a file, not a pipe: nobody reads while it runs
        self._said = ending.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - closed by the stack
        self._process = ending.enter_context(
            subprocess.Popen(
                check.command, cwd=check.folder, env=_environment(check), stdin=subprocess.DEVNULL,
                stdout=self._said, stderr=subprocess.STDOUT,
            )
        )  # fmt: skip
        ending.callback(self._end)

    def result(self) -> Result:
        """Wait for its end and show what it said."""
        status = self._process.wait()
        self._said.seek(0)
        sys.stdout.flush()
        shutil.copyfileobj(self._said, sys.stdout.buffer)
        sys.stdout.flush()
        return Result(self.check, status, time.monotonic() - self._before)

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()


def _environment(check: Check) -> dict[str, str] | None:
    if check.programs is None:
        return None
    return {**os.environ, "PATH": f"{check.programs}{os.pathsep}{os.environ.get('PATH', '')}"}


def _static() -> list[Check]:
    return [
        Check("ruff", (sys.executable, "-m", "ruff", "check")),
        Check("ruff format", (sys.executable, "-m", "ruff", "format", "--check", "--quiet")),
        Check("mypy", (sys.executable, "-m", "mypy"), beside=True),
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
