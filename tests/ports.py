"""Ports for servers that tests start."""

from __future__ import annotations

import itertools
import os
import re
import socket

#: Below what kernels give to connections (32768 and up), and none that browsers refuse: nobody takes a port of
#: these between the moment it is chosen and the moment its server, seconds later, has started.
FIRST, EACH, PROCESSES = 12_000, 2_000, 8
_STEPS = itertools.count(os.getpid() * 37)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has; processes that share the tests look in ranges of their own."""
    worker = int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or 0) % PROCESSES
    for step in itertools.islice(_STEPS, EACH):
        port = FIRST + worker * EACH + step % EACH
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("every port is taken")
