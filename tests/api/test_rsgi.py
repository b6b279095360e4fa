"""Requests as granian hands them over: what is in memory at once, bodies in the event loop, all else in a thread."""

from __future__ import annotations

import asyncio
import io
import threading
from pathlib import Path

import pytest

from api.front import rsgi
from api.front.rsgi import Served, environ_of, new_loop


class Headers(dict):
    """As granian's: names in small letters, each with all its values."""

    def get(self, name, default=None):
        return self[name][0] if name in self else default

    def get_all(self, name):
        return super().get(name, [])


class Scope:
    server, client, scheme, http_version, authority = "127.0.0.1:8000", "[::1]:40000", "http", "1.1", None

    def __init__(self, method="GET", path="/x", query="", **headers):
        self.method, self.path, self.query_string = method, path, query
        self.headers = Headers({n.replace("_", "-"): v if isinstance(v, list) else [v] for n, v in headers.items()})


class Protocol:
    """Notes what is said, and in which thread."""

    def __init__(self, *pieces):
        self._pieces = list(pieces)
        self.said, self.thread, self.read = None, None, 0

    def response_bytes(self, *said):
        self.said, self.thread = said, threading.get_ident()

    def response_file(self, status, headers, name):
        self.response_bytes(status, headers, Path(name))

    def __aiter__(self):
        return self

    async def __anext__(self):
        await asyncio.sleep(0)
        if not self._pieces:
            raise StopAsyncIteration
        self.read += 1
        return self._pieces.pop(0)


class Front:
    """Knows ``/hot`` from memory; everything else is the application's."""

    def __init__(self, application=None):
        self._application = application
        self.asked = []
        self.ready = {"/ready": lambda *asked: (200, [], repr(asked).encode()) if asked[0] == "a=b" else None}

    def at_once(self, path, accepts, known):
        self.asked.append((path, accepts, known))
        return (200, [("A", "b")], b"hot") if path == "/hot" else None

    def __call__(self, environ, start_response):
        return self._application(environ, start_response)


def echo(environ, start_response):
    start_response("201 Made", [("Length", str(environ.get("CONTENT_LENGTH")))])
    return [environ["REQUEST_METHOD"].encode(), b" ", environ["wsgi.input"].read()]


@pytest.fixture(params=["ours", "another"])
def loop(request):
    """Our loop, and one that does nothing at once: answers are the same."""
    made = new_loop() if request.param == "ours" else asyncio.new_event_loop()
    yield made
    made.close()
    asyncio.set_event_loop(None)


def ask(loop, served, scope, protocol):
    """As granian has a request answered; what went wrong, if anything did."""
    over, faults = loop.create_future(), []

    async def watched():
        try:
            await served.__rsgi__(scope, protocol)
        except Exception as error:
            faults.append(error)
        loop.call_soon_threadsafe(over.set_result, None)

    def run(given, _):
        loop.create_task(given)

    loop.call_soon_threadsafe(run, watched(), None)
    loop.run_until_complete(over)
    return faults


def test_what_is_in_memory_is_said_before_anything_is_scheduled():
    loop, protocol = new_loop(), Protocol()
    served = Served(Front(), 100)
    try:
        loop.call_soon_threadsafe(None, served.__rsgi__(Scope(path="/hot", accept_encoding="gzip"), protocol), None)
    finally:
        loop.close()
        asyncio.set_event_loop(None)
    assert protocol.said == (200, [("A", "b")], b"hot")
    assert protocol.thread == threading.get_ident()


def test_what_is_ready_is_asked_with_query_and_languages(loop):
    served = Served(Front(echo), 100)
    asked = Scope(path="/ready", query="a=b", accept_language=["en", "zh"])
    ask(loop, served, asked, protocol := Protocol())
    assert protocol.said == (200, [], b"('a=b', 'en,zh')")
    ask(loop, served, Scope(path="/ready", query="a=c"), protocol := Protocol())
    assert protocol.said[0] == 201
    ask(loop, served, Scope(path="/ready", query="a=b", authorization="x"), protocol := Protocol())
    assert protocol.said[0] == 201


