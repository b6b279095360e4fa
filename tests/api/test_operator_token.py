"""The operator's token: shown once, kept as a digest, worth nothing when renewed; what needs it says so."""

from __future__ import annotations

import psycopg
import pytest
from flask import Response

from api.authorisation import OPERATOR, PUBLIC, caller_of, require
from api.context import KEY, caller
from api.endpoints import Endpoint, blueprint
from api.services.operating import operator
from gis.errors import UnauthorizedError

pytestmark = pytest.mark.database

#: Operations that are no GET and yet change nothing, or that the public is meant to use.
PUBLIC_POSTS = {"/api/lookup", "/api/parse", "/api/match", "/d/{code}/report", "/d/{code}/elsewhere"}


@pytest.fixture(scope="module")
def engine(app):
    return app.extensions[KEY].engine


def test_the_first_start_makes_one_and_no_second(world):
    operator.renew(world.url)
    assert operator.first_token(world.url) is None
    with psycopg.connect(world.url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        connection.execute("DELETE FROM operator_token")
    assert operator.since(world.url) is None
    made = operator.first_token(world.url)
    assert made is not None
    assert len(made) > 40
    assert operator.first_token(world.url) is None
    assert operator.since(world.url) is not None


def test_only_its_digest_is_kept(world, engine):
    made = operator.renew(world.url)
    with psycopg.connect(world.url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        kept = connection.execute("SELECT t::text FROM operator_token t").fetchall()
        told = connection.execute("SELECT e::text FROM event e WHERE kind LIKE 'operator.%'").fetchall()
    secret = made.removeprefix(operator.PREFIX)
    assert not any(secret in row or secret.encode().hex() in row for (row,) in kept + told)
    assert caller_of(engine, f"Bearer {made}") == OPERATOR


def test_a_renewed_token_opens_nothing(world, engine):
    old = operator.renew(world.url)
    new = operator.renew(world.url)
    assert caller_of(engine, f"bearer {new}") == OPERATOR
    with pytest.raises(UnauthorizedError, match=r"http[.]token_wrong"):
        caller_of(engine, f"Bearer {old}")


@pytest.mark.parametrize("header", [None, "", "Basic YTpi", "Digest x", "wangge_abc"])
def test_without_a_bearer_token_it_is_the_public(engine, header):
    assert caller_of(engine, header) is PUBLIC


@pytest.mark.parametrize("given", ["", "x", "wangge_", "wangge_" + "A" * 43, "wangge_é", "wangge_" + "A" * 10_000])
def test_a_wrong_token_is_told(engine, given):
    with pytest.raises(UnauthorizedError):
        caller_of(engine, f"Bearer {given}")


def test_what_each_may():
    assert (PUBLIC.may_see_drafts(), PUBLIC.may_write()) == (False, False)
    assert (OPERATOR.may_see_drafts(7), OPERATOR.may_write(7)) == (True, True)
    assert PUBLIC.scope != OPERATOR.scope
    require(PUBLIC, "public")
    for access in ("drafts", "write"):
        require(OPERATOR, access)
        with pytest.raises(UnauthorizedError, match=r"http[.]token_missing"):
            require(PUBLIC, access)


def test_every_route_that_is_no_get_needs_the_token_or_is_listed():
    from api.routes import endpoints

    open_ = {e.path for e in endpoints() if e.method != "GET" and e.needs != "write"}
    assert open_ == PUBLIC_POSTS


def test_routes_ask_before_they_answer(world):
    from api.app import create_app
    from api.config import Config

    def seen() -> Response:
        return Response(caller().role)

    def draft() -> Response:
        return Response("draft")

    def change() -> Response:
        return Response("changed")

    app = create_app(Config(world.url))
    tried = [
        Endpoint("/t/read", seen, "", {}),
        Endpoint("/t/draft", draft, "", {}, access="drafts"),
        Endpoint("/t/change", change, "", {}, method="PUT"),
    ]
    app.register_blueprint(blueprint("tried", tried))
    client, good = app.test_client(), {"Authorization": f"Bearer {operator.renew(world.url)}"}
    assert client.get("/t/read").text == "public"
    assert client.get("/t/read", headers=good).text == "operator"
    for method, path in (("GET", "/t/draft"), ("PUT", "/t/change")):
        refused = client.open(path, method=method)
        assert (refused.status_code, refused.json["code"]) == (401, "http.token_missing")
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
        assert refused.mimetype == "application/problem+json"
        assert client.open(path, method=method, headers=good).status_code == 200
        wrong = client.open(path, method=method, headers={"Authorization": "Bearer wangge_no"})
        assert (wrong.status_code, wrong.json["code"]) == (401, "http.token_wrong")
    app.extensions[KEY].engine.dispose()


def test_the_command_shows_it_once(world, monkeypatch):
    from click.testing import CliRunner

    from api.cli.user import user

    monkeypatch.setenv("DATABASE_URL", world.url)
    monkeypatch.setenv("WANGGE_LANG", "en")
    shown = CliRunner().invoke(user, ["token", "--renew"]).output
    token = shown.split()[-1]
    assert token.startswith(operator.PREFIX)
    again = CliRunner().invoke(user, ["token"]).output
    assert "made 2" in again
    assert token not in again
