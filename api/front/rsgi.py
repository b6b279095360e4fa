"""The application as granian's own interface (RSGI) calls it; https://github.com/emmett-framework/granian, docs/spec.

Tiles and lookups that memory knows are answered by the thread that hears of a request, without a hand-over to
another: half of what they would cost over WSGI. Bodies are read in the event loop, where a slow client holds nothing
but its bytes. Everything else is the WSGI application's, in a thread of a pool.
"""

from __future__ import annotations

import asyncio
import io
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import Context
from pathlib import Path
from types import CoroutineType, coroutine
from typing import IO, TYPE_CHECKING, Any, Final, TypeVarTuple

from api.front.bodies import HELD, THREADS, busy
from api.front.wsgi import Front
from api.services.tiles.tile_cache import Headers

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

#: An answer of more bytes goes through a file: what a slow client has not read yet would be held in memory.
_MEMORY: Final = 4 << 20
#: Seconds after which such a file has surely been opened, and may go.
_OPENED: Final = 60.0

#: Headers by their names in WSGI; what is asked for often is not made anew.
_NAMES: Final = {
    "content-type": "CONTENT_TYPE",
    "content-length": "CONTENT_LENGTH",
    **{
        name: f"HTTP_{name.upper().replace('-', '_')}"
        for name in ("host", "accept", "accept-encoding", "accept-language", "if-none-match", "user-agent", "referer")
    },
}

_Arguments = TypeVarTuple("_Arguments")
_Rest = Callable[[], None]


class Loop(asyncio.SelectorEventLoop):
    """An event loop that takes the first step of every coroutine at once, in the thread that hands it over.

    A coroutine that yields a function gives it the rest of its way; one that yields None goes on in the loop.
    """

    def __init__(self) -> None:
        super().__init__()
        self._taken = asyncio.Handle(_no_write, (), self)  # in place of what is not scheduled

    def call_soon_threadsafe(
        self, callback: Callable[[*_Arguments], object], *args: *_Arguments, context: Context | None = None
    ) -> asyncio.Handle:
        """Schedule ``callback``; its first argument is a coroutine where granian has heard of a request."""
        first: Any = args[0] if args else None
        if type(first) is CoroutineType:
            try:
                take = first.send(None)
            except StopIteration:
                return self._taken
            if take is not None:
                take(lambda: _finish(first))
                return self._taken
        return super().call_soon_threadsafe(callback, *args, context=context)


def new_loop() -> Loop:
    """A ``Loop``, the current one of this thread from now on."""
    loop = Loop()
    asyncio.set_event_loop(loop)
    return loop


def _finish(rest: Any) -> None:
    with suppress(StopIteration):
        rest.send(None)


@coroutine
def _go_on(where: Callable[[_Rest], Any] | None) -> Generator[Callable[[_Rest], Any] | None, None, None]:
    yield where


class Served:
    """What granian calls: ``front`` at once where it knows the answer from memory, else in a thread.

    ``largest``: bytes of a body; a larger one is cut there, and refused behind.
    """

    def __init__(self, front: Front, largest: int, threads: int = THREADS) -> None:
        self._behind: WSGIApplication = front
        self._front = front
        self._largest = largest
        self._pool = ThreadPoolExecutor(threads, "answer")
        self._held = 0

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request."""
        headers = scope.headers
        if scope.method == "GET" and "authorization" not in headers:
            found = self._at_once(scope.path, scope.query_string, headers)
            if found is not None:
                protocol.response_bytes(*found)
                return
        if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
            await _go_on(None)
            await self._with_body(scope, protocol)
        elif _in_a_loop():  # another loop than ours: nothing is done at once
            await self._in_a_thread(self._behind, scope, protocol, io.BytesIO())
        else:
            await _go_on(self._pool.submit)
            _answer(self._behind, scope, protocol, io.BytesIO())

    def _at_once(self, path: str, query: str, headers: Any) -> tuple[int, Headers, bytes] | None:
        if not query:
            return self._front.at_once(path, headers.get("accept-encoding", ""), headers.get("if-none-match"))
        ready = self._front.ready.get(path)
        return None if ready is None else ready(query, ",".join(headers.get_all("accept-language")))

    async def _with_body(self, scope: Any, protocol: Any) -> None:
        body, application = io.BytesIO(), self._behind
        try:
            if _length(scope) <= self._largest and not await self._read(protocol, body):
                application = busy
            body.seek(0)
            await self._in_a_thread(application, scope, protocol, body)
        finally:
            self._held -= len(body.getbuffer())

    async def _read(self, protocol: Any, body: io.BytesIO) -> bool:
        """Whether there was room for the body, or as much of it as tells that it is too large."""
        async for piece in protocol:
            if self._held + len(piece) > HELD:
                return False
            self._held += body.write(piece)
            if body.tell() > self._largest:
                break
        return True

    async def _in_a_thread(self, application: WSGIApplication, scope: Any, protocol: Any, body: IO[bytes]) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._pool, _answer, application, scope, protocol, body)


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _length(scope: Any) -> int:
    given = scope.headers.get("content-length", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 20 else 0


def _answer(application: WSGIApplication, scope: Any, protocol: Any, body: IO[bytes]) -> None:
    """What a WSGI application says, said to granian."""
    said: list[Any] = []

    def start_response(status: str, headers: Headers, exc_info: object = None) -> Callable[[bytes], object]:
        said[:] = [int(status[:3]), headers]
        return _no_write

    with _closing(application(environ_of(scope, body), start_response)) as pieces:
        held, more = _in_memory(pieces)
        if more is None:
            protocol.response_bytes(*said, held)
        else:
            protocol.response_file(*said, _in_a_file(held, more))


def _no_write(data: bytes) -> object:
    raise NotImplementedError("only the iterable that an application gives is sent")


@contextmanager
def _closing(pieces: Iterable[bytes]) -> Iterator[Iterable[bytes]]:
    try:
        yield pieces
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()


def _in_memory(pieces: Iterable[bytes]) -> tuple[bytes, Iterator[bytes] | None]:
    """An answer as one, or its beginning and the rest where it is long."""
    if isinstance(pieces, list):  # in memory already
        return b"".join(pieces), None
    held, size, more = [], 0, iter(pieces)
    for piece in more:
        held.append(piece)
        size += len(piece)
        if size > _MEMORY:
            return b"".join(held), more
    return b"".join(held), None


def _in_a_file(held: bytes, more: Iterable[bytes]) -> str:
    """A file with these bytes, gone in a while: granian opens it by its name and has it from then on."""
    number, name = tempfile.mkstemp(prefix="wangge-")
    gone = threading.Timer(_OPENED, Path(name).unlink, kwargs={"missing_ok": True})
    gone.daemon = True
    with os.fdopen(number, "wb") as file:
        gone.start()
        file.write(held)
        file.writelines(more)
    return name


def environ_of(scope: Any, body: IO[bytes]) -> WSGIEnvironment:
    """A request as WSGI (PEP 3333) has it."""
    server, _, port = scope.server.rpartition(":")
    environ: WSGIEnvironment = {
        "SCRIPT_NAME": "",
        "SERVER_SOFTWARE": "granian",
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "SERVER_NAME": server.strip("[]"),
        "SERVER_PORT": port,
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    headers = scope.headers
    for name in headers:
        named = _NAMES.get(name) or f"HTTP_{name.upper().replace('-', '_')}"
        environ[named] = (";" if name == "cookie" else ",").join(headers.get_all(name))
    environ.setdefault("HTTP_HOST", scope.authority or "")
    return environ
