"""The service over the small published world."""

from __future__ import annotations

import pytest

from tests.published_world import world as world


@pytest.fixture(scope="module")
def app(world):
    from api.app import create_app
    from api.config import Config
    from api.context import KEY as HELD

    made = create_app(Config(world.url, typed_per_minute=0))
    made.config["TESTING"] = False
    yield made
    made.extensions[HELD].engine.dispose()


@pytest.fixture
def client(app):
    return app.test_client()
