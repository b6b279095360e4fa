"""Progress on a terminal: one living line; in a log: a line at the start, every ten seconds and at the end."""

from __future__ import annotations

import shutil
import sys
import time
import unicodedata
from typing import Final, TextIO

from api.messages import catalogue, shell_language, text
from gis.progress import Note

#: Seconds between two lines of one step where lines cannot be rewritten.
LOG_EVERY: Final = 10.0
#: Seconds before the log of a command that reads input hears of progress: what is refused at once takes one line.
PATIENCE: Final = 5.0
#: Seconds between two repaints of the living line.
PAINT_EVERY: Final = 0.1
#: Steps that are told at once: the input is good by then.
TOLD: Final = ("resume", "stopped")


class ConsoleProgress:
    """A ``gis.progress.Progress`` that writes to standard error; steps are named by ``step_<name>`` messages."""

    def __init__(self, stream: TextIO | None = None, *, language: str | None = None, patience: float = 0.0) -> None:
        """``patience``: seconds for which a log stays empty, so that work that is soon refused says only why."""
        self.stream = stream or sys.stderr
        self._speaks = time.monotonic() + patience
        self.language = language or shell_language()
        self.living = self.stream.isatty()
        self._step = ""
        self._started = 0.0
        self._painted = 0.0

    def __call__(self, step: str, done: float, note: str = "") -> None:
        """Show how far a step is; ``done`` of 1 ends it."""
        now = time.monotonic()
        if step != self._step:
            self.close()
            self._step, self._started, self._painted = step, now, 0.0
        ended = done >= 1.0
        if not ended and now - self._painted < (PAINT_EVERY if self.living else LOG_EVERY):
            return
        if not self.living and now < self._speaks and step not in TOLD:
            return
        self._painted = now
        self._write(self._line(step, done, note, now - self._started), ended)
        if ended:
            self._step = ""

    def close(self) -> None:
        """Leave an unfinished living line standing, so that what follows begins on its own."""
        if self._step and self.living and self._painted:
            self.stream.write("\n")
        self._step = ""

    def _line(self, step: str, done: float, note: str, seconds: float) -> str:
        code = f"step_{step}"
        name = text(code, self.language) if code in catalogue(self.language) else step
        far = f"{seconds:5.1f} s" if done >= 1.0 else f"{100 * max(done, 0.0):4.0f} % "
        if isinstance(note, Note):
            note = text(f"note_{note.code}", self.language, **note.values)
        return f"  {far}  {name}" + (f"  {note}" if note else "")

    def _write(self, line: str, ended: bool) -> None:
        if self.living:
            self.stream.write(
                "\r\x1b[K" + cut(line, shutil.get_terminal_size().columns - 1) + ("\n" if ended else "")
            )
        else:
            self.stream.write(line + "\n")
        self.stream.flush()


def cut(line: str, columns: int) -> str:
    """The beginning of a line that fits in so many columns; Chinese characters take two."""
    width = 0
    for at, character in enumerate(line):
        width += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if width > columns:
            return line[:at]
    return line
