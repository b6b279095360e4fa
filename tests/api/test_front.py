"""The layer in front of Flask says what Flask would say, only to whom Flask would, and only while it is true."""

from __future__ import annotations

import gzip
import io
import threading

import psycopg
import pytest

from api.app import create_app
from api.config import Config
from api.context import KEY
from api.front.bodies import Bodies
from api.front.wsgi import count, takes_gzip
from api.services.operating import operator
from gis.errors import UnauthorizedError
from gis.tiles import pyramid

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def app(world):
    """An application whose watch is taken to have heard of everything."""
    made = create_app(Config(world.url))
    made.extensions[KEY].watch.until = float("inf")
    yield made
    made.extensions[KEY].engine.dispose()


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture(scope="module")
def path(world):
    first = min(world.grids)
    spot = world.grids[first][0][1].centroid
    x, y = pyramid.tile_at(14, *world.wgs84(first, spot.x, spot.y))
    return f"/tiles/grids/14/{x}/{y}.mvt"


def hot(app):
    return {status: count(n) for status, n in app.extensions[KEY].front.answered.items()}


def beside_of(path):
    """A neighbour in the block of tiles whose versions are asked together."""
    *start, x, y = path.removesuffix(".mvt").split("/")
    return "/".join([*start, str(int(x) ^ 1), y]) + ".mvt"


def get(client, path, **headers):
    return client.get(path, headers={"Accept-Encoding": "gzip", **headers})


def test_the_same_answer_from_all(app, client, path):
    """From Flask, from memory, and made before Flask: the same headers and body, and the same 304."""
    context = app.extensions[KEY]
    answers = []
    for tag in ({}, None):
        before = hot(app)
        tag = {"If-None-Match": answers[0].headers["ETag"]} if tag is None else tag
        context.watch.epoch += 1  # Flask asks
        answers.append(get(client, path, **tag))
        assert hot(app) == before
        answers.append(get(client, path, **tag))
        context.front.paths.clear()
        answers.append(get(client, path, **tag))
        status = answers[-1].status_code
        assert hot(app) == before | {status: before[status] + 2}
    assert [a.status_code for a in answers] == [200] * 3 + [304] * 3
    for three in (answers[:3], answers[3:]):
        assert len({tuple(sorted(a.headers)) for a in three}) == 1
        assert len({a.data for a in three}) == 1
    assert answers[3].data == b""


@pytest.mark.parametrize(
    "headers",
    [{"Accept-Encoding": "identity"}, {"Accept-Encoding": "gzip;q=0"}, {"Authorization": "Basic YTpi"}],
)
def test_what_is_not_plain_is_left_to_flask(app, client, path, headers):
    get(client, path)
    before = hot(app)
    answer = get(client, path, **headers)
    assert answer.status_code == 200
    assert hot(app) == before
    if "Accept-Encoding" in headers:
        assert answer.data == gzip.decompress(get(client, path).data)


def test_other_methods_and_queries_are_left_to_flask(app, client, path):
    get(client, path)
    before = hot(app)
    assert client.post(path).status_code == 405
    assert client.head(path).status_code == 200
    assert client.get(f"{path}?community=nowhere").status_code == 200
    assert hot(app) == before


def test_a_wrong_token_is_refused_in_front_too(client, path):
    get(client, path)
    assert get(client, path, Authorization="Bearer wangge_wrong").status_code == 401


def test_an_epoch_that_has_passed_is_asked_again(app, client, path):
    get(client, path)
    app.extensions[KEY].watch.epoch += 1
    before = hot(app)
    assert get(client, path).status_code == 200
    assert hot(app) == before
    get(client, path)
    assert hot(app)[200] == before[200] + 1


def test_a_fault_in_front_is_told_by_flask(app, client, path, monkeypatch):
    """Also what is no tile at all, once its neighbours are known."""
    assert get(client, path).status_code == 200
    for wrong in (path.replace("grids", "nothing"), path.replace("grids", "grids,"), path.replace("/14/", "/41/")):
        answer = get(client, wrong)
        assert answer.status_code in {400, 404}
        assert answer.mimetype == "application/problem+json"
    app.extensions[KEY].front.paths.clear()

    def fault(*_):
        raise UnauthorizedError("http.token_missing")  # any that Flask knows

    monkeypatch.setattr(app.extensions[KEY].tiles, "_of", fault)
    answer = get(client, path)
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"


