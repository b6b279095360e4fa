"""Streets as ordered lines, and the street a building faces, on drawn examples."""

from dataclasses import replace

import numpy as np
import shapely
from shapely import LineString, Point, box

from gis.addressing import facing
from gis.addressing.starts import Starting
from gis.addressing.thoroughfares import trace
from gis.territory.model import Streets


def streets(*pieces):
    """``pieces``: (name, points) or (name, points, highway)."""
    n = len(pieces)
    none = np.array([""] * n, dtype=object)
    off = np.zeros(n, dtype=bool)
    return Streets(
        geometry=np.array([LineString(p[1]) for p in pieces], dtype=object),
        source_id=np.array([f"w{k}" for k in range(n)], dtype=object),
        highway=np.array([p[2] if len(p) > 2 else "residential" for p in pieces], dtype=object),
        name=np.array([p[0] for p in pieces], dtype=object),
        bridge=off, tunnel=off, oneway=off, layer=np.zeros(n, dtype=np.int64), junction=none, service=none,
    )  # fmt: skip


def coords(line):
    return [tuple(xy) for xy in shapely.get_coordinates(line).tolist()]


def test_pieces_become_one_line_from_east_to_west():
    t = trace(streets(("人民路", [(0, 0), (50, 0)]), ("人民路", [(100, 0), (50, 0)])))
    assert list(t.name) == ["人民路"]
    assert t.shape[0] == "line"
    assert coords(t.piece[0]) == [(100, 0), (50, 0), (0, 0)]
    assert t.length[0] == 100


def test_north_south_streets_begin_in_the_north():
    t = trace(streets(("建设路", [(0, 0), (5, 300)])))
    assert coords(t.piece[0])[0] == (5, 300)
    assert coords(trace(streets(("建设路", [(0, 0), (5, 300)])), start="east_south").piece[0])[0] == (0, 0)


def test_names_are_compared_after_normalising():
    t = trace(streets(("人民 路", [(0, 0), (50, 0)]), (" 人民  路 ", [(50, 0), (90, 0)])))
    assert len(t) == 1


def test_a_gap_is_bridged_and_said():
    t = trace(streets(("a", [(0, 0), (100, 0)]), ("a", [(150, 0), (300, 0)])))
    assert (t.shape[0], len(t.piece)) == ("joined", 1)
    assert t.piece[0].length == 300


def test_a_dual_carriageway_is_one_line():
    t = trace(streets(("a", [(0, 0), (400, 0)]), ("a", [(400, 20), (0, 20)])))
    assert (t.shape[0], len(t.piece)) == ("collapsed", 1)
    assert set(t.way_of) == {0}


def test_a_branch_is_a_piece_of_its_own():
    t = trace(streets(("a", [(0, 0), (200, 0), (400, 0)]), ("a", [(200, 0), (200, 150)])))
    assert t.shape[0] == "branches"
    assert sorted(round(p.length) for p in t.piece) == [150, 400]
    assert list(t.station) != [0.0, 0.0]


def test_a_loop_is_cut_once():
    ring = [(0, 0), (200, 0), (200, 200), (0, 200), (0, 0)]
    t = trace(streets(("环路", ring)))
    assert t.shape[0] == "loop"
    assert t.piece[0].length == 800


def test_one_name_in_two_places():
    t = trace(streets(("a", [(0, 0), (300, 0)]), ("a", [(5000, 0), (5100, 0)])))
    assert list(t.place) == [1, 2]
    assert list(t.length) == [300, 100]
    assert list(t.way_of) == [0, 1]


def test_unnamed_motorways_and_links_carry_no_numbers():
    t = trace(
        streets(
            ("", [(0, 0), (9, 0)]), ("高速", [(0, 0), (9, 0)], "motorway"), ("a", [(0, 0), (9, 0)], "primary_link")
        )
    )
    assert len(t) == 0
    assert set(t.way_of) == {-1}


def test_a_footpath_counts_only_where_no_street_has_its_name():
    both = trace(streets(("a", [(0, 0), (100, 0)]), ("a", [(0, 60), (100, 60)], "footway")))
    assert list(both.way_of) == [0, -1]
    alone = trace(streets(("一人里", [(0, 0), (100, 0)], "footway")))
    assert list(alone.name) == ["一人里"]


