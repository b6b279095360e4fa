"""The benchmark of serving: its city, its load generator, its rows, and a whole small run without peers."""

from __future__ import annotations

import http.server
import os
import threading

import mapbox_vector_tile
import numpy as np
import pytest
import shapely

from benchmarks import serving, serving_load, serving_servers, serving_tiles
from benchmarks.serving_city import city_sources
from benchmarks.serving_decode import content
from benchmarks.serving_tiles import ANEW, NGINX, TIPG, WARM, Race, Side
from data.machine import places
from data.postgres.server.cluster import Cluster

#: The state this run began with, in which the test server stands.
HOME = places.home()
#: Every bar of the table "How fast": the start of its row's name, floor and aim.
BARS = (
    ("uncached tile, geometric mean", 8, 15),
    ("uncached tile, buildings z14", 6, 15),
    ("uncached tile, buildings z16", 6, 15),
    ("uncached tile, grids z14", 6, 15),
    ("warm tile against tipg, geometric mean", 100, 200),
    ("warm tile against tipg, buildings z14", 60, 200),
    ("warm tile against static files", 0.4, 0.7),
    ("p99 of uncached tiles, buildings z14", 1 / 3, 1 / 6),
    ("bulk lookup against geopandas.sjoin", 30, 60),
    ("bulk lookup against the best STRtree form", 15, 30),
    ("mismatches with PostGIS, uniform points", 0, None),
    ("mismatches with PostGIS, adversarial points", 0, None),
    ("one lookup over HTTP", 7, 10),
    ("page of 100 features", 8, 12),
    ("single feature", 8, 12),
    ("index after publication", 1.0, 0.3),
)


def test_the_city_is_one_coverage_with_a_building_in_each_lived_in_cell():
    city = city_sources(400, seed=2)
    assert len(city.streets) == 80
    assert shapely.coverage_is_valid(city.atoms.geometry)
    assert shapely.is_valid(city.buildings.geometry).all()
    cell = shapely.STRtree(city.atoms.geometry).query(shapely.centroid(city.buildings.geometry), predicate="within")
    assert len(cell[0]) == len(np.unique(cell[1])) == len(city.buildings)
    inside = shapely.area(shapely.intersection(city.buildings.geometry[cell[0]], city.atoms.geometry[cell[1]]))
    assert (inside > 0.5 * shapely.area(city.buildings.geometry[cell[0]])).all()
    assert {len(shapely.get_coordinates(b)) for b in city.buildings.geometry} == {5, 7, 10}  # box, L, court


def test_the_same_seed_gives_the_same_city():
    one, two = (city_sources(200, seed=3) for _ in range(2))
    assert shapely.to_wkb(one.buildings.geometry).tolist() == shapely.to_wkb(two.buildings.geometry).tolist()
    assert one.streets.name.tolist() == two.streets.name.tolist()


class _Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.path.encode() * 30_000
        if self.path == "/held":
            self.send_response(304)
            self.end_headers()
        elif self.path == "/missing":
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/chunks":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (body[:7], body[7:90_000], body[90_000:]):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.send_response(200)
            self.send_header("CONTENT-LENGTH", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def answering():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def test_load_counts_every_answer_whole(answering):
    paths = ["/long", "/held", "/chunks", "/missing"] * 3
    load = serving_load.run(answering, [serving_load.get(p) for p in paths], connections=5)
    assert load.status.tolist() == [200, 304, 200, 404] * 3
    assert load.failed == 3
    assert load.length[0] == 150_000
    assert load.length[1] == 0
    assert load.length[2] > 210_000
    assert (load.latency > 0).all()
    assert load.seconds >= load.latency.max()


def test_load_says_which_request_was_never_answered(answering):
    broken = b"GET /x HTTP/9.9\r\n\r\n"
    with pytest.raises(RuntimeError, match="request 0"):
        serving_load.run(answering, [broken, broken], connections=1)


def test_a_decoded_tile_says_what_another_library_put_in():
    square = {"type": "Polygon", "coordinates": [[[0, 0], [0, 9], [9, 9], [9, 0], [0, 0]]]}
    features = [
        {"geometry": square, "properties": {"name": "甲", "households": 3, "use": ""}},
        {"geometry": square, "properties": {"name": "乙", "share": 0.5, "bridge": True, "low": -2}},
        {"geometry": square, "properties": {"name": "甲", "households": 3}},
    ]
    found = content(mapbox_vector_tile.encode([{"name": "buildings", "features": features}]))
    assert found == {
        (3, ("households", 3), ("name", "甲")): 2,
        (3, ("bridge", True), ("low", -2), ("name", "乙"), ("share", 0.5)): 1,
    }


def test_every_bar_has_a_row_even_when_nothing_was_measured():
    empty = serving.rows(serving.Results(tiles={k.name: Race(k.name) for k in serving_tiles.KINDS}))
    for name, floor, aim in BARS:
        (row,) = [r for r in empty if r.name.startswith(name) and r.floor is not None]
        assert (row.floor, row.aim, row.met, row.value) == (floor, aim, False, None), name


def test_ratios_are_the_median_of_the_rounds():
    made = Race("x", {ANEW: _side([90, 80, 1000], 2.0), TIPG: _side([10, 10, 10], 16.0)})
    assert made.ratio(ANEW, TIPG) == 9
    assert made.cpu_ratio(ANEW, TIPG) == 8
    assert made.tail_ratio(ANEW, TIPG) == pytest.approx(1)
    assert made.ratio(WARM, NGINX) is None
    assert serving.mean([2.0, 8.0]) == pytest.approx(4)
    assert serving.mean([2.0, None]) is None


def _side(rates, cpu):
    return Side(list(rates), [cpu] * len(rates), [np.array([0.1, 0.2])] * len(rates))


@pytest.mark.slow
@pytest.mark.database
def test_a_whole_small_run_without_peers(database_server, monkeypatch):
    if os.environ.get("TEST_DATABASE_URL"):
        pytest.skip("the benchmark watches the processes of its own PostgreSQL server")
    monkeypatch.setenv("WANGGE_HOME", str(HOME))
    monkeypatch.setattr(serving_tiles, "ROUND_SECONDS", 0.01)
    monkeypatch.setattr(serving_servers, "WORKERS", 1)
    monkeypatch.setattr(serving_tiles, "KINDS", serving_tiles.KINDS[1:2])
    cluster = Cluster("pg-test", durable=False)
    said = []
    results, counts = serving.measure(300, None, rounds=1, points=(2000, 2000), say=said.append, cluster=cluster)
    assert counts["street"] == 60
    assert counts["grid_version"] > 1
    found = {row.name: row for row in serving.rows(results)}
    assert found["mismatches with PostGIS, uniform points, 2,000"].met
    assert found["mismatches with PostGIS, adversarial points, 2,000"].met
    assert found["buildings z16: requests"].value > 0
    assert found["items grids: CPU a request"].value >= 0
    assert found["one lookup: p99"].value > 0
    assert found["one lookup over HTTP"].met is False  # no peer, no verdict
    assert found[f"index after publication of {counts['grid_version']:,} grids"].value > 0
