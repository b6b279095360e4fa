"""Slow and large requests: a body is read whole before anything else is held, and few requests work at a time.

A client that sends its body drop by drop takes a thread and nothing more; the server has threads enough
(``THREADS``). Only so many may wait for bodies that the others always find one free.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from api import messages
from api.problems import problem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Threads of one worker; they are started when they are needed.
THREADS: Final = 512
#: Of these at most so many read bodies, and hold so many bytes of them.
_READERS: Final = 384
HELD: Final = 256 << 20
#: Requests that work at a time in one worker: fewer than it has connections to the database.
_WORKING: Final = 8
_PIECE: Final = 1 << 16


class Bodies:
    """A WSGI layer that reads bodies up to ``largest`` bytes and lets a few requests through at a time."""

    def __init__(
        self, behind: WSGIApplication, largest: int, readers: int = _READERS, working: int = _WORKING
    ) -> None:
        self._behind = behind
        self._largest = largest
        self._readers = threading.BoundedSemaphore(readers)
        self._working = threading.BoundedSemaphore(working)
        self._lock = threading.Lock()
        self._held = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer."""
        if not _has_body(environ) or _length(environ) > self._largest:  # Flask refuses it without reading
            return self._work(environ, start_response)
        if not self._readers.acquire(blocking=False):
            return busy(environ, start_response)
        taken = 0
        try:
            body = io.BytesIO()
            while body.tell() <= self._largest and (piece := environ["wsgi.input"].read(_PIECE)):
                with self._lock:
                    if self._held + len(piece) > HELD:
                        return busy(environ, start_response)
                    self._held += len(piece)
                taken += len(piece)
                body.write(piece)
        except OSError:  # the client went away
            return busy(environ, start_response)
        finally:
            self._readers.release()
            with self._lock:
                self._held -= taken
        environ.pop("wsgi.input_terminated", None)  # so that a body shorter than announced is noticed
        if not environ.get("CONTENT_LENGTH") or body.tell() > self._largest:
            environ["CONTENT_LENGTH"] = str(body.tell())
            environ.pop("HTTP_TRANSFER_ENCODING", None)
        body.seek(0)
        environ["wsgi.input"] = body
        return self._work(environ, start_response)

    def _work(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with self._working:
            return self._behind(environ, start_response)


def _has_body(environ: WSGIEnvironment) -> bool:
    return bool(_length(environ)) or "HTTP_TRANSFER_ENCODING" in environ


def _length(environ: WSGIEnvironment) -> int:
    given = environ.get("CONTENT_LENGTH") or ""
    return int(given) if given.isascii() and given.isdigit() and len(given) < 20 else 0


def busy(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """An application that asks to come again in a second."""
    accepts: Any = parse_accept_header(environ.get("HTTP_ACCEPT_LANGUAGE", ""), LanguageAccept)
    best = accepts.best_match(["zh-CN", "zh", "en"], default="zh-CN")
    answer = problem(503, "http.busy", messages.text("http.busy", "en" if best == "en" else "zh-CN"))
    answer.headers["Retry-After"] = "1"
    return answer(environ, start_response)
