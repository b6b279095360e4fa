"""Backups of a whole database, in PostgreSQL's own compressed format."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

from sqlalchemy import make_url, text

from data.postgres.connect import engine_of
from data.postgres.server import binaries, cluster
from gis.errors import InputError, SetupError

_RESTORING: Final = "wangge_restoring"
_BEFORE: Final = "wangge_before_restore"


def backup(url: str, file: Path) -> int:
    """Write the database into ``file`` (whole or not at all); its size in bytes."""
    part = file.with_name(file.name + ".part")
    try:
        _client("pg_dump", url, "--format=custom", "--no-owner", f"--file={part.resolve()}")
        part.replace(file)
    except OSError as error:
        raise InputError("setup_backup_unwritable", file=file, reason=error.strerror) from error
    finally:
        part.unlink(missing_ok=True)
    return file.stat().st_size


def restore(url: str, file: Path) -> None:
    """Replace the database's contents by a backup's; on any fault the database stays as it was."""
    if not _is_backup(file):
        raise InputError("setup_backup_unreadable", file=file)
    if cluster.external():
        _client(
            "pg_restore", url, "--clean", "--if-exists", "--no-owner", "--single-transaction", str(file.resolve())
        )
        return
    _restore_beside(url, file)


def _is_backup(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return opened.read(5) == b"PGDMP"
    except OSError:
        return False


def _restore_beside(url: str, file: Path) -> None:
    """Restore into a new database, then put it in the old one's place."""
    name = make_url(url).database or cluster.DATABASE
    server = make_url(url).set(database="postgres").render_as_string(hide_password=False)
    _outside_transactions(server, f"DROP DATABASE IF EXISTS {_RESTORING}", f"CREATE DATABASE {_RESTORING}")
    beside = make_url(url).set(database=_RESTORING).render_as_string(hide_password=False)
    _client("pg_restore", beside, "--no-owner", "--exit-on-error", str(file.resolve()))
    _outside_transactions(
        server,
        f"DROP DATABASE IF EXISTS {_BEFORE}",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",  # noqa: S608 - ours
        f"ALTER DATABASE {name} RENAME TO {_BEFORE}",
        f"ALTER DATABASE {_RESTORING} RENAME TO {name}",
        f"DROP DATABASE {_BEFORE}",
    )


def _outside_transactions(url: str, *statements: str) -> None:
    with engine_of(url) as engine, engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(text(statement))


def _client(program: str, url: str, *arguments: str) -> None:
    programs = binaries.find()
    address = make_url(url).set(drivername="postgresql")
    environment = {**os.environ, **programs.environment}
    if address.password:  # not where `ps` shows it
        environment["PGPASSWORD"] = str(address.password)
    target = address.set(password=None).render_as_string()
    command = [programs.path(program), f"--dbname={target}", "--no-password", *arguments]
    ended = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if ended.returncode != 0:
        lines = [line for line in ended.stderr.splitlines() if line.strip()] or [str(ended.returncode)]
        raise SetupError("setup_client_failed", program=program, reason=lines[0])
