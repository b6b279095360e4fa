"""Finds PostgreSQL programs that come with PostGIS: the machine's, our private prefix's, Homebrew's."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from data.machine import places
from gis.errors import SetupError

#: Where Debian and Ubuntu install; tests point this elsewhere.
SYSTEM = Path("/")
HOMEBREW = (Path("/opt/homebrew"), Path("/usr/local"))


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation of PostgreSQL with PostGIS."""

    folder: Path
    major: int
    #: Variables the programs need beside the process's own (libraries and data of a private prefix).
    environment: dict[str, str] = field(default_factory=dict)

    def path(self, program: str) -> str:
        """Full path of ``initdb``, ``pg_ctl``, ``pg_dump`` and so on."""
        return str(self.folder / program)


def prefix() -> Path:
    """Where an ordinary user's PostgreSQL is unpacked when the machine has none."""
    return places.home() / "prefix"


def installed() -> list[Binaries]:
    """Every installation that has PostGIS: the machine's before the prefix's, newest first within each."""
    found = [*_debian(SYSTEM, {}), *_debian(prefix(), prefix_environment(prefix())), *_homebrew(), *_on_path()]
    unique = {b.folder.resolve(): b for b in reversed(found)}
    return [b for b in found if unique.get(b.folder.resolve()) is b]


def find(major: int | None = None) -> Binaries:
    """The installation to use; ``major`` asks for the version an existing cluster was made with.

    Raises SetupError when there is none.
    """
    found = installed()
    if not found:
        raise SetupError("setup_postgis_missing")
    if major is None:
        return found[0]
    for one in found:
        if one.major == major:
            return one
    raise SetupError("setup_postgres_version", wanted=major, found=", ".join(str(b.major) for b in found))


def prefix_environment(root: Path) -> dict[str, str]:
    """Variables that let programs unpacked below ``root`` find their libraries and data."""
    folders = [*sorted(root.glob("usr/lib/*-linux-gnu*")), root / "usr/lib", root / "lib"]
    # alternatives (libblas, liblapack) are links made by install scripts, which an unpacked package never ran
    folders += sorted(p.parent for p in root.glob("usr/lib/*-linux-gnu*/*/lib*.so.3"))
    folders += sorted(root.glob("usr/lib/*-linux-gnu*/pulseaudio"))
    existing = [str(f) for f in folders if f.is_dir()]
    return {
        "LD_LIBRARY_PATH": os.pathsep.join(existing),
        "PROJ_DATA": str(root / "usr/share/proj"),
        "PROJ_LIB": str(root / "usr/share/proj"),
        "GDAL_DATA": str(root / "usr/share/gdal"),
    }


def _debian(root: Path, environment: dict[str, str]) -> Iterator[Binaries]:
    folders = [f for f in root.glob("usr/lib/postgresql/*/bin") if f.parent.name.isdigit()]
    for folder in sorted(folders, key=lambda f: -int(f.parent.name)):
        major = int(folder.parent.name)
        control = root / f"usr/share/postgresql/{major}/extension/postgis.control"
        if control.exists() and (folder / "initdb").exists():
            yield Binaries(folder, major, environment)


def _homebrew() -> Iterator[Binaries]:
    # untried: written from Homebrew's documented layout
    for root in HOMEBREW:
        for keg in sorted(root.glob("opt/postgresql@*"), key=lambda k: k.name, reverse=True):
            version = keg.name.partition("@")[2]
            shares = (keg / "share/postgresql", root / f"share/postgresql@{version}")
            if version.isdigit() and any((s / "extension/postgis.control").exists() for s in shares):
                yield Binaries(keg / "bin", int(version))


def _on_path() -> Iterator[Binaries]:
    config = shutil.which("pg_config")
    if config is None:
        return
    asked = subprocess.run(
        [config, "--bindir", "--sharedir", "--version"], capture_output=True, text=True, check=False
    )
    lines = asked.stdout.splitlines()
    if asked.returncode != 0 or len(lines) != 3:
        return
    folder, share = Path(lines[0]), Path(lines[1])
    major = lines[2].split()[1].partition(".")[0]
    if major.isdigit() and (share / "extension/postgis.control").exists() and (folder / "initdb").exists():
        yield Binaries(folder, int(major))
