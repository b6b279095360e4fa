"""``serve`` as processes, for tests of what a server does on bad days."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import psutil

from gis.tiles import pyramid
from tests.ports import free_port

ROOT = Path(__file__).parents[1]
PATIENCE = 300  # seconds: a bound for a machine at its limits, never waited for


class Server:
    """``serve`` with two workers, its port and a tile; ended when left, whatever happened."""

    def __init__(self, world, folder, workers=2):
        self.port = free_port()
        spot = world.grids[min(world.grids)][0][1].centroid
        x, y = pyramid.tile_at(14, *world.wgs84(min(world.grids), spot.x, spot.y))
        self.tile = f"/tiles/grids/14/{x}/{y}.mvt"
        environment = {**os.environ, "DATABASE_URL": world.url, "PYTHONPATH": str(ROOT), "WANGGE_CACHE": str(folder)}
        self.said = folder / "server.log"
        with self.said.open("w", encoding="utf-8") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "api.cli.main", "serve", "--port", str(self.port), "--workers", str(workers)],
                env=environment, stdout=subprocess.DEVNULL, stderr=said, cwd=ROOT, start_new_session=True,
            )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.interrupt()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise

    def interrupt(self):
        """Ctrl-C in a terminal: every process of the group gets it."""
        os.killpg(self.process.pid, signal.SIGINT)

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

    @contextmanager
    def asked(self, paths):
        """Four readers ask for the paths in turn, without pause; yields (path, status or 0, body) as they come."""
        ended, seen = threading.Event(), []

        def ask():
            while not ended.is_set():
                for path in paths:
                    try:
                        seen.append((path, *self.get(path)))
                    except (OSError, http.client.HTTPException) as error:
                        seen.append((path, 0, repr(error).encode()))

        readers = [threading.Thread(target=ask, daemon=True) for _ in range(4)]
        for reader in readers:
            reader.start()
        try:
            yield seen
        finally:
            ended.set()
            for reader in readers:
                reader.join(PATIENCE)

    def until(self, what):
        """Try until it is true; what cannot be reached is not."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                if what():
                    return
            except (OSError, http.client.HTTPException):
                pass
            assert time.monotonic() < end
            assert self.process.poll() is None
            time.sleep(0.1)

    def workers(self):
        """The processes that listen, but for the first."""
        return [p for p in psutil.Process(self.process.pid).children(recursive=True) if self.listens(p)]

    def listens(self, process):
        """Whether a process has the port; one that goes while it is looked at has not."""
        try:
            return any(c.laddr.port == self.port for c in process.net_connections("tcp") if c.laddr)
        except psutil.Error:
            return False
