"""Every part of a numbering ruleset on streets that can be checked on paper, and rulesets as files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from shapely import box

from data import numbering as shipped
from gis.addressing import homes
from gis.addressing.assign import assign
from gis.addressing.compose import Patterns
from gis.addressing.rules import Rule, parse, words
from gis.errors import InputError
from tests.gis.drawn_streets import NONE, areas, buildings, doors, house, streets

ROAD = streets(("人民路", [(0, 0), (400, 0)]))  # from west to east
#: From the west: a house at 100 and one at 300 north of the road, one at 200 south of it.
THREE = buildings(house(100), house(300), house(200, -8))


def numbers(rule, rows=THREE, road=ROAD, **more):
    return list(assign(road, rows, NONE, NONE, NONE, rule=rule, **more).number)


def test_cardinal_start_and_sides():
    assert numbers(Rule()) == ["3", "1", "2"], "from the east: the north is on the right, odd"
    assert numbers(Rule(start="west_north")) == ["2", "4", "1"], "from the west: the south is on the right"
    assert numbers(Rule(odd_right=False)) == ["4", "2", "1"]


def test_sides_by_the_compass_do_not_turn_with_the_direction():
    rule = Rule(odd="compass", odd_across="north")
    assert numbers(rule) == ["3", "1", "2"]
    assert numbers(replace(rule, start="west_north")) == ["1", "3", "2"]
    assert numbers(replace(rule, odd_across="south")) == ["4", "2", "1"]
    south = streets(("建设路", [(0, 0), (0, 400)]))
    rows = buildings((box(8, 100, 20, 110), {}), (box(-20, 300, -8, 310), {}))
    assert numbers(Rule(odd="compass", odd_along="west"), rows, south) == ["2", "1"]
    assert numbers(Rule(odd="compass", odd_along="east"), rows, south) == ["1", "2"]


def test_from_the_centre_outward():
    rule = Rule(begin="centre", odd="compass")
    assert numbers(rule, centre=(-50.0, 0.0)) == ["1", "3", "2"]
    assert numbers(rule, centre=(900.0, 0.0)) == ["3", "1", "2"]


def test_from_the_junction_with_a_named_street():
    town = streets(("人民路", [(0, 0), (400, 0)]), ("解放路", [(0, -200), (0, 200)]))
    rule = Rule(begin="junction", junctions=("中山路", "解放路"), odd="compass")
    assert numbers(rule, road=town) == ["1", "3", "2"], "中山路 does not meet it, 解放路 does, in the west"
    found = assign(town, THREE, NONE, NONE, NONE, rule=rule)
    begun = dict(zip(found.thoroughfares.name, found.thoroughfares.begun, strict=True))
    assert begun == {"人民路": "junction", "解放路": "cardinal"}


def test_a_junction_in_the_middle_is_said():
    town = streets(("人民路", [(0, 0), (400, 0)]), ("解放路", [(150, -200), (150, 200)]))
    found = assign(town, THREE, NONE, NONE, NONE, rule=Rule(begin="junction", junctions=("解放路",)))
    assert found.thoroughfares.begun[0] == "junction_inside"


def test_a_dead_end_counts_from_its_entrance_right_odd():
    # the lane leaves the road at its west end and ends in the east: cardinal order would start in the east
    town = streets(("大街", [(0, -100), (0, 100)]), ("死胡同", [(0, 0), (120, 0)]))
    rows = buildings(house(20, -8), house(60, -8), house(60))
    rule = Rule(dead_end="entrance", dead_end_odd="right")
    assert numbers(rule, rows, town) == ["1", "3", "2"], "going in, the south is on the right"
    assert numbers(Rule(), rows, town) == ["4", "2", "1"]
    through = streets(("大街", [(0, -100), (0, 100)]), ("巷", [(0, 0), (120, 0)]), ("后街", [(120, -90), (120, 90)]))
    assert "entrance" not in assign(through, rows, NONE, NONE, NONE, rule=rule).thoroughfares.begun


def test_numbers_left_for_empty_frontage():
    rows = buildings(house(380), house(365), house(300), house(290))
    rule = Rule(mode="gaps", frontage_m=20.0)
    # metres from the east end to the middles: 15, 30, 95, 105; 65 m of empty frontage leave three numbers
    assert numbers(rule, rows) == ["1", "3", "11", "13"]
    assert numbers(Rule(mode="gaps", reserve=2), rows) == ["1", "7", "13", "19"]
    assert numbers(Rule(), rows) == ["1", "3", "5", "7"]


def test_metric_numbers_are_metres():
    rows = buildings(house(380), house(300), house(315, -8), house(301))
    assert numbers(Rule(mode="metric"), rows) == ["15", "95", "80", "93"], "middles 15, 95 and 94 m north, 80 m south"
    assert numbers(Rule(mode="metric", unit_m=10.0), rows) == ["1", "11", "8", "9"]


def test_skipped_numbers_and_the_first_one():
    rows = buildings(*(house(x, -8) for x in (350, 300, 250)))
    assert numbers(Rule(skip=frozenset({4})), rows) == ["2", "6", "8"]
    assert numbers(Rule(), rows) == ["2", "4", "6"]
    assert numbers(Rule(first=101), rows) == ["102", "104", "106"]


def test_one_sided_streets():
    rows = buildings(*(house(x) for x in (350, 300, 250)))
    assert numbers(Rule(), rows) == ["1", "3", "5"]
    assert numbers(Rule(one_sided="consecutive"), rows) == ["1", "2", "3"]
    old = buildings(house(350, housenumber="1"), house(300, housenumber="2"), house(250))
    assert numbers(Rule(one_sided="consecutive"), old) == ["1", "2", "3"]
    assert not assign(ROAD, old, NONE, NONE, NONE, rule=Rule(one_sided="consecutive")).breaks
    assert numbers(Rule(one_sided="consecutive")) == ["3", "1", "2"], "two sides: odd and even"


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ("attached", ["12附1", "12附2"]),
        ("dash", ["12-1", "12-2"]),
        ("letter", ["12A", "12B"]),
        ("stem", ["12甲", "12乙"]),
    ],
)
def test_infill_forms(form, wanted):
    rows = buildings(
        house(380, -8, housenumber="12"), house(350, -8), house(330, -8), house(300, -8, housenumber="14")
    )
    found = assign(ROAD, rows, NONE, NONE, NONE, rule=Rule(infill=form), style="zh")
    assert list(found.number) == ["12", *wanted, "14"]
    again = assign(
        ROAD, replace(rows, housenumber=found.number), NONE, NONE, NONE, rule=Rule(infill=form), style="zh"
    )
    assert list(again.number) == list(found.number)
    assert not again.breaks


def test_no_number_is_issued_beyond_the_largest():
    rows = buildings(house(380, housenumber="9997"), house(350), house(300))
    found = assign(ROAD, rows, NONE, NONE, NONE)
    assert list(found.number) == ["9997", "9999", ""]
    assert [(b.item, b.kind, b.reason) for b in found.breaks if b.reason != "no_street"] == [
        (2, "有址无号", "beyond_largest")
    ]


COMPOUND = areas((box(50, 5, 250, 150), "和顺二期"))
SLABS = [
    (box(60, 20, 100, 32), {}),
    (box(160, 20, 200, 32), {}),
    (box(60, 90, 100, 102), {}),
    (box(160, 90, 200, 102), {}),
]


def test_serpentine_or_rows_from_any_corner():
    def blocks(**rule):
        return list(assign(ROAD, buildings(*SLABS), COMPOUND, NONE, NONE, rule=Rule(**rule)).block)

    # slabs: 0 south-west, 1 south-east, 2 north-west, 3 north-east
    assert blocks() == ["3", "4", "2", "1"]
    assert blocks(serpentine=False) == ["4", "3", "2", "1"]
    assert blocks(corner="south_west") == ["1", "2", "4", "3"]


def test_patterns_of_buildings_units_and_rooms():
    patterns = Patterns(building="{building}号楼", unit="{unit}座", room="{number}", number="{floor:02}{room:02}")
    found = assign(ROAD, buildings(*SLABS), COMPOUND, NONE, NONE, rule=Rule(patterns=patterns))
    assert found.text[3] == "和顺二期1号楼"
    rows = homes.homes(
        np.array(["和顺二期1号楼"], dtype=object), np.array([2.0]), np.array([2.0]), np.array([4.0]), "zh",
        replace(patterns, unit_letters=True),
    )  # fmt: skip
    assert list(rows.text[:2]) == ["和顺二期1号楼A座", "和顺二期1号楼B座"]
    assert list(rows.text[2:]) == [f"和顺二期1号楼{u}座{f}01" for u in "AB" for f in ("01", "02")]


def test_floors_a_place_skips():
    rows = homes.homes(
        np.array(["x"], dtype=object),
        np.array([1.0]),
        np.array([5.0]),
        np.array([5.0]),
        "zh",
        Patterns(skip_floors=(4,)),
    )
    assert list(rows.room) == ["101", "201", "301", "501", "601"]


def test_gates_of_a_compound_and_doors_of_a_corner_house():
    town = streets(("人民路", [(0, 0), (400, 0)]), ("西街", [(0, 0), (0, 300)]))
    corner = (box(28, 8, 48, 40), {})
    rows = buildings(house(350), *SLABS, corner)
    gates = doors(
        (240, 5, {"compound": 0, "name": "南门"}), (50, 100, {"compound": 0, "name": "西门"}),
        (35, 8, {"building": 5}), (28, 30, {"building": 5}), (80, 20, {"building": 1, "name": "1单元"}),
    )  # fmt: skip
    found = assign(town, rows, COMPOUND, NONE, NONE, doors=gates)
    assert found.other[1].startswith("人民路3号和顺二期")
    assert list(found.text[[0, 5]]) == ["人民路1号", "人民路5号"]
    said = dict(zip(found.doors.door.tolist(), found.doors.text, strict=True))
    assert set(said) == {1, 3}, "main doors stand for their building, a unit's door has no number"
    assert said[3] == "西街4号"
    assert said[1] == "西街2号和顺二期西门"


def test_a_main_door_shows_the_street_it_opens_on():
    town = streets(("人民路", [(0, 0), (400, 0)]), ("西街", [(0, 0), (0, 300)]))
    corner = buildings((box(20, 8, 40, 60), {}))
    assert assign(town, corner, NONE, NONE, NONE).text[0].startswith("人民路")
    by_door = assign(town, corner, NONE, NONE, NONE, doors=doors((20, 45, {"building": 0})))
    assert by_door.text[0].startswith("西街")
    point = assign(town, corner, NONE, NONE, NONE, doors=doors((30, 45, {"building": 0, "housenumber": "6"})))
    assert point.text[0] == "人民路6号", "an address point in the middle opens on no street"


def test_attached_doors_and_none():
    rows = buildings(house(350), house(200), house(100))
    two = doors((355, 8, {"building": 0}), (205, 8, {"building": 1}), (209, 8, {"building": 1}))
    own = assign(ROAD, rows, NONE, NONE, NONE, doors=two)
    assert list(own.doors.number) == ["3"]
    assert list(own.number) == ["1", "5", "7"]
    below = assign(ROAD, rows, NONE, NONE, NONE, doors=two, rule=Rule(doors="attached"))
    assert (list(below.number), list(below.doors.number)) == (["1", "3", "5"], ["3附1"])
    none = assign(ROAD, rows, NONE, NONE, NONE, doors=two, rule=Rule(doors="none"))
    assert (list(none.number), len(none.doors.door)) == (["1", "3", "5"], 0)


def test_numbers_that_gates_carry_are_kept():
    gates = doors((240, 5, {"compound": 0, "street": "人民路", "housenumber": "8号"}))
    found = assign(ROAD, buildings(*SLABS), COMPOUND, NONE, NONE, doors=gates)
    assert set(found.number) == {"8"}
    assert found.kept.all()


@pytest.mark.parametrize("name", shipped.names())
def test_shipped_rulesets_say_their_sources_and_number_a_street(name):
    rule = shipped.load(name)
    assert rule.name == name
    assert rule.sources
    assert rule.verified or rule.unverified, "what was not checked is named"
    found = numbers(rule)
    assert len(set(found)) == 3
    assert int(found[0]) % 2 == int(found[1]) % 2 != int(found[2]) % 2


def test_every_word_is_explained():
    said = (Path(__file__).parents[2] / "docs" / "numbering.md").read_text("utf-8")
    assert [w for w in words() if f"`{w}`" not in said] == []


def test_a_ruleset_of_ones_own(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('[ruleset]\nname = "mine"\ntitle = ""\nverified = true\n[numbers]\nskip = [4, 14]\n', "utf-8")
    assert shipped.load(str(file)).skip == {4, 14}
    with pytest.raises(InputError, match="ruleset_not_found"):
        shipped.load("nowhere")


BAD = {
    "[start]\nbegin = 'moon'": "start.begin", "[start]\nbegin = 'junction'": "start.junctions",
    "[start]\ncentre = '112.9 28.2'": "start.centre", "[start]\ncentre = 'wgs84 28.2 112.9'": "start.centre",
    "[numbers]\nskip = ['4']": "numbers.skip", "[numbers]\nfirst = 0": "numbers.first",
    "[numbers]\nlargest = 100000": "numbers.largest", "[numbers]\nmode = 'gaps'": "numbers.frontage_m",
    "[numbers]\nmode = 'metric'\nunit_m = 0": "numbers.unit_m", "[homes]\nnumber = '{floor}{room}'": "homes.number",
    "[homes]\nnumber = '{floor.x}'": "homes.number", "[homes]\nroom = '{room}'": "homes.room",
    "[compounds]\nbuilding = '栋'": "compounds.building", "[colour]\nx = 1": "colour",
}  # fmt: skip


@pytest.mark.parametrize(("words_", "field"), BAD.items())
def test_a_wrong_word_is_named(words_, field):
    text = f'[ruleset]\nname = "x"\ntitle = ""\nverified = false\n{words_}\n'
    with pytest.raises(InputError) as caught:
        parse(text.encode())
    assert caught.value.values["field"] == field


@pytest.mark.parametrize("data", [b"\xff\xfe", b"[ruleset", b"", b"x" * 1000])
def test_what_is_no_ruleset_is_refused(data):
    with pytest.raises(InputError):
        parse(data)


def test_a_street_whose_numbers_run_the_other_way_says_so():
    old = [house(100, housenumber="1"), house(200, housenumber="3"), house(150, -8, housenumber="2")]
    rows = buildings(old[0], old[1], house(300), old[2])
    found = assign(ROAD, rows, NONE, NONE, NONE)
    assert list(found.number) == ["1", "3", "5", "2"]
    assert found.turned.tolist() == [True]
    assert found.odd_right.tolist() == [True], "the line runs from the east: the north is on its right"
    assert not assign(ROAD, THREE, NONE, NONE, NONE).turned.any()
