"""Finds a Chromium for the browser tests; root gets it by apt, others are told how."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from data.machine import apt, places
from data.machine.steps import Outcome, run
from gis.errors import SetupError
from gis.progress import Progress, silent

STEP: Final = "chromium"
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC: Final = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def find() -> str | None:
    """Path of a packaged Chromium (or ``WANGGE_CHROMIUM``); Ubuntu's stub that only starts a snap is none."""
    given = os.environ.get("WANGGE_CHROMIUM")
    candidates = [given] if given else [*(shutil.which(n) for n in NAMES), *MAC]
    return next((c for c in candidates if c and Path(c).exists() and not is_snap(Path(c))), None)


def is_snap(program: Path) -> bool:
    """Whether a program lies in a snap or is the script that asks for one."""
    if "/snap/" in f"{program}{program.resolve()}":
        return True
    try:
        with program.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return False
    return head.startswith(b"#!") and (b"snap install" in head or b"/snap/bin/" in head)


def ensure(progress: Progress = silent) -> Outcome:
    """Have Chromium, or say how to get it: only the browser tests need it, so its absence is no error."""
    found = find()
    if found:
        return Outcome("there", "setup_chromium_there", {"path": found})
    if not (apt.available() and places.is_root()):
        return _by_homebrew(progress)
    # Ubuntu's package is a stub that brings snapd
    brought = apt.would_bring(["chromium"], step=STEP, progress=progress)
    if not brought or "snapd" in brought:
        return Outcome("left_out", "setup_chromium_snap")
    try:
        apt.install(["chromium"], step=STEP, progress=progress)
    except SetupError as error:
        return Outcome("left_out", "setup_chromium_failed", {"reason": error.values.get("reason", "")})
    found = find()
    if found is None:
        return Outcome("left_out", "setup_chromium_snap")
    return Outcome("made", "setup_chromium_there", {"path": found})


def _by_homebrew(progress: Progress) -> Outcome:
    # untried: written from Homebrew's documentation
    if sys.platform == "darwin" and shutil.which("brew"):
        ended = run(["brew", "install", "--cask", "chromium"], step=STEP, progress=progress)
        found = find()
        if ended.status == 0 and found:
            return Outcome("made", "setup_chromium_there", {"path": found})
    return Outcome("left_out", "setup_chromium_absent")
