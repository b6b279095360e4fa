"""The compiled loops say what shapely says."""

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Point, Polygon, box

from gis.addressing import sight

REACH = 70.0


def shapes(*parts):
    return np.array(parts, dtype=object)


def check_near(items, lines, street):
    centre = shapely.get_coordinates(shapely.centroid(items))
    found = sight.near(sight.edges_of(items), centre, lines, street, REACH)
    pairs = {}
    for i, item in enumerate(items):
        for w, line in enumerate(lines):
            if item.distance(line) <= REACH - 1e-9:
                best = pairs.get((i, int(street[w])))
                away = line.distance(Point(centre[i]))
                if best is None or away < best[0] - 1e-9:
                    pairs[i, int(street[w])] = (away, item.distance(line))
    keys = list(zip(found.item.tolist(), found.street.tolist(), strict=True))
    assert keys == sorted(keys)
    assert set(pairs) <= set(keys)
    for key, way, distance, along, foot in zip(keys, found.way, found.distance, found.along, found.foot, strict=True):
        middle, line = Point(centre[key[0]]), lines[way]
        assert abs(items[key[0]].distance(line) - distance) < 1e-6
        assert abs(line.interpolate(along).distance(Point(foot))) < 1e-6
        assert abs(middle.distance(Point(foot)) - middle.distance(line)) < 1e-6
        if key in pairs:
            assert middle.distance(line) <= pairs[key][0] + 1e-6


def test_points_lines_holes_and_several_parts():
    ring = Polygon(box(0, 0, 50, 50).exterior, [box(10, 10, 40, 40).exterior])
    items = shapes(Point(5, 60), ring, MultiPolygon([box(0, 90, 9, 99), box(200, 0, 210, 9)]), box(400, 0, 410, 10))
    lines = shapes(
        LineString([(-100, 70), (300, 70)]), LineString([(25, 20), (25, 30)]), LineString([(60, 0), (60, 5)])
    )
    check_near(items, lines, np.array([0, 1, 1]))


def test_a_carriageway_under_a_building_is_at_no_distance():
    found = sight.near(
        sight.edges_of(shapes(box(0, 0, 100, 100))), np.array([[50.0, 50.0]]),
        shapes(LineString([(40, 40), (60, 40)])), np.array([3]), REACH,
    )  # fmt: skip
    assert (found.street.tolist(), found.distance.tolist()) == ([3], [0.0])


def test_nothing_in_reach_and_nothing_at_all():
    far = sight.near(
        sight.edges_of(shapes(box(0, 0, 9, 9))), np.array([[4.0, 4.0]]), shapes(LineString([(0, 99), (9, 99)])),
        np.array([0]), REACH,
    )  # fmt: skip
    assert len(far.item) == 0
    none = shapes()
    assert len(sight.near(sight.edges_of(none), np.zeros((0, 2)), none, np.zeros(0, dtype=np.int64), REACH).item) == 0
    assert len(sight.hidden(np.zeros((0, 4)), np.zeros(0), sight.edges_of(none), np.zeros(0))) == 0


PLACES = st.integers(-150, 150)
BOXES = st.builds(
    lambda x, y, w, h, turn: shapely.affinity.rotate(box(x, y, x + w, y + h), turn),
    PLACES, PLACES, st.integers(1, 60), st.integers(1, 60), st.integers(0, 90),
)  # fmt: skip
LINES = st.lists(st.tuples(PLACES, PLACES), min_size=2, max_size=5, unique=True).map(LineString)


@given(st.lists(BOXES, min_size=1, max_size=6), st.lists(LINES, min_size=1, max_size=6), st.data())
@settings(deadline=None, max_examples=60)
def test_pairs_are_shapelys(items, lines, data):
    street = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(lines), max_size=len(lines))))
    check_near(shapes(*items), shapes(*lines), street)


@given(st.lists(BOXES, min_size=1, max_size=6), st.lists(LINES, min_size=1, max_size=6))
@settings(deadline=None, max_examples=60)
def test_metres_inside_others_are_shapelys(walls, lines):
    rays = np.array([[*line.coords[0], *line.coords[1]] for line in lines], dtype=float)
    # off the whole metres, so that no ray runs along a wall
    rays += np.array([0.137, 0.211, 0.389, 0.173])
    owner = np.arange(len(walls))
    item = np.arange(len(rays)) % (len(walls) + 1)
    found = sight.hidden(rays, item, sight.edges_of(shapes(*walls)), owner)
    for k, ray in enumerate(rays):
        line = LineString([ray[:2], ray[2:]])
        wanted = sum(w.intersection(line).length for o, w in enumerate(walls) if o != item[k])
        assert abs(found[k] - wanted) < 1e-6