def test_no_draft_reaches_the_public(world, app, client, path):
    """The operator sees a draft; nobody else does, neither before nor after, by no cache and no tag."""
    token = operator.renew(world.url)
    with psycopg.connect(world.url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        (draft,) = connection.execute(
            "INSERT INTO plan_version (plan_id, number, atom_set_id, ruleset, seed, grid_of_atom, report,"
            " certificate) SELECT plan_id, 99, atom_set_id, ruleset, seed, grid_of_atom, report, certificate"
            " FROM plan_version ORDER BY id LIMIT 1 RETURNING id"
        ).fetchone()
        connection.execute(
            "INSERT INTO version_grid (plan_version_id, number, code, name, kind) SELECT %s, g.number, 'D' ||"
            " g.number, 'secret', 'residential' FROM grid_version g JOIN publication p ON p.id = g.publication_id"
            " WHERE p.id = (SELECT min(id) FROM publication)",
            (draft,),
        )
    asked = f"{path}?plan={draft}"
    assert get(client, asked).status_code == 401
    shown = get(client, asked, Authorization=f"Bearer {token}")
    assert shown.status_code == 200
    assert b"secret" in gzip.decompress(shown.data)
    assert shown.headers["Cache-Control"] == "private, no-store"
    for headers in ({}, {"If-None-Match": shown.headers["ETag"]}):
        again = get(client, asked, **headers)
        assert again.status_code == 401
        assert "ETag" not in again.headers
    assert b"secret" not in gzip.decompress(get(client, path).data)


def test_memory_is_bounded(world, path):
    app = create_app(Config(world.url, tile_cache_bytes=40_000))
    context = app.extensions[KEY]
    client = app.test_client()
    x, y = (int(part) for part in path.removesuffix(".mvt").split("/")[-2:])
    for i in range(6):
        for j in range(6):
            assert get(client, f"/tiles/grids/14/{x + i}/{y + j}.mvt").status_code == 200
            assert context.tiles.cache.bytes <= 40_000
    assert sum(kept.body is not None for kept in context.front.paths.values()) == len(context.tiles.cache)
    context.engine.dispose()


def test_without_a_cache_nothing_is_kept(world, path, tmp_path):
    app = create_app(Config(world.url, tile_cache_bytes=0, cache_folder=str(tmp_path)))
    context = app.extensions[KEY]
    context.watch.until = float("inf")
    bodies = set()
    for n in (1, 2, 3):
        bodies.add(get(app.test_client(), path).data)
        assert count(context.tiles.made) == n
        assert hot(app)[200] == n - 1  # the first one asks the database
    assert len(bodies) == 1
    beside = get(app.test_client(), beside_of(path))  # its versions were asked along, its columns are in memory
    assert beside.status_code == 200
    assert hot(app)[200] == 3
    assert context.front.paths == {}
    assert not (tmp_path / "tiles").exists()
    context.engine.dispose()


def test_another_worker_finds_the_tile_on_disk(world, path, tmp_path):
    bodies = []
    for n in (1, 0):
        app = create_app(Config(world.url, cache_folder=str(tmp_path)))
        bodies.append(get(app.test_client(), path).data)
        assert count(app.extensions[KEY].tiles.made) == n
        app.extensions[KEY].engine.dispose()
    assert bodies[0] == bodies[1]


def test_gzip_or_not():
    assert [takes_gzip(s) for s in ("gzip", "br, gzip;q=0.5", "*", "", "identity", "gzip;q=0", "br")] == [
        True, True, True, False, False, False, False,
    ]  # fmt: skip


def environ(body=b"", **more):
    return {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/", "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http", "SERVER_NAME": "x", "SERVER_PORT": "80", "wsgi.input_terminated": True, **more,
    }  # fmt: skip


class Slow:
    """A body that never comes; ``asked`` is set when somebody waits for it."""

    def __init__(self):
        self.asked, self.end = threading.Event(), threading.Event()

    def read(self, _):
        self.asked.set()
        self.end.wait()
        return b""


def test_slow_bodies_hold_no_work_and_too_many_are_refused():
    said = []

    def behind(environ, start_response):
        start_response("200 OK", [])
        return [environ["wsgi.input"].read()]

    def ask(given):
        return b"".join(layer(given, lambda status, headers, info=None: said.append(status)))

    layer = Bodies(behind, 100, readers=2, working=1)
    bodies = [Slow(), Slow()]
    waiting = [
        threading.Thread(target=ask, args=(environ(b"12345", **{"wsgi.input": slow}),), daemon=True)
        for slow in bodies
    ]
    for thread, slow in zip(waiting, bodies, strict=True):
        thread.start()
        assert slow.asked.wait(60)
    assert ask(environ()) == b""  # one without a body
    assert said == ["200 OK"]
    assert b"http.busy" in ask(environ(b"abc"))
    assert said[-1].startswith("503")
    for slow in bodies:
        slow.end.set()
    for thread in waiting:
        thread.join(60)
    assert ask(environ(b"abc")) == b"abc"
    assert ask(environ(b"abc", CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")) == b"abc"
