"""Streets to atoms on drawn territories that can be checked on paper."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely.geometry import MultiPolygon, Point

from gis.territory.classes import BASES
from tests.gis.drawn_blocks import (
    LineString,
    Polygon,
    between_blocks,
    box,
    check_atom_set,
    cut,
    drawn,
    house,
    metres_by,
    street,
)

SQUARE = box(0, 0, 200, 200)
CROSS = [street((100, -10), (100, 210)), street((-10, 100), (210, 100))]
FOUR = [house(20, 20), house(150, 20), house(20, 150), house(150, 150)]


def test_a_cross_of_streets_makes_four_blocks():
    atoms = cut(drawn(CROSS, FOUR), SQUARE)
    assert sorted(atoms.block) == [0, 1, 2, 3]
    assert metres_by(atoms.segments) == {("residential", "street"): 400.0}
    assert shapely.area(atoms.geometry).tolist() == [10000.0] * 4
    assert sorted(atoms.building_atom) == [0, 1, 2, 3]


def test_the_outside_length_is_the_perimeter():
    assert cut(drawn(CROSS, FOUR), SQUARE).outer.sum() == pytest.approx(800.0)


def test_a_lone_territory_is_one_atom():
    atoms = cut(drawn(), SQUARE)
    assert len(atoms.geometry) == 1
    assert len(atoms.segments.left) == 0


def test_a_block_without_buildings_is_one_atom():
    atoms = cut(drawn(CROSS, [FOUR[0], house(60, 20)]), SQUARE)
    assert np.bincount(atoms.block).tolist() in ([2, 1, 1, 1], [1, 2, 1, 1], [1, 1, 2, 1], [1, 1, 1, 2])


def test_the_border_between_two_houses_runs_midway():
    atoms = cut(drawn([], [house(50, 90), house(140, 90)]), SQUARE)
    ends = np.concatenate([atoms.segments.start, atoms.segments.end])
    assert np.abs(ends[:, 0] - 100).max() < 0.2
    assert set(metres_by(atoms.segments)) == {("none", "cell")}


def dual(gap, highway="primary"):
    west, east = 100 - gap / 2, 100 + gap / 2
    return [
        street((west, -10), (west, 210), highway=highway, oneway=True),
        street((east, 210), (east, -10), highway=highway, oneway=True),
        street((-10, 100), (210, 100)),
    ]


@pytest.mark.parametrize("gap", [4.0, 10.0, 20.0])
def test_dual_carriageways_become_one_border_in_the_middle(gap):
    atoms = cut(drawn(dual(gap), FOUR), SQUARE)
    assert len(atoms.geometry) == 4
    lengths = metres_by(atoms.segments)
    assert lengths[("primary", "moved")] == pytest.approx(200 + gap, abs=0.1)
    s = atoms.segments
    moved = (s.basis == 3) & (np.abs(s.start[:, 1] - 100) > gap)
    assert np.abs(s.start[moved][:, 0] - 100).max() <= 0.02
    assert {atoms.line_ids[k] for k in s.source[moved]} <= {"0", "1"}


def test_a_wide_strip_between_streets_stays_a_block():
    assert len(cut(drawn(dual(40.0), FOUR), SQUARE).geometry) == 6


def test_a_strip_with_a_building_stays_a_block():
    atoms = cut(drawn(dual(10.0), [*FOUR, house(97, 40, 6, 6)]), SQUARE)
    assert len(atoms.geometry) == 5


def ring(x, y, r):
    angle = np.linspace(0, 2 * np.pi, 25)
    points = np.column_stack([x + r * np.cos(angle), y + r * np.sin(angle)])
    points[-1] = points[0]
    return points


def test_a_roundabout_is_absorbed():
    circle = ring(100, 100, 16)
    arms = [
        street((100, -5), (100, 84)),
        street((100, 116), (100, 205)),
        street((-5, 100), (84, 100)),
        street((116, 100), (205, 100)),
    ]
    turn = street(*circle, junction="roundabout", oneway=True, highway="tertiary")
    atoms = cut(drawn([turn, *arms], FOUR), SQUARE)
    assert len(atoms.geometry) == 4
    assert metres_by(atoms.segments)[("tertiary", "moved")] > 20


def test_a_slip_road_is_absorbed():
    slip = street((100, 120), (103, 112), (112, 103), (120, 100), highway="primary_link", oneway=True)
    atoms = cut(drawn([*CROSS, slip], FOUR), SQUARE)
    assert len(atoms.geometry) == 4


def test_tunnels_are_no_borders_and_bridges_stay():
    tunnel = street((100, -10), (100, 210), tunnel=True)
    bridge = street((-10, 100), (210, 100), bridge=True, layer=1)
    atoms = cut(drawn([tunnel, bridge], FOUR), SQUARE)
    assert atoms.block.max() == 1
    assert metres_by(atoms.segments, between_blocks(atoms)) == {("residential", "street"): 200.0}


def test_a_dead_end_divides_nothing():
    atoms = cut(drawn([street((100, -10), (100, 120))], FOUR), SQUARE)
    assert atoms.block.max() == 0


def test_a_way_far_out_of_the_territory_is_clipped():
    far = street((-90000, 100), (90000, 100))
    assert cut(drawn([far], FOUR), SQUARE).block.max() == 1


def test_a_street_cut_shortly_before_the_edge_reaches_it():
    assert cut(drawn([street((8, 100), (193, 100))], FOUR), SQUARE).block.max() == 1


@pytest.mark.parametrize("gap", [0.05, 0.6, 1.9])
def test_streets_cut_at_a_tile_edge_are_joined(gap):
    pieces = [street((-5, 100), (90, 100)), street((90 + gap, 100.02), (205, 100))]
    atoms = cut(drawn(pieces, FOUR), SQUARE)
    assert atoms.block.max() == 1
    lengths = metres_by(atoms.segments, between_blocks(atoms))
    assert lengths == {("residential", "street"): pytest.approx(200, abs=0.1)}


def test_a_street_that_just_misses_another_is_joined():
    atoms = cut(drawn([street((100, -5), (100, 205)), street((-5, 100), (99, 100))], FOUR), SQUARE)
    assert atoms.block.max() == 2


LANE = street((100, -10), (100, 210), highway="service")


def test_lanes_divide_only_blocks_over_the_maximum():
    few = cut(drawn([LANE], FOUR), SQUARE, maximum=4)
    assert metres_by(few.segments).keys() == {("none", "cell")}
    many = cut(drawn([LANE], FOUR), SQUARE, maximum=3)
    assert many.block.max() == 0
    assert metres_by(many.segments)[("service", "street")] == 200.0


def test_a_dead_end_street_divides_a_large_block_where_a_footway_leads_on():
    # the street ends in the middle of the block, a footway goes on from there to the other side
    dead_end = dict(LANE, geometry=LineString([(-10, 100), (90, 100)]), highway="residential", source_id="d")
    footway = dict(LANE, geometry=LineString([(90, 100), (210, 100)]), highway="footway", source_id="f")
    many = cut(drawn([dead_end, footway], FOUR), SQUARE, maximum=3)
    assert many.block.max() == 0
    found = metres_by(many.segments)
    assert found["residential", "street"] == 90.0
    assert found["footway", "street"] == 110.0
    few = cut(drawn([dead_end, footway], FOUR), SQUARE, maximum=4)
    assert metres_by(few.segments).keys() == {("none", "cell")}
    alone = cut(drawn([dead_end], FOUR), SQUARE, maximum=3)  # nothing leads on: nothing is divided
    assert metres_by(alone.segments).keys() == {("none", "cell")}


def dead_end(houses, **parameters):
    """A block of 100 m, a lane into it from the west that stops 30 m before its eastern edge."""
    lane = {"geometry": LineString([(0, 50), (70, 50)]), "highway": "service"}
    return cut(drawn([*FRAME, lane], houses), box(0, 0, 100, 100), **parameters)


FRAME = (street((0, 0), (100, 0), (100, 100), (0, 100), (0, 0)),)
ROWS = [house(x, y, households=200) for x in (20, 80) for y in (20, 70)]


def crossing(atom_set):
    """Length of segments on the line of the lane, y = 50, of each basis."""
    s = atom_set.segments
    on = (s.start[:, 1] == 50) & (s.end[:, 1] == 50)
    metres = np.hypot(*(s.end - s.start).T)
    return {BASES[b]: float(metres[on & (s.basis == b)].sum()) for b in np.unique(s.basis[on])}


def test_a_lane_that_stops_short_is_led_on_to_the_edge_and_called_no_street():
    assert crossing(dead_end(ROWS)) == {"street": 70.0, "cell": 30.0}


def test_nothing_is_led_on_over_too_long_a_way_or_in_a_block_that_stays_whole():
    assert crossing(dead_end(ROWS, lead=29.0)).get("street", 0.0) == 0.0
    assert crossing(dead_end(ROWS, maximum=800)).get("street", 0.0) == 0.0


def test_a_lane_is_not_led_on_through_a_house():
    across = house(80, 40, w=15, h=20, households=1)
    atom_set = dead_end([*ROWS, across])
    assert crossing(atom_set).get("street", 0.0) == 0.0
    assert atom_set.geometry[atom_set.building_atom[4]].covers(box(80, 40, 95, 60).buffer(-0.05))


def test_two_lanes_that_nearly_meet_part_the_block_together():
    lanes = [{"geometry": LineString([(0, 50), (40, 50)]), "highway": "service"},
             {"geometry": LineString([(100, 50), (60, 50)]), "highway": "service"}]  # fmt: skip
    atom_set = cut(drawn([*FRAME, *lanes], ROWS), box(0, 0, 100, 100))
    assert crossing(atom_set) == {"street": 80.0, "cell": 20.0}


def test_footprints_that_overlap_share_an_atom_unless_it_would_be_too_large():
    houses = [house(20, 20, w=20, h=20, households=300), house(35, 20, w=20, h=20, households=300)]
    assert len(set(cut(drawn(FRAME, houses), box(0, 0, 100, 100)).building_atom)) == 1
    houses[0]["households"] = 301
    assert len(set(cut(drawn(FRAME, houses), box(0, 0, 100, 100)).building_atom)) == 2


def test_a_footway_is_a_border_of_its_own_class():
    atoms = cut(drawn([dict(LANE, highway="footway")], FOUR), SQUARE, maximum=3)
    assert metres_by(atoms.segments)[("footway", "street")] == 200.0


def test_walls_and_compounds_divide_large_blocks():
    wall = {"geometry": LineString([(-10, 100), (210, 100)]), "kind": "wall"}
    atoms = cut(drawn([], FOUR, barriers=[wall]), SQUARE, maximum=3)
    assert metres_by(atoms.segments)[("wall", "barrier")] == 200.0
    compound = {"geometry": box(-10, -10, 100, 210), "name": "Plum Garden", "source_id": "c1"}
    atoms = cut(drawn([], FOUR, compounds=[compound]), SQUARE, maximum=3)
    assert metres_by(atoms.segments)[("wall", "barrier")] == 200.0
    assert "c1" in atoms.line_ids


def test_an_island_in_a_lake():
    lake = Polygon([(40, 40), (160, 40), (160, 160), (40, 160)], [[(80, 80), (120, 80), (120, 120), (80, 120)]])
    atoms = cut(drawn([], [house(90, 90), house(5, 5)], barriers=[{"geometry": lake, "kind": "water"}]), SQUARE)
    assert sorted(shapely.area(atoms.geometry)) == [1600.0, 12800.0, 25600.0]
    assert metres_by(atoms.segments) == {("water", "barrier"): 640.0}


def test_a_pond_is_no_border():
    pond = {"geometry": box(90, 90, 120, 120), "kind": "water"}
    assert cut(drawn([], FOUR, barriers=[pond]), SQUARE).block.max() == 0


def test_a_railway_is_a_border():
    rail = {"geometry": LineString([(-5, 100), (205, 100)]), "kind": "rail"}
    atoms = cut(drawn([], FOUR, barriers=[rail]), SQUARE)
    assert metres_by(atoms.segments, between_blocks(atoms)) == {("rail", "barrier"): 200.0}


def test_a_street_along_a_river_names_the_border():
    river = {"geometry": LineString([(-5, 100), (205, 100)]), "kind": "water"}
    atoms = cut(drawn([street((-5, 100), (205, 100), highway="tertiary")], FOUR, barriers=[river]), SQUARE)
    assert metres_by(atoms.segments, between_blocks(atoms)) == {("tertiary", "street"): 200.0}


def test_a_building_across_a_street_belongs_to_the_side_where_most_of_it_stands():
    atoms = cut(drawn(CROSS, [*FOUR, house(80, 40, 24, 10)]), SQUARE)
    assert len(atoms.geometry) == 5
    assert atoms.block[atoms.building_atom[4]] == atoms.block[atoms.building_atom[0]]


def test_the_atom_holds_the_whole_of_a_building_across_a_street():
    atoms = cut(drawn(CROSS, [*FOUR, house(80, 40, 30, 10)]), SQUARE)
    assert atoms.geometry[atoms.building_atom[4]].intersection(box(80, 40, 110, 50)).area > 0.99 * 300


def test_buildings_that_share_walls():
    row = [house(20 + 8 * k, 40, 8, 12) for k in range(10)]
    atoms = cut(drawn([], row), SQUARE)
    assert len(atoms.geometry) == 10
    for k, owner in enumerate(atoms.building_atom):
        footprint = row[k]["geometry"]
        assert atoms.geometry[owner].intersection(footprint).area > 0.95 * footprint.area


def test_a_garage_joins_the_house_beside_it():
    atoms = cut(drawn([], [house(50, 50), house(61, 50, 4, 6, households=0, use="garage"), house(120, 50)]), SQUARE)
    assert atoms.building_atom[1] == atoms.building_atom[0]
    assert len(atoms.geometry) == 2


def test_a_lone_garage_keeps_its_atom():
    atoms = cut(drawn([], [house(50, 50, households=0, use="garage")]), SQUARE)
    assert atoms.building_atom.tolist() == [0]


def test_a_house_in_a_courtyard_has_its_own_atom():
    yard = Polygon([(50, 50), (120, 50), (120, 120), (50, 120)], [[(60, 60), (110, 60), (110, 110), (60, 110)]])
    atoms = cut(drawn([], [{"geometry": yard, "households": 40}, house(80, 80)]), SQUARE)
    assert len(atoms.geometry) == 2
    assert len(atoms.geometry[atoms.building_atom[0]].interiors) == 1


def test_duplicates_are_left_out_and_their_households_counted_once():
    twice = [house(50, 50, households=12), house(50, 50, households=12), house(120, 50)]
    atoms = cut(drawn([], twice), SQUARE)
    assert atoms.building_atom[1] == -1
    assert [(e.source_id, e.reason, e.households) for e in atoms.excluded] == [("1", "duplicate", 12)]


def test_a_duplicate_that_only_lacks_the_door_number_is_still_one():
    twice = [house(50, 50, households=12, housenumber="8"), house(50, 50, households=12), house(120, 50)]
    atoms = cut(drawn([], twice), SQUARE)
    assert [(e.source_id, e.reason) for e in atoms.excluded] == [("1", "duplicate")]
    other = [house(50, 50, households=12, housenumber="8"), house(50, 50, households=12, housenumber="9")]
    assert cut(drawn([], other), SQUARE).excluded == ()


def test_stacked_parts_stay_and_share_an_atom():
    stacked = [house(50, 50, households=12, levels=3), house(50, 50, households=40, levels=10), house(53, 53, 4, 4)]
    atoms = cut(drawn([], stacked), SQUARE)
    assert atoms.building_atom.tolist() == [0, 0, 0]
    assert atoms.excluded == ()


def test_a_building_of_two_parts_has_one_atom():
    two = MultiPolygon([box(30, 30, 60, 60), box(90, 30, 100, 40)])
    atoms = cut(drawn([], [{"geometry": two, "households": 5}, house(70, 30, 8, 8)]), SQUARE)
    assert len(atoms.geometry) == 2


def test_point_buildings_even_in_one_place():
    places = [(50, 50), (50, 50), (150, 50), (0, 0), (100, 100)]
    spots = [{"geometry": Point(p), "households": 3} for p in places]
    atoms = cut(drawn(CROSS, spots), SQUARE)
    assert atoms.building_atom[0] == atoms.building_atom[1]
    assert (atoms.building_atom >= 0).all()


def test_a_building_outside_is_left_out_by_name():
    atoms = cut(drawn(CROSS, [*FOUR, house(500, 500, households=7, source_id="far")]), SQUARE)
    assert [(e.source_id, e.reason, e.households) for e in atoms.excluded] == [("far", "outside", 7)]


def test_a_building_over_the_maximum_is_one_atom():
    atoms = cut(drawn([], [house(50, 50, 40, 40, households=900), house(150, 150)]), SQUARE, maximum=600)
    assert len(atoms.geometry) == 2


HALVES = [{"geometry": box(0, 0, 80, 200), "code": "1"}, {"geometry": box(80, 0, 200, 200), "code": "2"}]


def test_community_borders_are_kept_and_named():
    atoms = cut(drawn([CROSS[1]], FOUR, communities=HALVES), SQUARE)
    assert atoms.community.tolist() == [0, 0, 1, 1] or sorted(atoms.community) == [0, 0, 1, 1]
    assert metres_by(atoms.segments)[("community", "community")] == 200.0
    s = atoms.segments
    across = atoms.community[s.left] != atoms.community[s.right]
    assert (s.start[across][:, 0] == 80).all()
    for k in (0, 1):
        mine = shapely.coverage_union_all(atoms.geometry[atoms.community == k])
        assert mine.equals(HALVES[k]["geometry"])
    assert all(len(set(atoms.community[atoms.block == b])) == 1 for b in set(atoms.block))


def test_a_street_within_a_metre_of_a_community_border_names_it():
    atoms = cut(drawn([street((80.7, -5), (80.7, 205), highway="tertiary")], FOUR, communities=HALVES), SQUARE)
    assert metres_by(atoms.segments)[("tertiary", "street")] == pytest.approx(200.0)


@pytest.mark.parametrize("x", [77.0, 85.0])
def test_a_sliver_beside_a_community_border_joins_its_own_community(x):
    atoms = cut(drawn([street((x, -5), (x, 205))], FOUR, communities=HALVES), SQUARE)
    assert len(set(atoms.block)) == 2
    assert metres_by(atoms.segments)[("community", "community")] == 200.0


def test_a_building_across_a_community_border_lies_in_one_community():
    atoms = cut(drawn([], [house(70, 70, 30, 30), house(20, 20)], communities=HALVES), SQUARE)
    assert atoms.community[atoms.building_atom[0]] == 1


def test_atoms_lie_in_one_villager_group():
    groups = [{"geometry": box(0, 0, 200, 90), "name": "a"}, {"geometry": box(0, 90, 200, 200), "name": "b"}]
    atoms = cut(drawn([CROSS[0]], FOUR, groups=groups), SQUARE)
    assert all(g.bounds[3] <= 90 or g.bounds[1] >= 90 for g in atoms.geometry)


def test_a_territory_in_two_pieces_with_a_hole():
    land = MultiPolygon([Polygon(SQUARE.exterior, [box(130, 130, 160, 160).exterior]), box(300, 0, 400, 100)])
    atoms = cut(drawn(CROSS, [*FOUR[:3], house(330, 30), house(360, 60)]), land)
    assert len(atoms.geometry) == 6


def test_the_same_input_gives_the_same_bytes():
    row = drawn(CROSS, [house(10 + 25 * k, 10 + 31 * k % 150) for k in range(7)])
    one, two = (cut(row, SQUARE) for _ in range(2))
    assert shapely.to_wkb(one.geometry).tolist() == shapely.to_wkb(two.geometry).tolist()
    for name in ("left", "right", "start", "end", "kind", "basis", "source"):
        assert getattr(one.segments, name).tobytes() == getattr(two.segments, name).tobytes()


def test_a_moved_vertex_a_dropped_building_and_a_gap_are_noticed():
    sources = drawn(CROSS, [*FOUR, house(60, 20)])
    atoms = cut(sources, SQUARE)
    from dataclasses import replace

    def shaken(geometry):
        moved = shapely.get_coordinates(geometry[0])
        moved[moved[:, 0].argmax()] += 0.05
        out = geometry.copy()
        out[0] = Polygon(moved)
        return out

    mutants = [
        replace(atoms, geometry=shaken(atoms.geometry)),
        replace(atoms, geometry=atoms.geometry[:-1]),
        replace(atoms, building_atom=np.where(np.arange(5) == 2, -1, atoms.building_atom).astype(np.int32)),
        replace(atoms, segments=replace(atoms.segments, left=atoms.segments.right, right=atoms.segments.left)),
    ]
    for mutant in mutants:
        with pytest.raises((AssertionError, ValueError)):
            check_atom_set(mutant, sources, SQUARE)
