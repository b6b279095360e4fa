"""Runs the programs set-up needs and says how far they are; the outcome of a set-up step."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

from data.machine import places
from gis.progress import Progress

#: Reads one line of a program's output: the share done (None: unknown) and what to show.
Reader = Callable[[str], tuple[float | None, str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step ended: was there already, was made now, or is left out; ``code`` is a message with ``values``."""

    state: Literal["there", "made", "left_out"]
    code: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ended:
    """A program's exit status and the end of what it said."""

    status: int
    tail: tuple[str, ...]

    @property
    def reason(self) -> str:
        """The most telling line: the last that names an error, else the last."""
        errors = [line for line in self.tail if line.startswith(("E:", "error", "npm error", "ERROR"))]
        return (errors or list(self.tail) or [f"exit status {self.status}"])[-1]


def log_file(step: str) -> Path:
    """Where everything a step's programs say is kept."""
    folder = places.state() / "log"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"setup-{step}.log"


def run(
    command: Sequence[str],
    *,
    step: str,
    progress: Progress,
    span: tuple[float, float] = (0.0, 1.0),
    reader: Reader | None = None,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Ended:
    """Run a program to its end, its output going to the step's log and, condensed, to ``progress``.

    ``span`` is the part of the step that this program is. While it is silent, the time it takes is shown.
    """
    # of `sh -c SCRIPT NAME ...` the name is what is run
    name = command[3] if command[:2] == ["sh", "-c"] else command[0]
    watch = _Watch(step, progress, span, Path(name).name)
    with log_file(step).open("a", encoding="utf-8", errors="replace") as log, watch:
        log.write(f"$ {' '.join(command)}\n")
        with subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            cwd=cwd, env={**os.environ, **(environment or {})}, text=True, encoding="utf-8", errors="replace",
        ) as process:  # fmt: skip
            for raw in process.stdout or ():
                log.write(raw)
                watch.hear(raw.rstrip(), reader)
    return Ended(process.returncode, tuple(watch.tail))


class _Watch:
    """Shows how far a program is and, every second, for how long it has been running."""

    def __init__(self, step: str, progress: Progress, span: tuple[float, float], note: str) -> None:
        self.tail: deque[str] = deque(maxlen=30)
        self._step, self._progress, self._span = step, progress, span
        self._share, self._note = 0.0, note
        self._started = time.monotonic()
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)

    def hear(self, line: str, reader: Reader | None) -> None:
        """Take in one line of output."""
        share, note = reader(line) if reader else (None, line)
        if share is not None:
            self._share = share
        elif line:
            self.tail.append(line)
        self._note = note or self._note

    def _beat(self) -> None:
        low, high = self._span
        while not self._ended.wait(1.0):
            seconds = time.monotonic() - self._started
            self._progress(self._step, low + (high - low) * self._share, f"{self._note} ({seconds:.0f} s)")

    def __enter__(self) -> Self:
        self._heart.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._heart.join()
