"""A load generator that costs next to nothing: compiled, so that what is measured is the server.

Closed loop: every connection has one request under way and sends the next as soon as its answer is whole. The same
list of requests goes to both sides.
"""

from __future__ import annotations

import ctypes
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Int = NDArray[np.int64]

_POLLIN: Final = 1
_MONOTONIC: Final = 1
_HEADER: Final = 16_384
_BUFFER: Final = 1 << 18
#: How long no answer at all may come before the run is given up, in milliseconds.
_PATIENCE: Final = 120_000

_libc = ctypes.CDLL(None)


def _function(name: str, result: Any, *arguments: Any) -> Any:
    made = getattr(_libc, name)
    made.restype, made.argtypes = result, list(arguments)
    return made


_poll = _function("poll", ctypes.c_int, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int)
_recv = _function("recv", ctypes.c_ssize_t, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_send = _function("send", ctypes.c_ssize_t, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_clock = _function("clock_gettime", ctypes.c_int, ctypes.c_int, ctypes.c_void_p)


@dataclass(frozen=True)
class Load:
    """What a run of requests took. ``latency``: seconds of each request, in the order of the list."""

    seconds: float
    latency: NDArray[np.float64]
    status: Int
    length: Int  # of each body, as it came over the wire

    @property
    def failed(self) -> int:
        """Requests without an answer of 200 or 304."""
        return int(np.count_nonzero((self.status != 200) & (self.status != 304)))

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.latency) / self.seconds

    def percentile(self, share: float) -> float:
        """Milliseconds within which so many of a hundred requests were answered."""
        return float(np.percentile(self.latency, share)) * 1e3


def get(path: str, host: str = "localhost", **headers: str) -> bytes:
    """The bytes of a GET request that takes gzip."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}"]
    named = {"Accept_Encoding": "gzip", "Accept": "*/*", **headers}
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in named.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def run(port: int, requests: Sequence[bytes], *, connections: int = 16) -> Load:
    """Send every request once, in order, over so many connections at a time.

    Raises ``RuntimeError`` where the server closes a connection or does not answer for long.
    """
    count = len(requests)
    blob = np.frombuffer(b"".join(requests), np.uint8)
    offset = np.concatenate([[0], np.cumsum([len(r) for r in requests])]).astype(np.int64)
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(min(connections, count))]
    try:
        for each in sockets:
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        numbers = np.array([s.fileno() for s in sockets], np.int32)
        latency, status, length = np.zeros(count), np.zeros(count, np.int64), np.zeros(count, np.int64)
        fault, seconds = _drive(numbers, blob, offset, latency, status, length)
    finally:
        for each in sockets:
            each.close()
    if fault >= 0:
        raise RuntimeError(f"no whole answer to request {fault}: {requests[fault][:80]!r}")
    return Load(float(seconds), latency, status, length)


@njit(cache=False, nogil=True)
def _now(moment: Int) -> float:
    _clock(1, moment.ctypes.data)
    return moment[0] + moment[1] * 1e-9


@njit(cache=False, nogil=True)
def _value(header: NDArray[np.uint8], stop: int, name: NDArray[np.uint8]) -> int:
    """Where the value of a header begins (its name in small letters, with colon); -1: it is not there."""
    n = len(name)
    for i in range(stop - n):
        if header[i] != 10:
            continue
        same = True
        for k in range(n):
            c = header[i + 1 + k]
            if 65 <= c <= 90:
                c += 32
            if c != name[k]:
                same = False
                break
        if same:
            return i + 1 + n
    return -1


@njit(cache=False, nogil=True)
def _number(header: NDArray[np.uint8], at: int) -> int:
    value = 0
    while header[at] == 32:
        at += 1
    while 48 <= header[at] <= 57:
        value = value * 10 + header[at] - 48
        at += 1
    return value


@njit(cache=False, nogil=True)
def _end_of(header: NDArray[np.uint8], begin: int, stop: int) -> int:
    """Where the body begins; -1: the header is not whole yet."""
    for i in range(max(begin - 3, 0), stop - 3):
        if header[i] == 13 and header[i + 1] == 10 and header[i + 2] == 13 and header[i + 3] == 10:
            return i + 4
    return -1


_LENGTH: Final = np.frombuffer(b"content-length:", np.uint8).copy()
_CHUNKED: Final = np.frombuffer(b"transfer-encoding:", np.uint8).copy()


@njit(cache=False, nogil=True)
def _drive(
    fds: NDArray[np.int32],
    blob: NDArray[np.uint8],
    offset: Int,
    latency: NDArray[np.float64],
    status: Int,
    length: Int,
) -> tuple[int, float]:
    """The number of the request without an answer (-1: all have one), and the seconds of the whole."""
    n, count = len(fds), len(latency)
    polled = np.zeros((n, 2), np.int32)
    header = np.zeros((n, _HEADER), np.uint8)
    held = np.zeros(n, np.int64)  # bytes of the header so far; -1: the body is being read
    left = np.zeros(n, np.int64)  # bytes of the body still to come; -1: in chunks
    last = np.zeros((n, 5), np.uint8)
    at = np.zeros(n, np.int64)
    began = np.zeros(n)
    buffer = np.zeros(_BUFFER, np.uint8)
    moment = np.zeros(2, np.int64)
    start = _now(moment)
    sent = 0
    for c in range(n):
        polled[c, 0], polled[c, 1] = fds[c], 1
        at[c], began[c] = sent, start
        _send(fds[c], blob.ctypes.data + offset[sent], offset[sent + 1] - offset[sent], 0)
        sent += 1
    done = 0
    while done < count:
        if _poll(polled.ctypes.data, n, _PATIENCE) <= 0:
            for c in range(n):
                if polled[c, 0] >= 0:
                    return at[c], 0.0
        for c in range(n):
            ready = polled[c, 1] >> 16
            polled[c, 1] = 1
            if ready == 0 or polled[c, 0] < 0:
                continue
            if held[c] >= 0:
                got = _recv(fds[c], header.ctypes.data + c * _HEADER + held[c], _HEADER - held[c], 0)
                if got <= 0:
                    return at[c], 0.0
                body = _end_of(header[c], held[c], held[c] + got)
                held[c] += got
                if body < 0:
                    continue
                extra = held[c] - body
                status[at[c]] = _number(header[c], 9)
                where = _value(header[c], body, _LENGTH)
                if where >= 0:
                    left[c] = _number(header[c], where) - extra
                elif _value(header[c], body, _CHUNKED) >= 0:
                    left[c] = -1
                    for k in range(5):
                        last[c, k] = header[c, held[c] - 5 + k]
                else:
                    left[c] = 0
                length[at[c]] = extra
                held[c] = -1
            else:
                got = _recv(fds[c], buffer.ctypes.data, _BUFFER, 0)
                if got <= 0:
                    return at[c], 0.0
                length[at[c]] += got
                if left[c] >= 0:
                    left[c] -= got
                else:
                    _keep_last(last[c], buffer, got)
            if left[c] > 0 or (left[c] < 0 and not _is_end(last[c])):
                continue
            now = _now(moment)
            latency[at[c]] = now - began[c]
            done += 1
            held[c] = 0
            if sent < count:
                at[c], began[c] = sent, now
                _send(fds[c], blob.ctypes.data + offset[sent], offset[sent + 1] - offset[sent], 0)
                sent += 1
            else:
                polled[c, 0] = -1
    return -1, _now(moment) - start


@njit(cache=False, nogil=True)
def _keep_last(last: NDArray[np.uint8], buffer: NDArray[np.uint8], got: int) -> None:
    for k in range(5):
        from_end = 5 - k
        if got >= from_end:
            last[k] = buffer[got - from_end]
        else:
            last[k] = last[k + got]


@njit(cache=False, nogil=True)
def _is_end(last: NDArray[np.uint8]) -> bool:
    """Whether the bytes are those of the last chunk, ``0 CR LF CR LF``."""
    return last[0] == 48 and last[1] == 13 and last[2] == 10 and last[3] == 13 and last[4] == 10
