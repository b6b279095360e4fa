"""The private cluster: made, started, stopped, killed, and left alone where somebody else's server is used."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from data.machine import places, processes
from data.postgres.server import binaries, cluster
from data.postgres.server.cluster import LONGEST_SOCKET, SOCKET_NAME, Cluster
from gis.errors import SetupError

pytestmark = pytest.mark.database


@contextmanager
def home_of_its_own(folder: Path) -> Iterator[Path]:
    """State of a checkout of the test's own, so that no other cluster is touched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANGGE_HOME", str(folder))
        patch.delenv("DATABASE_URL", raising=False)
        yield folder
        if places.is_root():
            shutil.rmtree(Path("/var/lib/wangge") / places.home_key(), ignore_errors=True)


@pytest.fixture
def own_home(tmp_path: Path) -> Iterator[Path]:
    with home_of_its_own(tmp_path / "home") as folder:
        yield folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with home_of_its_own(tmp_path_factory.mktemp("cluster") / "home"):
        one = Cluster("t", durable=False)
        one.up()
        yield one
        one.down()


@pytest.fixture
def running(made: Cluster) -> Cluster:
    made.up()
    return made


def ask(url: str, statement: str) -> object:
    import psycopg

    with psycopg.connect(cluster.sqlalchemy_url(url).replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(statement)
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def test_from_nothing_to_postgis(running: Cluster) -> None:
    ask(running.url(), "CREATE EXTENSION postgis")
    assert str(ask(running.url(), "SELECT postgis_version()")) >= "3.3"
    assert running.status().running
    assert running.down()
    assert not running.status().running
    assert not running.down()


def test_nobody_else_gets_in(running: Cluster) -> None:
    assert ask(running.url(), "SHOW listen_addresses") == ""
    assert running.sockets.stat().st_mode & 0o777 == 0o700
    assert running.folder.stat().st_mode & 0o777 == 0o700
    inodes = {line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]}
    pid = running.status().pid
    links = [os.readlink(f) for f in Path(f"/proc/{pid}/fd").iterdir()]
    assert not {link for link in links if link.startswith("socket:[") and link[8:-1] in inodes}


def test_chinese_letters_are_letters_to_trigram_search(running: Cluster) -> None:
    ask(running.url(), "CREATE EXTENSION pg_trgm")
    assert ask(running.url(), "SELECT similarity('芙蓉中路', '芙蓉中路二段')") > 0.3


def test_without_power_protection_only_where_asked(running: Cluster) -> None:
    assert ask(running.url(), "SHOW fsync") == "off"
    assert "fsync" not in cluster.SETTINGS


def test_up_again_starts_nothing_and_keeps_the_server(running: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = running.status().pid
    monkeypatch.setattr(Cluster, "_try", lambda *_: pytest.fail("a program was started"))
    running.up()
    assert running.status().pid == pid


def test_a_killed_server_starts_again_with_its_rows(running: Cluster) -> None:
    ask(running.url(), "CREATE TABLE kept AS SELECT 7 AS n")
    ask(running.url(), "CHECKPOINT")
    pid = running.status().pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    running.up()
    assert ask(running.url(), "SELECT n FROM kept") == 7


@pytest.mark.parametrize("whose", ["nobody", "stranger", "zombie"])
def test_a_stale_pid_file_does_not_stop_a_start(running: Cluster, whose: str) -> None:
    running.down()
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)" if whose == "stranger" else ""])
    if whose == "nobody":
        child.wait()
    if whose == "zombie":
        until = time.monotonic() + 120
        while processes.state_of(child.pid) != "Z" and time.monotonic() < until:
            time.sleep(0.05)
        assert processes.state_of(child.pid) == "Z"
    file = running.folder / "postmaster.pid"
    file.write_text(f"{child.pid}\n{running.folder}\n1700000000\n5432\n{running.sockets}\n\n")
    cluster._give(file, cluster._owner())
    try:
        assert not running.status().running
        running.up()
        assert running.status().pid not in {None, child.pid}
    finally:
        child.kill()
        child.wait()


def test_an_interrupted_making_is_made_anew(own_home: Path) -> None:
    one = Cluster("t", durable=False)
    cluster._private_folder(one.folder.parent, cluster._owner())
    (one.folder.parent / "making").mkdir()
    (one.folder.parent / "making/half").write_text("")
    one.folder.mkdir()
    one.up()
    one.down()


def test_port_5432_is_free_for_others(running: Cluster) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 5432))
        except OSError:
            pytest.skip("another server of this machine has port 5432")


def test_a_given_server_is_used_and_left_alone(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://somebody:secret@db.example/town")

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "run", forbidden)
    monkeypatch.setattr(subprocess, "Popen", forbidden)
    assert cluster.ensure() == "postgresql+psycopg://somebody:secret@db.example/town"
    assert cluster.status().external
    assert not own_home.exists()


def test_the_socket_is_short_however_deep_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    for length in range(60, 160):
        wanted = Path("/" + "x" * (length - 1))
        used = cluster.socket_folder(wanted)
        assert len(os.fsencode(used)) + len(SOCKET_NAME) <= LONGEST_SOCKET
        assert (used == wanted) == (length + len(SOCKET_NAME) <= LONGEST_SOCKET)


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (tmp_path / "link").symlink_to(mine)
    with pytest.raises(SetupError, match="setup_socket_folder"):
        cluster._private_folder(tmp_path / "link", None)
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises((SetupError, PermissionError)):
        cluster._private_folder(mine, None)


def test_another_major_version_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    layout(tmp_path, 15)
    monkeypatch.setattr(binaries, "SYSTEM", tmp_path)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SetupError) as raised:
        binaries.find(14)
    assert raised.value.values["wanted"] == 14
    assert "15" in str(raised.value.values["found"])


def test_the_newest_with_postgis_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    layout(tmp_path, 15)
    layout(tmp_path, 16)
    layout(tmp_path, 17, postgis=False)
    monkeypatch.setattr(binaries, "SYSTEM", tmp_path)
    assert binaries.find().major == 16


def test_no_postgis_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    layout(tmp_path, 17, postgis=False)
    monkeypatch.setattr(binaries, "SYSTEM", tmp_path)
    monkeypatch.setattr(binaries, "HOMEBREW", ())
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("WANGGE_HOME", str(tmp_path / "home"))
    with pytest.raises(SetupError, match="setup_postgis_missing"):
        binaries.find()


def layout(root: Path, major: int, *, postgis: bool = True) -> None:
    """The part of Debian's layout that is looked at."""
    programs = root / f"usr/lib/postgresql/{major}/bin"
    extension = root / f"usr/share/postgresql/{major}/extension"
    programs.mkdir(parents=True)
    extension.mkdir(parents=True)
    (programs / "initdb").write_text("")
    if postgis:
        (extension / "postgis.control").write_text("")
