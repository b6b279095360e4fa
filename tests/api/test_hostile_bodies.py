"""Bodies that no client should send, to every route that takes one: refused, and never a fault of ours."""

from __future__ import annotations

import re

import pytest

from api.app import LARGEST_BODY
from api.context import KEY
from api.routes import endpoints
from api.services.operating import operator

pytestmark = [
    pytest.mark.database,
    pytest.mark.slow,
    # werkzeug leaves the spool of a form open that breaks off
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

TAKING = [e for e in endpoints() if e.method in ("POST", "PUT", "PATCH")]
BODIES = {
    "empty": b"",
    "not utf-8": b'{"points": [{"lon": 112.9, "lat": 28.2, "name": "\xff\xfe\xc3"}], "crs": "wgs84"}',
    "truncated": b'{"points": [{"lon": 112.9, "la',
    "deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "another shape": b'[null, true, {"points": 7, "crs": []}]',
    "numbers": b'{"points": [{"lon": 1e999, "lat": NaN}], "crs": 1e400}',
    "huge integer": b'{"points": [{"lon": ' + b"9" * 5000 + b', "lat": 1}], "crs": "wgs84"}',
    "nul": b'{"text": "\\u0000", "texts": ["\\u0000\\ud800"], "crs": "wgs84"}',
    "zeros": bytes(10_000),
    "arrow": b"ARROW1\0\0" + b"\xff" * 200,
    "csv": b'lon,lat\n"112.9,28.2\n' + b"," * 5000 + b"\n\xff,\x00\n",
    "form": b"text=%FF%00&photo=x&a=" + b"b" * 5000,
    "multipart": b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n\xff\xd8\xff\x00',
    "sql": b'{"text": "\'; DROP TABLE building; --", "name": "x\' OR 1=1", "texts": ["%\\\\_"]}',
}
TYPES = (
    "application/json",
    "text/csv",
    "application/vnd.apache.arrow.stream",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "",
)


@pytest.fixture(scope="module")
def token(world):
    return operator.renew(world.url)


def paths(endpoint, world):
    """The route with parts that are there, and with parts that are not."""
    for part in (world.codes["good"], "%00%FF", "x" * 3000):
        yield re.sub(r"\{\w+\}", part, endpoint.path)
        if "{" not in endpoint.path:
            return


@pytest.mark.parametrize("endpoint", TAKING, ids=[f"{e.method} {e.path}" for e in TAKING])
def test_a_hostile_body_is_refused(app, world, token, endpoint):
    client = app.test_client()
    for path in paths(endpoint, world):
        for name, body in BODIES.items():
            for kind in TYPES:
                headers = {"Authorization": f"Bearer {token}", **({"Content-Type": kind} if kind else {})}
                answer = client.open(f"{path}?crs=wgs84", method=endpoint.method, data=body, headers=headers)
                assert answer.status_code < 500, (path, name, kind, answer.text[:300])


@pytest.mark.parametrize("endpoint", TAKING, ids=[f"{e.method} {e.path}" for e in TAKING])
def test_a_body_that_is_too_large_is_refused(app, world, token, endpoint):
    path = next(paths(endpoint, world))
    answer = app.test_client().open(
        f"{path}?crs=wgs84",
        method=endpoint.method,
        data=b"x",
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json" if "application/json" in endpoint.body else "text/csv",
            "Content-Length": str(LARGEST_BODY + 1),
        },
    )
    assert 400 <= answer.status_code < 500 or not endpoint.body
    assert answer.status_code < 500


def test_what_was_sent_changed_nothing_it_should_not(app, world):
    """After all of it the service still answers."""
    client = app.test_client()
    assert client.get("/api/territories").status_code == 200
    with app.extensions[KEY].engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM building").scalar_one() == 3