@pytest.mark.parametrize(
    "scope",
    [
        Scope("POST", "/hot"),
        Scope("HEAD", "/hot"),
        Scope(path="/hot", query="a=b"),
        Scope(path="/hot", authorization=""),
    ],
)
def test_only_plain_questions_are_asked_of_memory(loop, scope):
    """Who brings credentials, a query or another method is looked at behind, in a thread."""
    front, protocol = Front(echo), Protocol()
    assert ask(loop, Served(front, 100), scope, protocol) == []
    assert protocol.said == (201, [("Length", "None")], f"{scope.method} ".encode())
    assert protocol.thread != threading.get_ident()
    assert front.asked == []


def test_bodies_are_whole_before_a_thread_is_taken(loop):
    protocol = Protocol(b"ab", b"c")
    served = Served(Front(echo), 100)
    assert ask(loop, served, Scope("PUT", content_length="3"), protocol) == []
    assert protocol.said == (201, [("Length", "3")], b"PUT abc")
    assert ask(loop, served, Scope("PUT", transfer_encoding="chunked"), protocol := Protocol(b"abc", b"d")) == []
    assert protocol.said == (201, [("Length", "None")], b"PUT abcd")


def test_too_large_a_body_is_not_read_on(loop):
    """Announced: not at all. Not announced: as far as tells that it is too large."""
    served = Served(Front(echo), 3)
    ask(loop, served, Scope("POST", content_length="4"), protocol := Protocol(b"abcd"))
    assert (protocol.said[2], protocol.read) == (b"POST ", 0)
    ask(loop, served, Scope("POST", transfer_encoding="chunked"), protocol := Protocol(b"ab", b"cd", b"ef"))
    assert (protocol.said[2], protocol.read) == (b"POST abcd", 2)


def test_no_more_bodies_are_held_than_there_is_room(loop, monkeypatch):
    monkeypatch.setattr(rsgi, "HELD", 5)
    served = Served(Front(echo), 100)
    ask(loop, served, Scope("POST", content_length="6"), protocol := Protocol(b"abc", b"def"))
    assert protocol.said[0] == 503
    assert b"http.busy" in protocol.said[2]
    ask(loop, served, Scope("POST", content_length="5"), protocol := Protocol(b"abcde"))  # the room is free again
    assert protocol.said[2] == b"POST abcde"


class Pieces:
    """An answer in pieces."""

    def __init__(self, *pieces):
        self._pieces, self.closed = pieces, False

    def __iter__(self):
        yield from self._pieces

    def close(self):
        self.closed = True


def test_long_answers_go_through_a_file(loop, monkeypatch):
    monkeypatch.setattr(rsgi, "_MEMORY", 4)
    for pieces in (Pieces(b"abc"), Pieces(b"abc", b"def", b"ghi")):

        def application(_, start_response, pieces=pieces):
            start_response("200 OK", [])
            return pieces

        ask(loop, Served(Front(application), 100), Scope(), protocol := Protocol())
        if isinstance(protocol.said[2], Path):
            assert protocol.said[2].read_bytes() == b"abcdefghi"
            protocol.said[2].unlink()
        else:
            assert protocol.said[2] == b"abc"
        assert pieces.closed


def test_a_fault_is_told_to_granian(loop):
    def application(*_):
        raise ValueError("broken")

    for scope in (Scope(), Scope("POST", content_length="1")):
        (fault,) = ask(loop, Served(Front(application), 100), scope, protocol := Protocol(b"a"))
        assert str(fault) == "broken"
        assert protocol.said is None


def test_a_request_as_wsgi_has_it():
    headers = {"host": "h:1", "content_type": "text/plain", "content_length": "3", "x_a": ["1", "2"], "x_b": []}
    scope = Scope("POST", "/a b/你", "x=%20", cookie=["a=1", "b=2"], **headers)
    body = io.BytesIO(b"abc")
    found = environ_of(scope, body)
    assert found["PATH_INFO"].encode("latin-1").decode() == "/a b/你"
    assert found["wsgi.input"] is body
    expected = {
        "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "QUERY_STRING": "x=%20", "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8000", "REMOTE_ADDR": "::1", "wsgi.url_scheme": "http",
        "HTTP_HOST": "h:1", "CONTENT_TYPE": "text/plain", "CONTENT_LENGTH": "3", "HTTP_X_A": "1,2",
        "HTTP_COOKIE": "a=1;b=2", "HTTP_X_B": "",
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected
    scope.headers.pop("host")
    scope.authority = "other:80"
    assert environ_of(scope, body)["HTTP_HOST"] == "other:80"