def test_a_house_faces_the_nearer_street():
    lines = streets(("北街", [(0, 50), (200, 50)]), ("南街", [(0, 0), (200, 0)]))
    t = trace(lines)
    houses = np.array([box(50, 8, 58, 20), box(80, 32, 88, 44)], dtype=object)
    found = facing.face(houses, lines.geometry, t)
    assert [t.name[k] for k in found.thoroughfare] == ["南街", "北街"]
    assert found.sure.all()
    assert found.distance.tolist() == [8.0, 6.0]


def test_a_house_behind_another_does_not_face_through_it():
    lines = streets(("大街", [(0, 0), (200, 0)]), ("后巷", [(0, 60), (200, 60)]))
    t = trace(lines)
    front, back = box(50, 6, 70, 26), box(50, 27, 70, 33)
    found = facing.face(np.array([front, back], dtype=object), lines.geometry, t)
    assert [t.name[k] for k in found.thoroughfare] == ["大街", "后巷"]


def test_far_from_every_street():
    lines = streets(("a", [(0, 0), (100, 0)]))
    found = facing.face(np.array([box(0, 500, 10, 510)], dtype=object), lines.geometry, trace(lines))
    assert found.thoroughfare.tolist() == [-1]
    nothing = facing.face(np.array([box(0, 0, 1, 1)], dtype=object), lines.geometry[:0], trace(streets()))
    assert nothing.thoroughfare.tolist() == [-1]


def test_station_and_side():
    lines = streets(("a", [(0, 0), (300, 0)]))  # counted from the east: north is on the right
    t = trace(lines)
    station, right = facing.locate(t, np.array([Point(280, 10), Point(100, -10)], dtype=object), np.array([0, 0]))
    assert station.tolist() == [20.0, 200.0]
    assert right.tolist() == [True, False]


def test_tunnels_and_elevated_roads_carry_no_numbers():
    lines = streets(
        ("延安东路", [(0, 0), (90, 0)]), ("延安东路隧道", [(0, 9), (90, 9)]), ("内环高架路", [(0, 20), (90, 20)])
    )
    assert list(trace(lines).name) == ["延安东路"]
    under = replace(lines, tunnel=np.array([True, False, False]))
    assert set(trace(under).way_of) == {-1}
    assert list(trace(streets(("Tunnel Road", [(0, 0), (90, 0)]))).name) == ["Tunnel Road"]


def test_a_large_corner_building_faces_the_main_street_and_a_passage_hardly_ever():
    corner = np.array([box(8, 14, 48, 44)], dtype=object)
    for highway, faced in (("primary", "大道"), ("residential", "小街")):
        lines = streets(("大道", [(0, 0), (200, 0)], highway), ("小街", [(0, 0), (0, 200)]))
        t = trace(lines)
        assert t.name[facing.face(corner, lines.geometry, t).thoroughfare[0]] == faced
    lines = streets(("大街", [(0, 0), (200, 0)]), ("过道", [(0, 0), (0, 200)], "footway"))
    t = trace(lines)
    assert t.name[facing.face(corner, lines.geometry, t).thoroughfare[0]] == "大街"


def test_a_branch_counts_away_from_its_street_on_either_hand():
    main = ("学府路", [(0, 0), (0, 100), (0, 200), (0, 500)])
    branches = ("学府路", [(0, 100), (90, 100)]), ("学府路", [(0, 200), (-90, 200)])
    lines = streets(main, *branches, ("大街", [(-300, 0), (300, 0)]))
    for dead_end in ("same", "entrance"):
        t = trace(lines, starting=Starting(dead_end=dead_end))
        pieces = t.piece[t.piece_of == list(t.name).index("学府路")]
        assert sorted(coords(p)[0] for p in pieces if p.length < 100) == [(0, 100), (0, 200)]


def test_a_ring_begins_where_one_comes_in():
    ring = ("环路", [(100, 0), (200, 0), (200, 150), (0, 150), (0, 0), (100, 0)])
    t = trace(streets(("入口路", [(100, -40), (100, 0)]), ring))
    assert coords(t.piece[1])[0] == coords(t.piece[1])[-1] == (100, 0)
