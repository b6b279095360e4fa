"""Builds the web pages once for every state of their sources."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Final

from data.machine import node, places
from data.machine.steps import Outcome, run
from gis.errors import SetupError
from gis.progress import Progress, silent

STEP: Final = "web"
#: Folders of web/ that are made, not written.
MADE: Final = frozenset({"node_modules", "dist", "coverage", ".vite"})


def source() -> Path:
    """Where the TypeScript sources are."""
    return places.ROOT / "web"


def built() -> Path:
    """Where the built pages go, inside the package that serves them."""
    return places.ROOT / "api/static/dist"


def fingerprint(folder: Path) -> str:
    """Hash of every file the pages are built from."""
    digest = hashlib.sha256()
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if f not in MADE)
        for name in sorted(names):
            file = Path(parent) / name
            digest.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def ensure(progress: Progress = silent) -> Outcome:
    """Have the pages built from the present sources. Raises SetupError with what to do when they cannot be."""
    if not (source() / "package.json").exists():
        return Outcome("there", "setup_web_shipped")
    wanted = fingerprint(source())
    stamp = built() / ".built-from"
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return Outcome("there", "setup_web_there")
    if not os.access(source(), os.W_OK):
        raise SetupError("setup_web_read_only", folder=places.ROOT)
    folder = node.ensure(progress)
    environment = {"PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}", "CI": "true"}
    if not os.access(os.environ.get("HOME", "/nonexistent"), os.W_OK):
        environment["npm_config_cache"] = str(places.home() / "npm-cache")
    _install_modules(folder, environment, progress)
    stamp.unlink(missing_ok=True)
    ended = run([str(folder / "npm"), "run", "build"], step=STEP, progress=progress, span=(0.7, 1.0),
                cwd=source(), environment=environment)  # fmt: skip
    if ended.status != 0 or not built().is_dir():
        raise SetupError("setup_web_failed", reason=ended.reason)
    stamp.write_text(wanted, encoding="ascii")
    return Outcome("made", "setup_web_there")


def _install_modules(folder: Path, environment: dict[str, str], progress: Progress) -> None:
    lock = hashlib.sha256((source() / "package-lock.json").read_bytes()).hexdigest()
    modules = source() / "node_modules"
    stamp = modules / ".wangge-lock"
    if stamp.exists() and stamp.read_text(encoding="ascii") == lock:
        return
    command = [str(folder / "npm"), "ci", "--no-audit", "--no-fund", "--loglevel=http"]
    for attempt in (1, 2):
        ended = run(command, step=STEP, progress=progress, span=(0.3, 0.7), cwd=source(), environment=environment)
        if ended.status == 0:
            break
        shutil.rmtree(modules, ignore_errors=True)
        if attempt == 2:
            raise SetupError("setup_npm_failed", reason=ended.reason)
    stamp.write_text(lock, encoding="ascii")
