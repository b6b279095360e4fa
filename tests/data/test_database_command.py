"""``./wangge db`` on a private cluster of the test's own and on somebody's server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import make_url

from api.cli.db import db
from data.machine import places
from data.postgres.server.cluster import Cluster
from data.postgres.server.deployment import SERVICE_ROLE
from gis.errors import SetupError, WanggeError

pytestmark = pytest.mark.database


def call(*arguments: str) -> Result:
    result = CliRunner().invoke(db, list(arguments))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def ask(url: str, statement: str, **instead: str) -> object:
    address = make_url(url).set(drivername="postgresql", **instead).render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        cursor = connection.execute(statement)
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The private cluster of a checkout of the test's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANGGE_HOME", str(tmp_path_factory.mktemp("db") / "home"))
        patch.setenv("WANGGE_LANG", "en")
        yield Cluster()
        Cluster().down()
        if places.is_root():
            shutil.rmtree(Path("/var/lib/wangge") / places.home_key(), ignore_errors=True)


def test_init_status_backup_restore_down(private: Cluster, tmp_path: Path) -> None:
    assert "no private database" in call("status").output
    assert call("status").exit_code == 1
    assert "Ready" in call("init").output
    assert call("status").exit_code == 0
    url = private.url()
    ask(url, "CREATE TABLE kept AS SELECT 7 AS n")
    file = tmp_path / "town.backup"
    call("backup", str(file))
    assert [f.name for f in tmp_path.iterdir()] == ["town.backup"]
    ask(url, "UPDATE kept SET n = 8")
    ask(url, "CREATE TABLE later (n int)")
    call("restore", "--yes", str(file))
    assert ask(url, "SELECT n FROM kept") == 7
    assert ask(url, "SELECT to_regclass('later')") is None
    assert ask(url, "SELECT count(*) FROM pg_database WHERE datname LIKE 'wangge_%'") == 0
    assert "Stopped" in call("down").output
    assert "not running" in call("down").output


def test_a_file_that_is_no_backup_changes_nothing(private: Cluster, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("not a backup")
    call("init")
    with pytest.raises(WanggeError, match="setup_backup_unreadable"):
        call("restore", "--yes", str(tmp_path / "x"))
    with pytest.raises(WanggeError, match="setup_backup_unreadable"):
        call("restore", "--yes", str(tmp_path / "absent"))
    assert ask(private.url(), "SELECT count(*) FROM alembic_version") == 1


def test_a_truncated_backup_changes_nothing(private: Cluster, tmp_path: Path) -> None:
    call("init")
    file = tmp_path / "town.backup"
    call("backup", str(file))
    file.write_bytes(file.read_bytes()[:-2000])
    ask(private.url(), "CREATE TABLE untouched AS SELECT 1 AS n")
    with pytest.raises(SetupError, match="setup_client_failed"):
        call("restore", "--yes", str(file))
    assert ask(private.url(), "SELECT n FROM untouched") == 1


@pytest.fixture
def given(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty database on a server that is not ours to start or stop, named by DATABASE_URL."""
    name = f"wangge_given_{os.getpid()}"
    ask(database_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", database="postgres")
    ask(database_url, f"CREATE DATABASE {name}", database="postgres")
    url = make_url(database_url).set(database=name).render_as_string(hide_password=False)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("WANGGE_LANG", "en")
    yield url
    monkeypatch.delenv("DATABASE_URL")
    ask(database_url, f"DROP DATABASE {name} WITH (FORCE)", database="postgres")


def test_a_given_server_is_changed_only_with_consent(given: str) -> None:
    asked = call("init").output
    assert "CREATE EXTENSION IF NOT EXISTS postgis;" in asked.splitlines()
    assert ask(given, "SELECT count(*) FROM pg_extension WHERE extname = 'postgis'") == 0
    assert "Ready" in call("init", "--yes").output
    assert ask(given, "SELECT count(*) FROM alembic_version") == 1
    assert "CREATE EXTENSION" not in call("init").output


def test_a_given_server_is_never_started_or_stopped(given: str) -> None:
    assert "never started or stopped" in call("down").output
    assert "never started or stopped" in call("up").output
    assert ask(given, "SELECT 1") == 1


def test_the_service_may_change_rows_but_no_tables(given: str) -> None:
    call("init", "--yes")
    as_service = {"username": SERVICE_ROLE}
    assert ask(given, "SELECT count(*) FROM territory", **as_service) == 0
    ask(given, "DELETE FROM territory", **as_service)
    for statement in ("CREATE TABLE mine (n int)", "DROP TABLE territory", "ALTER TABLE territory ADD mine int"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(given, statement, **as_service)


def test_what_an_administrator_must_do_is_named(given: str) -> None:
    """A login without rights gets the statement it may not run, not a stack of calls."""
    ask(given, "DROP ROLE IF EXISTS wangge_nobody")
    ask(given, "CREATE ROLE wangge_nobody LOGIN")
    try:
        with pytest.MonkeyPatch.context() as patch:
            other = make_url(given).set(username="wangge_nobody").render_as_string(hide_password=False)
            patch.setenv("DATABASE_URL", other)
            with pytest.raises(SetupError, match="setup_statement_refused") as raised:
                call("init", "--yes")
            assert "postgis" in str(raised.value.values["statement"])
    finally:
        ask(given, "DROP ROLE wangge_nobody")
