"""The server as processes on bad days: a worker killed, the database's connections cut, slow clients, Ctrl-C."""

from __future__ import annotations

import socket

import psutil
import psycopg
import pytest

from tests.running_server import PATIENCE, Server

pytestmark = [pytest.mark.database, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(world, tmp_path_factory):
    with Server(world, tmp_path_factory.mktemp("cache")) as made:
        made.until(lambda: made.get("/readyz")[0] == 200)
        made.until(lambda: len(made.workers()) == 2)
        yield made


def test_a_killed_worker_takes_nobody_along(server):
    """Connections to the other worker go on without a fault, new ones are answered, and a new worker comes."""
    held = [server.connect() for _ in range(16)]
    for connection in held:
        assert server.get(server.tile, connection)[0] == 200
    victim = server.workers()[0]
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
    paths = (server.tile, "/api/territories", "/readyz")
    workers = {p.pid for p in server.workers()}
    plain = world.url.replace("postgresql+psycopg://", "postgresql://")
    with server.asked(paths) as seen, psycopg.connect(plain, autocommit=True) as connection:
        for _ in range(5):
            before = len(seen)
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            server.until(lambda before=before: len(seen) > before + 20)
    assert {p.pid for p in server.workers()} == workers
    assert {status for _, status, _ in seen} <= {200, 503}
    for path, status, body in seen:
        assert status == 200 or path == "/readyz" or b"urn:wangge:problem:http.database" in body
    for path in paths:
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
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (400, True)
        connection.close()
    finally:
        for sock in slow:
            sock.close()
    assert server.get("/readyz")[0] == 200


@pytest.mark.parametrize("asked", [True, False], ids=["after a request", "while starting"])
def test_ctrl_c_ends_it(world, tmp_path, asked):
    with Server(world, tmp_path, workers=1) as server:
        server.until(lambda: server.get("/healthz")[0] == 200 if asked else len(server.workers()) > 0)
        below = psutil.Process(server.process.pid).children(recursive=True)
        server.interrupt()
        assert server.process.wait(PATIENCE) == 0
        assert psutil.wait_procs(below, PATIENCE)[1] == []  # nobody stays behind
