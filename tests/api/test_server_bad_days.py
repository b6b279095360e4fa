"""The server as processes on bad days: a worker killed, the database's connections cut, slow clients, Ctrl-C."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from api.cli.serve import choose_port
from gis.tiles import pyramid

pytestmark = [pytest.mark.database, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
PATIENCE = 120  # seconds: a bound for a machine at its limits, never waited for


class Server:
    """``serve`` with two workers, its port and a tile."""

    def __init__(self, world, folder, workers=2):
        self.port = choose_port("127.0.0.1", 0)
        spot = world.grids[min(world.grids)][0][1].centroid
        x, y = pyramid.tile_at(14, *world.wgs84(min(world.grids), spot.x, spot.y))
        self.tile = f"/tiles/grids/14/{x}/{y}.mvt"
        environment = {**os.environ, "DATABASE_URL": world.url, "PYTHONPATH": str(ROOT), "WANGGE_CACHE": str(folder)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "api.cli.main", "serve", "--port", str(self.port), "--workers", str(workers)],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT, start_new_session=True,
        )  # fmt: skip

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def get(self, path, connection=None):
        held = connection or self.connect()
        try:
            held.request("GET", path, headers={"Accept-Encoding": "gzip"})
            answer = held.getresponse()
            return answer.status, answer.read()
        finally:
            if connection is None:
                held.close()

    def until(self, what):
        """Try until it is true; what cannot be reached is not."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                if what():
                    return
            except (OSError, http.client.HTTPException, psutil.Error):  # a process that goes while it is looked at
                pass
            assert time.monotonic() < end
            assert self.process.poll() is None
            time.sleep(0.1)

    def workers(self):
        """The processes that listen, but for the first."""
        below = psutil.Process(self.process.pid).children(recursive=True)
        return [p for p in below if any(c.laddr.port == self.port for c in p.net_connections("tcp") if c.laddr)]


@pytest.fixture(scope="module")
def server(world, tmp_path_factory):
    made = Server(world, tmp_path_factory.mktemp("cache"))
    try:
        made.until(lambda: made.get("/readyz")[0] == 200)
        made.until(lambda: len(made.workers()) == 2)
        yield made
    finally:
        os.killpg(made.process.pid, signal.SIGINT)
        try:
            made.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(made.process.pid, signal.SIGKILL)
            raise


def test_a_killed_worker_takes_nobody_along(server):
    """Connections to the other worker go on without a fault, new ones are answered, and a new worker comes."""
    held = [server.connect() for _ in range(16)]
    for connection in held:
        assert server.get(server.tile, connection)[0] == 200
    workers = server.workers()
    victim = workers[0]
    ours = {connection.sock.getsockname()[1]: connection for connection in held}
    hit = {c.raddr.port for c in victim.net_connections("tcp") if c.raddr and c.raddr.port in ours}
    victim.kill()
    victim.wait(PATIENCE)
    for port, connection in ours.items():
        if port not in hit:
            assert server.get(server.tile, connection)[0] == 200
    for _ in range(20):
        assert server.get(server.tile)[0] == 200
    for connection in held:
        connection.close()
    server.until(lambda: len([p for p in server.workers() if p.pid != victim.pid]) == 2)
    assert server.get("/readyz")[0] == 200


def test_cut_connections_are_told_as_such_and_come_back(world, server):
    """Under load: 503 as a problem document at worst, and everything as before without a restart."""
    stop, seen = threading.Event(), []

    def ask():
        connection = server.connect()
        while not stop.is_set():
            for path in (server.tile, "/api/territories", "/readyz"):
                seen.append((path, *server.get(path, connection)))
        connection.close()

    readers = [threading.Thread(target=ask) for _ in range(4)]
    for reader in readers:
        reader.start()
    with psycopg.connect(world.url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True) as connection:
        for _ in range(5):
            before = len(seen)
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            server.until(lambda before=before: len(seen) > before + 20)
    stop.set()
    for reader in readers:
        reader.join(PATIENCE)
    assert {status for _, status, _ in seen} <= {200, 503}
    for path, status, body in seen:
        assert status == 200 or path == "/readyz" or b"urn:wangge:problem:http.database" in body
    for path in (server.tile, "/api/territories", "/readyz"):
        assert server.get(path)[0] == 200


def test_slow_clients_keep_nobody_waiting(server):
    """200 who send half a request, half of them in the middle of a body: others are served."""
    slow = []
    try:
        for k in range(200):
            sock = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
            slow.append(sock)
            sock.sendall(
                b"POST /api/lookup?crs=wgs84 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b'Content-Length: 1000\r\n\r\n{"points"'
                if k % 2
                else b"GET /tiles/grids/14/"
            )
        for _ in range(10):
            assert server.get(server.tile)[0] == 200
            assert server.get("/api/territories")[0] == 200
        connection = server.connect()
        connection.request("POST", "/api/lookup", b"{}", {"Content-Type": "application/json"})
        assert connection.getresponse().status == 400
        connection.close()
    finally:
        for sock in slow:
            sock.close()
    assert server.get("/readyz")[0] == 200


@pytest.mark.parametrize("asked", [True, False], ids=["after a request", "while starting"])
def test_ctrl_c_ends_it(world, tmp_path, asked):
    server = Server(world, tmp_path, workers=1)
    server.until(lambda: server.get("/healthz")[0] == 200 if asked else len(server.workers()) > 0)
    os.killpg(server.process.pid, signal.SIGINT)
    try:
        server.process.wait(PATIENCE)
    finally:
        if server.process.poll() is None:
            os.killpg(server.process.pid, signal.SIGKILL)
