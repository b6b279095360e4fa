"""Debian's and Ubuntu's packages: installed by root, or unpacked into a private prefix by anybody."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from data.machine import places
from data.machine.steps import Ended, run
from gis.errors import SetupError
from gis.progress import Progress

QUIET: Final = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "DEBCONF_NONINTERACTIVE_SEEN": "true"}
#: What every program already runs on: a second copy in a library path would break them all.
NEVER_UNPACK: Final = re.compile(r"(libc6|libc-bin|libc-l10n|locales|base-files|dpkg|apt|perl-base|debconf)(:.*)?$")
_STATUS: Final = re.compile(r"^(dl|pm)status:[^:]*:([0-9.]+):(.*)$")
_INSTALL: Final = re.compile(r"^Inst (\S+) (?:\[[^]]*\] )?\((\S+)")


def available() -> bool:
    """Whether this system has apt and dpkg."""
    return shutil.which("apt-get") is not None and shutil.which("dpkg") is not None


def install(packages: list[str], *, step: str, progress: Progress) -> None:
    """Install packages as root, reading the package lists first where they are missing or too old."""
    ended = _install(packages, step, progress)
    if ended.status != 0:
        updated = run([*_APT, "update"], step=step, progress=progress, span=(0.0, 0.15),
                      reader=read_status, environment=QUIET)  # fmt: skip
        ended = _install(packages, step, progress)
        if ended.status != 0:
            reason = ended.reason if updated.status == 0 else updated.reason
            raise SetupError("setup_apt_failed", packages=" ".join(packages), reason=reason)


def would_bring(packages: list[str], *, step: str, progress: Progress) -> list[str]:
    """Names of what installing packages would bring, as root; the package lists are read where they are missing."""
    wanted = _closure(packages, [])
    if not wanted:
        run([*_APT, "update"], step=step, progress=progress, span=(0.0, 0.1), reader=read_status, environment=QUIET)
        wanted = _closure(packages, [])
    return [one.partition("=")[0] for one in wanted]


def unpack(packages: list[str], into: Path, *, step: str, progress: Progress) -> None:
    """Download packages with all they need that the system lacks, and unpack them below ``into``, as any user."""
    own = places.state() / "apt"
    debs = own / "debs"
    shutil.rmtree(debs, ignore_errors=True)
    debs.mkdir(parents=True)
    options: list[str] = []
    wanted = _closure(packages, options)
    if not wanted:
        options = _own_lists(own)
        ended = run([*_APT, *options, "update"], step=step, progress=progress,
                    span=(0.0, 0.1), reader=read_status, environment=QUIET)  # fmt: skip
        wanted = _closure(packages, options)
        if not wanted:
            raise SetupError("setup_apt_failed", packages=" ".join(packages), reason=ended.reason)
    ended = _download(wanted, options, debs, step, progress)
    if ended.status != 0 and not options:  # the system's lists are older than the mirror
        options = _own_lists(own)
        run([*_APT, *options, "update"], step=step, progress=progress, span=(0.0, 0.1), environment=QUIET)
        wanted = _closure(packages, options)
        ended = _download(wanted, options, debs, step, progress)
    if ended.status != 0:
        raise SetupError("setup_apt_failed", packages=" ".join(packages), reason=ended.reason)
    making = into.with_name(into.name + ".making")
    shutil.rmtree(making, ignore_errors=True)
    files = sorted(debs.glob("*.deb"))
    for number, deb in enumerate(files):
        progress(step, 0.8 + 0.2 * number / len(files), deb.name.partition("_")[0])
        subprocess.run(["dpkg", "-x", str(deb), str(making)], check=True, stdin=subprocess.DEVNULL)
    shutil.rmtree(into, ignore_errors=True)
    making.rename(into)
    shutil.rmtree(own, ignore_errors=True)


def read_status(line: str) -> tuple[float | None, str]:
    """Share done and what is being done, from a line of ``APT::Status-Fd``."""
    found = _STATUS.match(line)
    if not found:
        return None, ""
    share = min(float(found[2]) / 100.0, 1.0)
    # downloading and unpacking each run from 0 to 100
    return (share / 2 if found[1] == "dl" else 0.5 + share / 2), found[3]


#: apt's progress on a handle of its own, which the reader sees as standard output: handle 1 itself would be
#: closed to the packages' scripts.
_APT: Final = ("sh", "-c", 'exec "$0" -q -o APT::Status-Fd=3 -o Dpkg::Use-Pty=0 "$@" 3>&1', "apt-get")


def _install(packages: list[str], step: str, progress: Progress) -> Ended:
    command = [
        *_APT, "install", "-y", "--no-install-recommends",
        "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Options::=--force-confold", *packages,
    ]  # fmt: skip
    return run(command, step=step, progress=progress, span=(0.15, 1.0), reader=read_status, environment=QUIET)


def _own_lists(own: Path) -> list[str]:
    """Options under which apt keeps its lists and downloads in a folder of this user's."""
    (own / "lists/partial").mkdir(parents=True, exist_ok=True)
    (own / "cache/archives/partial").mkdir(parents=True, exist_ok=True)
    settings = {
        "Dir::State::lists": own / "lists",
        "Dir::Cache": own / "cache",
        "Debug::NoLocking": 1,
        "APT::Sandbox::User": "",
    }
    return [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]


def _closure(packages: list[str], options: list[str]) -> list[str]:
    """Packages, with versions, that installing would add to this system; empty when apt does not know them."""
    asked = subprocess.run(
        ["apt-get", *options, "-o", "Debug::NoLocking=1", "-s", "--no-install-recommends", "install", *packages],
        capture_output=True, text=True, check=False, env={**os.environ, **QUIET}, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if asked.returncode != 0:
        return []
    found = (_INSTALL.match(line) for line in asked.stdout.splitlines())
    return [f"{m[1]}={m[2]}" for m in found if m and not NEVER_UNPACK.match(m[1])]


def _download(wanted: list[str], options: list[str], into: Path, step: str, progress: Progress) -> Ended:
    command = [*_APT, *options, "download", *wanted]
    # downloading alone reaches half of the span: 0.1 to 0.8 of the step
    return run(
        command, step=step, progress=progress, span=(0.1, 1.5), reader=read_status, cwd=into, environment=QUIET
    )
