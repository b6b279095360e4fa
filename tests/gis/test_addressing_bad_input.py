"""What cities really hand in: every case ends with an address that is right or a break that is named."""

import numpy as np
import pytest
from shapely import LineString, Point, box

from gis.addressing import gates
from gis.addressing.assign import assign
from gis.addressing.street_names import alike
from gis.addressing.thoroughfares import trace
from tests.gis.drawn_streets import NONE, areas, buildings, doors, house, streets, texts

ROAD = streets(("人民路", [(0, 0), (400, 0)]))
TOWN = areas((box(-9000, -9000, 9000, 9000), "和平社区"))


def assigned(road, *rows, community=TOWN, **more):
    found = assign(road, buildings(*rows), NONE, NONE, community, **more)
    assert not gates.check(found)
    return found


def said(found):
    return {(b.item, b.kind, b.reason) for b in found.breaks}


def test_streets_without_names_carry_no_numbers():
    found = assigned(streets(("", [(0, 0), (400, 0)]), ("  ", [(0, 50), (400, 50)])), house(100))
    assert list(found.text) == ["和平社区1号"]
    assert said(found) == {(0, "有址无号", "no_street")}


def test_one_name_twice_in_a_town_numbers_each_and_tells_them_apart():
    far = streets(("新街", [(0, 0), (200, 0)]), ("新街", [(5000, 0), (5200, 0)]))
    two = areas((box(-100, -100, 300, 100), "东社区"), (box(4900, -100, 5300, 100), "西社区"))
    found = assigned(far, house(50), house(5050), house(5100), community=two)
    assert list(found.text) == ["东社区新街1号", "西社区新街3号", "西社区新街1号"]
    assert list(found.thoroughfares.place) == [1, 2]


def test_a_loop_and_a_branch_have_one_row_of_numbers_each():
    ring = streets(("环路", [(0, 0), (200, 0), (200, 200), (0, 200), (0, 0)]))
    inside = [(box(x, y, x + 10, y + 10), {}) for x, y in ((50, 10), (180, 80), (100, 180), (10, 100))]
    found = assigned(ring, *inside)
    assert sorted(int(n) % 2 for n in found.number) in ([0] * 4, [1] * 4)
    assert len(set(found.number)) == 4
    tee = streets(("大街", [(0, 0), (200, 0), (400, 0)]), ("大街", [(200, 0), (200, 150)]))
    found = assigned(tee, house(50), house(350), (box(208, 60, 220, 70), {}), (box(208, 90, 220, 100), {}))
    assert found.thoroughfares.shape[0] == "branches"
    assert len(set(found.text)) == 4


def test_a_building_far_from_any_street_hangs_on_its_community_or_says_so():
    found = assigned(ROAD, (box(3000, 3000, 3010, 3010), {}))
    assert (found.text[0], said(found)) == ("和平社区1号", {(0, "有址无号", "no_street")})
    alone = assigned(ROAD, (box(3000, 3000, 3010, 3010), {"housenumber": "7", "street": "人民路"}), community=NONE)
    assert alone.text[0] == "人民路7号"
    assert (0, "有号无址", "street_far") in said(alone)


def test_two_buildings_claiming_one_number_are_both_listed_and_neither_is_changed():
    found = assigned(ROAD, house(300, housenumber="５号"), house(200, housenumber="5"), house(100))
    assert [t.translate(str.maketrans("５", "5")) for t in found.text[:2]] == ["人民路5号", "人民路5号"]
    assert {(0, "一号多址", "duplicate"), (1, "一号多址", "duplicate")} <= said(found)
    assert found.number[2] not in ("5", "５", "")


def test_numbers_beyond_9999_are_kept_listed_and_not_continued():
    found = assigned(ROAD, house(350, housenumber="1"), house(300, housenumber="10001"), house(200))
    assert list(found.number) == ["1", "10001", "3"]
    assert (1, "号址不一", "too_large") in said(found)


@pytest.mark.parametrize("number", ["１２號", "12号", " 12 ", "12號"])
def test_full_width_digits_and_old_characters_are_one_number(number):
    found = assigned(ROAD, house(350, -8, housenumber=number), house(300, -8, housenumber="12"), house(250, -8))
    assert {(0, "一号多址", "duplicate"), (1, "一号多址", "duplicate")} <= said(found)
    assert int(found.number[2]) > 12


SAME = ["东风街", "東風街", "东 风 街", "东风街 Dongfeng Street", "東風街(Dongfeng Jie)", " 东风街\u3000"]


@pytest.mark.parametrize("spelling", SAME)
def test_spellings_of_one_street(spelling):
    assert alike(spelling) == "东风街"
    found = assigned(streets(("东风街", [(0, 0), (400, 0)])), house(350, housenumber="8", street=spelling))
    assert (found.text[0], found.breaks) == ("东风街8号", ())


def test_pieces_of_one_street_in_several_spellings_are_one_street():
    pieces = [(name, [(100 * k, 0), (100 * k + 100, 0)]) for k, name in enumerate((*SAME, "东风街"))]
    lines = trace(streets(*pieces))
    assert (list(lines.name), list(lines.shape)) == (["东风街"], ["line"])


OTHERS = [("东风街", "东风路"), ("A路", "B路"), ("Main Street", "Main Road"), ("3路", "8路")]


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_other_streets_stay_others(one, other):
    assert alike(one) != alike(other)


def test_nonsense_is_text():
    evil = "'; DROP TABLE address;--<script>alert(1)</script>" + "x" * 5000
    rows = [house(50), house(90, housenumber=evil), house(130, housenumber="\x00\u202e")]
    found = assigned(streets((evil, [(0, 0), (400, 0)])), *rows)
    assert found.number[0]
    assert {(1, "号址不一", "unreadable"), (2, "号址不一", "unreadable")} <= said(found)


def test_geometry_that_is_hardly_any():
    lines = streets(("a", [(0, 0), (400, 0)]), ("b", [(5, 5), (5, 5)]), ("c", [(0, 0), (0.001, 0)]))
    thin = LineString([(0, 9), (9, 9)]).buffer(1)
    found = assigned(lines, (Point(50, 9), {}), (box(100, 8, 100.01, 8.01), {"housenumber": "9"}), (thin, {}))
    assert len(found.text) == 3


def test_nothing_at_all():
    nothing = assign(streets(), buildings(), NONE, NONE, NONE)
    assert (len(nothing.text), nothing.breaks) == (0, ())
    assert len(assign(ROAD, buildings(), NONE, NONE, NONE, doors=doors((0, 0, {}))).doors.door) == 0
    assert np.all(texts([]) == texts([]))
