"""Gets PostgreSQL with PostGIS onto the machine: by apt as root, into a private prefix otherwise, by Homebrew."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Final

from data.machine import apt, places
from data.machine.steps import Outcome, run
from data.postgres.server import binaries, cluster
from gis.errors import SetupError
from gis.progress import Progress, silent

STEP: Final = "postgis"
PACKAGES: Final = ("postgresql-postgis",)
#: Debian's postgresql package makes and starts a server on port 5432 unless this says not to.
NO_MAIN_CLUSTER: Final = Path("/etc/postgresql-common/createcluster.d/wangge.conf")


def ensure(progress: Progress = silent) -> Outcome:
    """Have PostGIS, or an address of somebody's server. Raises SetupError with what to do when neither can be."""
    if cluster.external():
        return Outcome("there", "setup_postgis_external")
    found = binaries.installed()
    if found:
        return Outcome("there", "setup_postgis_there", {"major": found[0].major, "folder": found[0].folder})
    if apt.available():
        if places.is_root():
            _forbid_main_cluster()
            apt.install(list(PACKAGES), step=STEP, progress=progress)
        else:
            if not places.writable(places.home()):
                raise SetupError("setup_home_read_only", folder=places.home())
            apt.unpack(list(PACKAGES), binaries.prefix(), step=STEP, progress=progress)
            _finish_prefix(binaries.prefix())
    elif sys.platform == "darwin" and shutil.which("brew"):
        _homebrew(progress)
    made = binaries.find()
    return Outcome("made", "setup_postgis_there", {"major": made.major, "folder": made.folder})


def _forbid_main_cluster() -> None:
    if NO_MAIN_CLUSTER.exists() or Path("/usr/bin/pg_createcluster").exists():
        return
    NO_MAIN_CLUSTER.parent.mkdir(parents=True, exist_ok=True)
    NO_MAIN_CLUSTER.write_text(
        "# written by wangge before PostgreSQL was installed: it runs its own private server,\n"
        "# and none is wanted on port 5432. Remove this file to let the system make one.\n"
        "create_main_cluster = false\n",
        encoding="utf-8",
    )


def _finish_prefix(prefix: Path) -> None:
    """Make the links that the packages' install scripts would have made."""
    for control in prefix.glob("usr/share/postgresql/*/extension/*-3.control"):
        plain = control.with_name(control.name.replace("-3.control", ".control"))
        if not plain.exists():
            plain.unlink(missing_ok=True)
            plain.symlink_to(control.name)


def _homebrew(progress: Progress) -> None:
    # untried: written from Homebrew's documentation; `postgis` brings the postgresql@N it is built for
    ended = run(["brew", "install", "postgis"], step=STEP, progress=progress)
    if ended.status != 0:
        raise SetupError("setup_brew_failed", packages="postgis", reason=ended.reason)
