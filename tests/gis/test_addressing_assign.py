"""Buildings of a drawn place to standard addresses on both branches; bad input; a second run."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from shapely import box

from gis.addressing import assign as module
from gis.addressing import compose
from gis.addressing.assign import Known, assign
from gis.addressing.compose import Parts
from tests.gis.drawn_streets import NONE, areas, buildings, house, streets, texts

#: 人民路 runs along y = 0; its numbers count from the east, so the north side is odd.
ROAD = streets(("人民路", [(0, 0), (400, 0)]))
TOWN = areas((box(-1000, -1000, 1000, 1000), "和平社区"))


def test_houses_along_a_street():
    found = assign(ROAD, buildings(house(350), house(300), house(340, -8)), NONE, NONE, TOWN)
    assert list(found.text) == ["人民路1号", "人民路3号", "人民路2号"]
    assert list(found.other) == ["", "", ""]


def test_a_compound_has_one_number_and_its_buildings_both_branches():
    compound = areas((box(50, 5, 200, 120), "和顺二期"))
    slabs = [(box(60, 20, 100, 32), {"name": "3栋"}), (box(120, 20, 160, 32), {}), (box(60, 60, 100, 72), {})]
    found = assign(ROAD, buildings(house(350), *slabs), compound, NONE, TOWN)
    assert found.text[0] == "人民路1号"
    assert list(found.text[1:]) == ["和顺二期3栋", "和顺二期5栋", "和顺二期4栋"]
    assert list(found.other[1:]) == ["人民路3号和顺二期3栋", "人民路3号和顺二期5栋", "人民路3号和顺二期4栋"]


def test_a_village_group_far_from_named_roads():
    group = areas((box(-600, -600, -300, -300), "刘家组"))
    found = assign(
        ROAD, buildings((box(-500, -500, -488, -490), {}), (box(-400, -500, -388, -490), {})), NONE, group, TOWN
    )
    assert list(found.text) == ["和平社区刘家组2号", "和平社区刘家组1号"]


def test_without_street_group_or_community():
    found = assign(streets(("", [(0, 0), (100, 0)])), buildings(house(10), house(50)), NONE, NONE, NONE)
    assert list(found.text) == ["2号", "1号"]
    assert {b.reason for b in found.breaks} == {"no_street"}


def test_no_streets_at_all():
    found = assign(streets(), buildings(house(10)), NONE, NONE, TOWN)
    assert list(found.text) == ["和平社区1号"]


def test_outbuildings_have_no_address_unless_they_carry_a_number():
    found = assign(
        ROAD,
        buildings(house(350, use="garage"), house(300, use="garage", housenumber="7"), house(200)),
        NONE,
        NONE,
        TOWN,
    )
    assert list(found.text) == ["", "人民路7号", "人民路9号"]


def test_stated_numbers_and_streets_are_kept():
    two = streets(("人民路", [(0, 0), (400, 0)]), ("后街", [(0, 40), (400, 40)]))
    corner = house(350, housenumber="22号", street="后街")  # nearer to 人民路, but its plate says 后街
    found = assign(two, buildings(corner, house(300)), NONE, NONE, TOWN)
    assert list(found.text) == ["后街22号", "人民路1号"]
    assert list(found.kept) == [True, False]


def test_a_number_on_a_street_that_is_not_there_is_listed_not_moved():
    found = assign(ROAD, buildings(house(350, housenumber="8号", street="米行巷"), house(300)), NONE, NONE, TOWN)
    assert list(found.text) == ["米行巷8号", "人民路1号"]
    assert [(b.item, b.kind, b.reason, b.value) for b in found.breaks] == [
        (0, "有号无址", "street_unknown", "米行巷")
    ]


def test_two_buildings_claiming_one_number_are_both_listed():
    found = assign(
        ROAD, buildings(house(350, housenumber="5"), house(300, housenumber="5"), house(250)), NONE, NONE, TOWN
    )
    assert list(found.text) == ["人民路5号", "人民路5号", "人民路7号"]
    assert {b.item for b in found.breaks if b.kind == "一号多址"} == {0, 1}


def test_one_street_name_in_two_places_names_the_community():
    far = streets(("新街", [(0, 0), (200, 0)]), ("新街", [(5000, 0), (5200, 0)]))
    two = areas((box(-100, -100, 300, 100), "东社区"), (box(4900, -100, 5300, 100), "西社区"))
    found = assign(far, buildings(house(50), house(5050)), NONE, NONE, two)
    assert list(found.text) == ["东社区新街1号", "西社区新街1号"]


def test_western_addresses():
    road = streets(("Eerikinkatu", [(0, 0), (400, 0)]))
    rows = buildings(house(350, housenumber="1"), house(330), house(300, housenumber="3"), (box(0, 900, 20, 920), {}))
    found = assign(road, rows, NONE, NONE, areas((box(-2000, -2000, 2000, 2000), "Kamppi")))
    assert list(found.text) == ["Eerikinkatu 1", "Eerikinkatu 1A", "Eerikinkatu 3", "Building 1, Kamppi"]


def test_markup_and_nonsense_in_names_stay_text():
    evil = "<script>alert(1)</script>'; DROP TABLE address;--"
    found = assign(
        streets((evil, [(0, 0), (400, 0)])), buildings(house(50), house(90, housenumber="x" * 999)), NONE, NONE, NONE
    )
    assert found.text[0].startswith(evil)
    assert [b.reason for b in found.breaks] == ["unreadable"]


def test_a_second_run_issues_what_is_new_and_changes_nothing():
    compound = areas((box(50, 5, 200, 120), "和顺二期"))
    slabs = [(box(60, 20, 100, 32), {}), (box(120, 20, 160, 32), {})]
    rows = [house(350), house(340, -8, housenumber="4"), *slabs]
    first = assign(ROAD, buildings(*rows), compound, NONE, TOWN)
    new = [house(375), house(300), (box(60, 60, 100, 72), {})]
    later = buildings(*rows, *new)

    def longer(values, alone):
        kept = [v if (a or not alone) else "" for v, a in zip(values, first.compound < 0, strict=True)]
        return texts([*kept, *[""] * len(new)])

    road = [str(first.thoroughfares.name[t]) for t in first.thoroughfare]
    known = Known(
        longer(road, True), longer(first.number, True), longer(first.block, False), texts(["人民路"]),
        texts([first.number[2]]),
    )  # fmt: skip
    second = assign(ROAD, later, compound, NONE, TOWN, known=known)
    assert list(second.text[:4]) == list(first.text)
    assert len(set(second.text)) == len(second.text)
    assert second.text[6] == "和顺二期3栋"


def test_rows_in_another_order_give_the_same_addresses():
    rng = np.random.default_rng(5)
    rows = [
        house(float(x), float(y)) for x, y in zip(rng.integers(0, 390, 40), rng.choice([8, -8, 300], 40), strict=True)
    ]
    one = buildings(*rows)
    order = rng.permutation(40)
    first = assign(ROAD, one, NONE, NONE, TOWN)
    other = assign(ROAD, one.take(order), NONE, NONE, TOWN)
    assert list(other.text) == list(first.text[order])


@pytest.mark.parametrize(
    "shape", [shapely.Point(350, 9), box(350, 8, 350.1, 8.1), shapely.MultiPolygon([box(1, 8, 9, 19)])]
)
def test_points_specks_and_multipolygons(shape):
    found = assign(ROAD, buildings((shape, {"housenumber": "3"})), NONE, NONE, TOWN)
    assert list(found.text) == ["人民路3号"]


def test_full_text_from_large_to_small():
    parts = Parts("黄泥岭社区", "", "枫林路", "12", "", "", "", "")
    text = compose.road_text(parts, "zh")
    assert compose.full_text(["湖南省", "长沙市", "岳麓区", "西湖街道"], "黄泥岭社区", text, "zh") == (
        "湖南省长沙市岳麓区西湖街道黄泥岭社区枫林路12号"
    )
    assert (
        compose.full_text(["Uusimaa", "Helsinki"], "", "Eerikinkatu 12", "western")
        == "Eerikinkatu 12, Helsinki, Uusimaa"
    )
    inside = replace(parts, compound="远大麓园", building="5", unit="2", room="301")
    assert compose.place_text(inside, "zh") == "远大麓园5栋2单元301室"
    assert compose.road_text(inside, "zh") == "枫林路12号远大麓园5栋2单元301室"


def test_style_follows_the_street_names():
    assert compose.style_of(["人民路", "建设路", "Main Street"]) == "zh"
    assert compose.style_of(["Main Street"]) == "western"
    assert {"garage", "shed"} <= module.OUTBUILDINGS


def test_the_village_is_said_once_whether_the_group_names_it_or_not():
    from gis.addressing.compose import Parts, place_text

    for group in ("三组", "鹿角村三组"):
        assert place_text(Parts(community="鹿角村", group=group, building="7"), "zh") == "鹿角村三组7号"
