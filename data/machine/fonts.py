"""A Chinese font for the browser's labels: the pages ship none and use the device's."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from data.machine import apt, places
from data.machine.steps import Outcome
from gis.errors import SetupError
from gis.progress import Progress, silent

STEP: Final = "fonts"
PACKAGES: Final = ("fonts-noto-cjk", "fontconfig")
FOLDERS: Final = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path("~/.local/share/fonts"))


def find() -> str | None:
    """Name of an installed font with Chinese characters; None when there is none. macOS always has one."""
    if sys.platform == "darwin":
        return "PingFang SC"
    if shutil.which("fc-list"):
        asked = subprocess.run(["fc-list", ":lang=zh-cn", "family"], capture_output=True, text=True, check=False)
        lines = [line for line in asked.stdout.splitlines() if line.strip()]
        if lines:
            return lines[0].partition(",")[0]
    for folder in FOLDERS:
        for pattern in (
            "**/*CJK*.[to]t[cf]",
            "**/wqy-*.tt[cf]",
            "**/DroidSansFallback*.ttf",
            "**/NotoSansSC*.[to]tf",
        ):
            found = next(folder.expanduser().glob(pattern), None)
            if found:
                return found.stem
    return None


def ensure(progress: Progress = silent) -> Outcome:
    """Have a Chinese font, or say how to get one: only pictures made here need it, so its absence is no error."""
    found = find()
    if found:
        return Outcome("there", "setup_fonts_there", {"name": found})
    if not (apt.available() and places.is_root()):
        return Outcome("left_out", "setup_fonts_absent")
    try:
        apt.install(list(PACKAGES), step=STEP, progress=progress)
    except SetupError as error:
        return Outcome("left_out", "setup_fonts_failed", {"reason": error.values.get("reason", "")})
    return Outcome("made", "setup_fonts_there", {"name": find() or PACKAGES[0]})
