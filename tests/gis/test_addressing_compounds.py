"""Building numbers inside compounds, units and rooms: drawn, and counted by hand."""

import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import example, given
from hypothesis import strategies as st

from gis.addressing import compose, compounds, homes

NAN = np.nan


def rows_of(*rows):
    """Slabs in rows from north to south: ``rows`` give the west edge of each slab."""
    return np.array(
        [shapely.box(x, -40 * r, x + 30, 12 - 40 * r) for r, xs in enumerate(rows) for x in xs], dtype=object
    )


def texts(*values):
    return np.array(values, dtype=object)


def test_serpentine_from_the_north_east():
    #  3 2 1
    #  4 5
    slabs = rows_of([0, 50, 100], [0, 50])
    found = compounds.number(slabs, np.zeros(5, dtype=np.int64), texts(*[""] * 5))
    assert list(found.number) == ["3", "2", "1", "4", "5"]


def test_serpentine_from_the_north_west():
    slabs = rows_of([0, 50, 100], [0, 50])
    found = compounds.number(slabs, np.zeros(5, dtype=np.int64), texts(*[""] * 5), corner="north_west")
    assert list(found.number) == ["1", "2", "3", "5", "4"]


def test_numbers_that_are_there_stay_and_new_ones_go_on_after_them():
    slabs = rows_of([0, 50, 100], [0, 50])
    found = compounds.number(slabs, np.zeros(5, dtype=np.int64), texts("7", "", "2", "", "A"))
    assert list(found.number) == ["7", "8", "2", "9", "A"]


def test_the_same_number_twice_is_listed():
    found = compounds.number(rows_of([0, 50]), np.zeros(2, dtype=np.int64), texts("3", "3"))
    assert [(b.kind, b.value) for b in found.breaks] == [("一号多址", "3")]


def test_places_do_not_mix():
    found = compounds.number(rows_of([0, 50, 100]), np.array([0, 1, -1]), texts("", "", ""))
    assert list(found.number) == ["1", "1", ""]


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=25, unique=True), st.data())
def test_numbering_is_complete_unique_and_stable(corners, data):
    slabs = np.array([shapely.box(x, y, x + 12, y + 9) for x, y in corners], dtype=object)
    one = np.zeros(len(slabs), dtype=np.int64)
    ids = texts(*[f"b{x}_{y}" for x, y in corners])
    first = compounds.number(slabs, one, texts(*[""] * len(slabs)), identity=ids)
    assert sorted(map(int, first.number)) == list(range(1, len(slabs) + 1))
    order = np.array(data.draw(st.permutations(range(len(slabs)))))
    shuffled = compounds.number(slabs[order], one, texts(*[""] * len(slabs)), identity=ids[order])
    assert list(shuffled.number) == list(first.number[order])
    assert list(compounds.number(slabs, one, first.number, identity=ids).number) == list(first.number)


@pytest.mark.parametrize(
    ("name", "number"),
    [("3栋", "3"), ("１２号楼", "12"), ("十二栋", "12"), ("A座", "A"), ("b栋", "B"), ("第5幢", "5"),
     ("和顺二期64栋", "64"), ("5#", "5"), ("", ""), ("教学楼", ""), ("二十一号楼", "21"), ("12", "")],
)  # fmt: skip
def test_reading_building_numbers(name, number):
    assert compounds.read_number(name) == number


def test_rooms_on_paper():
    # 2 units, 3 floors, 12 dwellings: 2 a floor and unit
    found = homes.homes(texts("和顺二期3栋"), np.array([2.0]), np.array([3.0]), np.array([12.0]), "zh")
    rooms = [t for t, r in zip(found.text, found.room, strict=True) if r]
    assert [t for t, r in zip(found.text, found.room, strict=True) if not r] == [
        "和顺二期3栋1单元",
        "和顺二期3栋2单元",
    ]
    assert rooms[:6] == [f"和顺二期3栋1单元{r}室" for r in (101, 102, 201, 202, 301, 302)]
    assert len(set(rooms)) == len(rooms) == 12


def test_one_unit_has_no_unit_in_its_text():
    found = homes.homes(texts("人民路3号"), np.array([NAN]), np.array([2.0]), np.array([3.0]), "zh")
    assert list(found.text) == ["人民路3号101室", "人民路3号102室", "人民路3号201室"]


def test_a_single_home_and_unknown_counts_have_no_rooms():
    found = homes.homes(
        texts("a", "b", "c", ""), np.ones(4), np.array([2.0, NAN, 6.0, 6.0]), np.array([1.0, 8.0, NAN, 12.0]), "zh"
    )
    assert len(found.text) == 0


@given(st.integers(1, 6), st.integers(1, 34), st.integers(2, 300))
@example(1, 2, 201)  # over 99 rooms on a floor: room 101 of the first floor is not room 1 of the second
def test_every_dwelling_has_one_room(units, floors, dwellings):
    found = homes.homes(
        texts("x"), np.array([float(units)]), np.array([float(floors)]), np.array([float(dwellings)]), "zh"
    )
    rooms = [t for t, r in zip(found.text, found.room, strict=True) if r]
    assert len(set(rooms)) == dwellings
    assert all(1 <= int(f) <= floors for f in found.floor if f)


SLAB, TOWER = shapely.box(0, 0, 60, 10), shapely.box(0, 0, 10, 40)


@pytest.mark.parametrize(
    ("shape", "patterns", "middles"),
    [
        (SLAB, {}, [(10, 5), (30, 5), (50, 5)]),  # from the west
        (SLAB, {"across": "east"}, [(50, 5), (30, 5), (10, 5)]),
        (TOWER, {}, [(5, 33.3), (5, 20), (5, 6.7)]),  # from the north
        (TOWER, {"along": "south"}, [(5, 6.7), (5, 20), (5, 33.3)]),
        (shapely.affinity.rotate(SLAB, 180), {}, [(10, 5), (30, 5), (50, 5)]),  # however it was drawn
        (shapely.Point(3, 4), {}, [(3, 4)] * 3),
    ],
)
def test_units_count_from_one_end_of_their_building(shape, patterns, middles):
    shapes, three = np.array([shape], dtype=object), np.array([3.0])
    rules = compose.Patterns(**patterns)
    found = homes.homes(texts("3栋"), three, np.array([1.0]), np.array([6.0]), "zh", rules)
    points = homes.places(shapes, three, found, rules)
    assert list(found.unit[:3]) == ["1", "2", "3"]
    assert shapely.get_coordinates(points[:3]) == pytest.approx(np.array(middles), abs=0.1)
    rooms = [i for i, u in enumerate(found.unit) if u == "2" and found.room[i]]
    assert all(points[i].equals(points[1]) for i in rooms), "a room lies in its unit"
