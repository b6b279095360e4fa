"""Servers under test, ours and the peers': started, watched and stopped by their process trees."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.runner import ROOT, Say
from benchmarks.serving_data import Served, plain_url
from data.machine import apt, places
from gis.errors import SetupError
from gis.progress import silent

_TICKS: Final = os.sysconf("SC_CLK_TCK")
#: How long a server may take to answer its first request, in seconds of a busy machine.
PATIENCE: Final = 300.0
#: Processes of every server: as many as cores, at most four, as ``serve`` takes them.
WORKERS: Final = min(4, os.cpu_count() or 1)


@dataclass(frozen=True)
class Server:
    """A running server: its port, and the processes whose work is its own (with the database's, where it asks)."""

    name: str
    port: int
    roots: tuple[int, ...]

    def cpu(self) -> float:
        """CPU seconds that its processes have taken so far."""
        return sum(_cpu_of(pid) for pid in tree(self.roots))

    def memory_mb(self) -> float:
        """Memory of its own processes, without the database's; pages that several share are counted once."""
        return sum(_pss_kb(pid) for pid in tree(self.roots[:1])) / 1024


@dataclass(frozen=True)
class Servers:
    """All that run beside each other; a peer that cannot be had is None."""

    anew: Server
    kept: Server
    tipg: Server | None
    flask: Server | None


def tree(roots: Sequence[int]) -> list[int]:
    """Processes and all their descendants."""
    children: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields is not None:
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, todo = [], list(roots)
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children.get(pid, [])
    return found


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat after the command: state, parent, ..."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None


def _cpu_of(pid: int) -> float:
    """CPU seconds of a process and of the children it has waited for."""
    fields = _stat(pid)
    return 0.0 if fields is None else sum(map(int, fields[11:15])) / _TICKS


def _pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(
    name: str,
    command: Sequence[str],
    port: int,
    ready: str,
    *,
    environment: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    log: Path,
    besides: tuple[int, ...] = (),
) -> Iterator[Server]:
    """A server that answers ``ready`` with 200; stopped with all its processes at the end."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_us,
        )
        try:
            _wait(name, process, f"http://127.0.0.1:{port}{ready}", log)
            yield Server(name, port, (process.pid, *besides))
        finally:
            _stop(process)


def _die_with_us() -> None:
    """Ask the kernel to stop this child when its parent is killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _wait(name: str, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise RuntimeError(f"{name} does not answer: {lines[-1] if lines else 'it says nothing'}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    except ProcessLookupError:
        process.wait()


def _postmaster(served: Served) -> tuple[int, ...]:
    pid = served.cluster.status().pid
    return () if pid is None else (pid,)


@contextmanager
def ours(served: Served, folder: Path, *, cached: bool = True, name: str = "wangge") -> Iterator[Server]:
    """``wangge serve`` on the city. ``cached`` off: every tile is made anew."""
    port = free_port()
    command = [sys.executable, "-c", "from api.cli.main import main; main()", "serve"]
    command += ["--port", str(port), "--workers", str(WORKERS)]
    environment = {"DATABASE_URL": served.url, "PYTHONPATH": str(ROOT), "WANGGE_CACHE": str(folder / f"{name}.cache")}
    if not cached:
        environment["WANGGE_TILE_CACHE_MB"] = "0"
    log = folder / f"{name}.log"
    with _running(
        name, command, port, "/readyz", environment=environment, log=log, besides=_postmaster(served)
    ) as server:
        yield server


@contextmanager
def tipg(served: Served, folder: Path, python: str) -> Iterator[Server]:
    """tipg on the same database, on tables made for it."""
    port = free_port()
    command = [str(Path(python).parent / "uvicorn"), "tipg.main:app", "--port", str(port)]
    command += ["--workers", str(WORKERS), "--log-level", "warning", "--no-access-log"]
    environment = {
        "DATABASE_URL": _over_socket(served),
        "TIPG_DB_SCHEMAS": '["peer"]',
        "TIPG_TILE_BUFFER": "64",
        "TIPG_MAX_FEATURES_PER_TILE": "100000",
        "TIPG_CATALOG_TTL": "0",
        "TIPG_DEFAULT_MINZOOM": "0",
    }
    with _running(
        "tipg", command, port, "/healthz", environment=environment, cwd=folder, log=folder / "tipg.log",
        besides=_postmaster(served),
    ) as server:  # fmt: skip
        yield server


def _over_socket(served: Served) -> str:
    """The database's address with the socket's folder as its host, the one spelling that tipg lets through."""
    head, _, _ = plain_url(served.url).partition("?")
    user = head.partition("://")[2].partition("@")[0]
    host = str(served.cluster.sockets).replace("/", "%2F")
    return f"postgresql://{user}@{host}:5432/{served.name}"


NGINX: Final = """
daemon off;
worker_processes {workers};
pid {folder}/nginx.pid;
error_log {folder}/nginx.error.log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_requests 100000000;
  gzip_static on;
  etag on;
  open_file_cache max=10000 inactive=600s;
  open_file_cache_valid 600s;
  default_type application/vnd.mapbox-vector-tile;
  {temporary}
  server {{ listen 127.0.0.1:{port}; root {files}; }}
}}
"""


def nginx_program(say: Say) -> str | None:
    """nginx of this machine, else one unpacked beside the peers; None, with the reason, where it cannot be had."""
    found = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    prefix = places.state() / "peers" / "nginx"
    unpacked = prefix / "usr" / "sbin" / "nginx"
    if found is not None or unpacked.exists():
        return found or str(unpacked)
    if not apt.available():
        say("nginx: this machine has none, and no apt-get to fetch it with")
        return None
    try:
        prefix.parent.mkdir(parents=True, exist_ok=True)
        apt.unpack(["nginx"], prefix, step="nginx", progress=silent)
    except (SetupError, OSError, subprocess.CalledProcessError) as error:
        say(f"nginx cannot be fetched: {error}")
    return str(unpacked) if unpacked.exists() else None


@contextmanager
def nginx(program: str, files: Path, ready: str, folder: Path) -> Iterator[Server]:
    """nginx that sends pre-compressed files."""
    port = free_port()
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n  ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    config = folder / "nginx.conf"
    text = NGINX.format(workers=WORKERS, folder=folder, port=port, files=files, temporary=temporary)
    config.write_text(("user root;\n" if os.geteuid() == 0 else "") + text, encoding="utf-8")
    command = [program, "-p", str(folder), "-c", str(config)]
    # one that was unpacked has its libraries beside it
    libraries = sorted({str(f.parent) for f in Path(program).parents[2].glob("usr/lib/*/lib*.so*")})
    environment = {} if program.startswith(("/usr/", "/opt/")) else {"LD_LIBRARY_PATH": ":".join(libraries)}
    with _running("nginx", command, port, ready, environment=environment, log=folder / "nginx.log") as server:
        yield server


@contextmanager
def flask_postgis(served: Served, folder: Path, python: str) -> Iterator[Server]:
    """A plain Flask application that asks PostGIS for each point, on gunicorn's threads."""
    port = free_port()
    command = [str(Path(python).parent / "gunicorn"), "flask_postgis:app", "--bind", f"127.0.0.1:{port}"]
    command += ["--worker-class", "gthread", "--threads", "4", "--workers", str(WORKERS), "--keep-alive", "60"]
    command += ["--log-level", "warning", "--chdir", str(ROOT / "benchmarks" / "peers")]
    environment = {"DATABASE_URL": plain_url(served.url)}
    with _running(
        "flask", command, port, "/ready", environment=environment, log=folder / "flask.log",
        besides=_postmaster(served),
    ) as server:  # fmt: skip
        yield server


@contextmanager
def all_of(served: Served, folder: Path, python: str | None) -> Iterator[Servers]:
    """Ours twice, with and without caches, and those peers that ask a database."""
    with ExitStack() as stack:
        yield Servers(
            stack.enter_context(ours(served, folder, cached=False, name="anew")),
            stack.enter_context(ours(served, folder)),
            None if python is None else stack.enter_context(tipg(served, folder, python)),
            None if python is None else stack.enter_context(flask_postgis(served, folder, python)),
        )
