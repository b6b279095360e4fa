"""The database as an operator sees it: made ready, started, stopped, looked at, backed up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from data.postgres.server import backup as backups
from data.postgres.server import cluster, deployment, migrate
from gis.errors import SetupError
from gis.progress import Progress, silent


@dataclass(frozen=True, slots=True)
class State:
    """What ``db status`` tells."""

    external: bool
    running: bool
    url: str
    folder: Path | None
    pid: int | None
    version: int | None
    revision: str | None
    newest: str


def ready(progress: Progress = silent) -> str:
    """Address of a database at the newest schema: the private one is started and brought there.

    A server of one's own is not changed: SetupError ``db_unreachable`` or ``db_old_schema`` says what to do.
    """
    url = cluster.ensure(progress)
    found = migrate.revision(url)
    if found in migrate.heads():
        return url
    if cluster.external():
        raise SetupError("db_old_schema", found=found or "-", newest=", ".join(migrate.heads()))
    deployment.prepare(url)
    return url


def statements(url: str) -> list[str]:
    """What an administrator must run (or ``init`` with consent) before the schema can be made."""
    return deployment.missing(url)


def init(url: str) -> str:
    """Make everything the service needs; the schema's revision."""
    deployment.prepare(url)
    return migrate.revision(url) or ""


def state() -> State:
    """Whether it runs, and how new its schema is."""
    found = cluster.status()
    revision = migrate.revision(found.url) if found.running else None
    return State(
        external=found.external,
        running=found.running,
        url=found.url,
        folder=found.folder,
        pid=found.pid,
        version=found.major,
        revision=revision,
        newest=", ".join(migrate.heads()),
    )


def is_external() -> bool:
    """Whether DATABASE_URL names the server."""
    return cluster.external() is not None


def up(progress: Progress = silent) -> str:
    """Start the private cluster."""
    return cluster.ensure(progress)


def down() -> bool:
    """Stop the private cluster; False when it was not running."""
    return cluster.Cluster().down()


def backup(file: Path, progress: Progress = silent) -> int:
    """Write a backup; its size in bytes."""
    return backups.backup(cluster.ensure(progress), file)


def restore(file: Path, progress: Progress = silent) -> None:
    """Put a backup in the database's place."""
    backups.restore(cluster.ensure(progress), file)
