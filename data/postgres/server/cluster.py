"""The private PostgreSQL + PostGIS cluster: made, started and stopped by us, reached over a unix socket only.

Nobody else can reach it: it listens on no network address and its socket lies in a folder only its owner may
enter. With ``DATABASE_URL`` set, that server is used instead and never started or stopped.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from data.machine import places, processes
from data.postgres.server import binaries
from data.postgres.server.binaries import Binaries
from gis.errors import SetupError
from gis.progress import Progress, silent

#: sun_path holds 108 bytes with its closing zero; PostgreSQL appends this name to the folder.
SOCKET_NAME: Final = "/.s.PGSQL.5432"
LONGEST_SOCKET: Final = 107
USER: Final = "wangge"
DATABASE: Final = "wangge"
#: Seconds that a start or a stop may take: one that failed is told at once, a crowded machine is waited for.
LONGEST: Final = "300"
#: How long leftovers of a killed server may take to vanish.
PATIENCE_SECONDS: Final = 10.0
#: A server log above this size is started afresh with the next start.
LONGEST_LOG: Final = 10_000_000

SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "''",
    "port": "5432",  # names the socket file only: no port is opened
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "512MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "2GB",
    "jit": "off",
    "random_page_cost": "1.1",
    # GMT is the one zone the server knows without the system's tzdata
    "timezone": "'GMT'",
    "log_timezone": "'GMT'",
}
NOT_DURABLE: Final[Mapping[str, str]] = {
    # several test runs, each with servers of several workers
    "max_connections": "300",
    "shared_buffers": "128MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum_naptime": "'5min'",
}


@dataclass(frozen=True, slots=True)
class Status:
    """What is known about the database: ``url`` is for SQLAlchemy; ``external`` means DATABASE_URL's server."""

    url: str
    external: bool
    running: bool
    folder: Path | None = None
    pid: int | None = None
    major: int | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """A private cluster by its name. ``durable=False`` is for tests: fast, and lost with the machine's power."""

    name: str = "pg"
    durable: bool = True

    @property
    def folder(self) -> Path:
        """The data folder: below /var/lib for root (whose home the postgres user cannot enter), else in our state."""
        return _base() / self.name / "data"

    @property
    def sockets(self) -> Path:
        """The folder of the unix socket, short enough for the kernel."""
        return socket_folder(_base() / self.name / "run")

    @property
    def log(self) -> Path:
        """The server's log."""
        return _base() / self.name / "server.log"

    def url(self, database: str = DATABASE) -> str:
        """SQLAlchemy's address of one database of this cluster."""
        return f"postgresql+psycopg://{USER}@/{database}?host={self.sockets}&port=5432"

    def up(self, progress: Progress = silent) -> str:
        """Make the cluster if there is none, start it if it is down; its address."""
        with self._locked():
            programs = binaries.find(self._made_with())
            if self._made_with() is None:
                progress("database", 0.1, str(self.folder))
                self._make(programs)
            if self._pid() is None:
                progress("database", 0.6, str(self.folder))
                self._start(programs)
                progress("database", 1.0)
        return self.url()

    def down(self) -> bool:
        """Stop the cluster; False when it was not running."""
        with self._locked():
            if self._pid() is None:
                return False
            programs = binaries.find(self._made_with())
            self._run(programs, "pg_ctl", "-D", str(self.folder), "-m", "fast", "-w", "-t", LONGEST, "stop")
            return True

    def status(self) -> Status:
        """Whether the cluster exists and runs."""
        pid = self._pid()
        return Status(self.url(), False, pid is not None, self.folder, pid, self._made_with())

    def _made_with(self) -> int | None:
        try:
            return int((self.folder / "PG_VERSION").read_text(encoding="ascii").partition(".")[0])
        except (FileNotFoundError, ValueError):
            return None

    def _pid(self) -> int | None:
        """Process id of this cluster's running server; a stale file, a zombie or a stranger's process is none."""
        pid = _pid_in(self.folder / "postmaster.pid")
        return pid if pid is not None and _is_server(pid, self.folder) else None

    def _make(self, programs: Binaries) -> None:
        owner = _owner()
        _private_folder(self.folder.parent, owner)
        # what an interrupted initdb left behind is of no use to anyone
        shutil.rmtree(self.folder, ignore_errors=True)
        making = self.folder.with_name("making")
        shutil.rmtree(making, ignore_errors=True)
        # LC_CTYPE decides whether pg_trgm sees Chinese characters as letters: plain C would drop them
        self._run(
            programs, "initdb", "-D", str(making), "-U", USER, "--auth=trust", "--encoding=UTF8",
            "--lc-collate=C", f"--lc-ctype={_utf8_locale()}", "--lc-messages=C", "--no-instructions",
            *(() if self.durable else ("--no-sync",)),
        )  # fmt: skip
        with (making / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("\ninclude = 'wangge.conf'\n")
        self._write_settings(making)
        making.rename(self.folder)

    def _write_settings(self, folder: Path) -> None:
        settings = {**SETTINGS, **({} if self.durable else NOT_DURABLE)}
        settings["unix_socket_directories"] = f"'{self.sockets}'"
        lines = [f"{name} = {value}" for name, value in settings.items()]
        file = folder / "wangge.conf"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        _give(file, _owner())

    def _start(self, programs: Binaries) -> None:
        _private_folder(self.sockets, _owner())
        self._write_settings(self.folder)
        if self.log.exists() and self.log.stat().st_size > LONGEST_LOG:
            self.log.unlink()
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            self._clear_stale()
            said = self._try(
                programs, "pg_ctl", "-D", str(self.folder), "-l", str(self.log), "-w", "-t", LONGEST, "-s", "start"
            )
            if said.returncode == 0 and self._pid() is not None:
                break
            if time.monotonic() > until:
                raise SetupError("setup_database_start", log=self.log, reason=_last_line(self.log))
            time.sleep(0.3)
        self._make_database(programs)

    def _clear_stale(self) -> None:
        """Remove a pid file whose server is dead although something still answers to its number.

        The server itself removes files of numbers nobody has, and refuses where a zombie or a stranger has it.
        """
        file = self.folder / "postmaster.pid"
        pid = _pid_in(file)
        if pid is None or _is_server(pid, self.folder) or processes.working_in(self.folder.resolve()):
            return
        file.unlink(missing_ok=True)

    def _make_database(self, programs: Binaries) -> None:
        at = ("-h", str(self.sockets), "-p", "5432", "-U", USER)
        ask = f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"  # noqa: S608 - a constant
        there = self._run(programs, "psql", *at, "-d", "postgres", "-XAtc", ask)
        if there.strip() != "1":
            self._run(programs, "createdb", *at, DATABASE)

    def _try(self, programs: Binaries, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        owner = _owner()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")} | programs.environment
        # a file, not a pipe: the server inherits the handle and would keep a pipe open for ever
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            ended = subprocess.run(
                [programs.path(program), *arguments],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=False,
                cwd="/", env=environment, umask=0o077,
                user=owner.pw_uid if owner else None,
                group=owner.pw_gid if owner else None,
                extra_groups=[] if owner else None,
            )  # fmt: skip
            output.seek(0)
            return subprocess.CompletedProcess(ended.args, ended.returncode, output.read(), "")

    def _run(self, programs: Binaries, program: str, *arguments: str) -> str:
        ended = self._try(programs, program, *arguments)
        if ended.returncode != 0:
            lines = ended.stdout.strip().splitlines() or [str(ended.returncode)]
            raise SetupError("setup_database_program", program=program, reason=lines[-1], log=self.log)
        return ended.stdout

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time makes, starts or stops a cluster."""
        _private_folder(self.folder.parent, _owner())
        with (self.folder.parent / "lock").open("w", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def ensure(progress: Progress = silent) -> str:
    """Address of the database to use: DATABASE_URL's, else the private cluster's, started if need be."""
    return external() or Cluster().up(progress)


def status() -> Status:
    """Of DATABASE_URL's server (whose running is not our business) or of the private cluster."""
    url = external()
    return Status(url, True, True) if url else Cluster().status()


def external() -> str | None:
    """DATABASE_URL in SQLAlchemy's spelling, None when it is not set."""
    given = os.environ.get("DATABASE_URL", "").strip()
    return sqlalchemy_url(given) if given else None


def sqlalchemy_url(url: str) -> str:
    """``postgres://`` and ``postgresql://`` addresses as SQLAlchemy with psycopg 3 wants them."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme in {"postgres", "postgresql"}:
        return f"postgresql+psycopg://{rest}"
    return url


def socket_folder(wanted: Path) -> Path:
    """``wanted``, or a short folder of this user's own when the socket's path there would be too long."""
    if len(os.fsencode(wanted)) + len(SOCKET_NAME) <= LONGEST_SOCKET:
        return wanted
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    name = f"wangge-{places.home_key()}-{wanted.parent.name}"
    if runtime and len(os.fsencode(runtime)) + 1 + len(name) + len(SOCKET_NAME) <= LONGEST_SOCKET:
        return Path(runtime) / name
    return Path("/tmp") / f"{name}-{os.geteuid()}"  # noqa: S108 - made 0700 and its owner checked before use


def _base() -> Path:
    if places.is_root():
        return Path("/var/lib/wangge") / places.home_key()
    return places.state()


def _owner() -> pwd.struct_passwd | None:
    """The user that runs the server when we are root (PostgreSQL refuses to run as root); None: ourselves."""
    if not places.is_root():
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        raise SetupError("setup_database_user") from None


def _private_folder(folder: Path, owner: pwd.struct_passwd | None) -> None:
    """Make a folder only its owner may enter; refuse one that belongs to somebody else."""
    if owner is not None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if places.home_key() == folder.parent.name:
            folder.parent.chmod(0o755)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _give(folder, owner)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != (owner.pw_uid if owner else os.geteuid()):
        raise SetupError("setup_socket_folder", folder=folder)
    folder.chmod(0o700)


def _give(path: Path, owner: pwd.struct_passwd | None) -> None:
    if owner is not None:
        os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)


def _pid_in(file: Path) -> int | None:
    try:
        return abs(int(file.read_text(encoding="utf-8", errors="replace").split("\n", 1)[0]))
    except (OSError, ValueError):
        return None


def _is_server(pid: int, folder: Path) -> bool:
    command = processes.command_of(pid)
    return processes.alive(pid) and "postgres" in command and str(folder) in command


def _utf8_locale() -> str:
    """C.UTF-8 where the system has it (every Debian), else one that classifies letters alike."""
    import locale

    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.UTF-8", "C.utf8", "en_US.UTF-8"):
            with contextlib.suppress(locale.Error):
                locale.setlocale(locale.LC_CTYPE, name)
                return name
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""
