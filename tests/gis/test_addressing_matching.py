"""Texts to addresses: two hundred hard ones, what may never be exact, corners and stretches, points."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.hard_addresses import CASES, library
from gis.addressing.compose import Parts
from gis.addressing.matching.junctions import Streets
from gis.addressing.matching.library import Library, OtherName, entries_of
from gis.addressing.matching.matcher import Matcher
from gis.addressing.matching.reverse import Reverse


@pytest.fixture(scope="module")
def matcher():
    return Matcher(library())


def told(matcher, text):
    found = matcher.match(text)
    return found, tuple(str(matcher.library.entries.text[r]) for r in found.rows)


@pytest.mark.parametrize(("text", "right"), CASES, ids=range(len(CASES)))
def test_nothing_is_silently_wrong(matcher, text, right):
    found, texts = told(matcher, text)
    if found.status == "exact":
        assert texts == ((right,) if isinstance(right, str) else right)
    else:
        assert found.reasons
        assert found.rows == ()


def test_most_hard_addresses_are_right(matcher):
    right = 0
    for text, wanted in CASES:
        found, texts = told(matcher, text)
        right += (
            found.status != "exact" if wanted == "" else texts == ((wanted,) if isinstance(wanted, str) else wanted)
        )
    assert right / len(CASES) >= 0.97


@pytest.mark.parametrize(
    ("text", "reason", "candidate"),
    [
        ("枫林一路12-4号", "number_unknown", "枫林一路12号"),
        ("麓谷街道枫林一路12号", "division_differs", "枫林一路12号"),
        ("和顺路6号和顺二期64栋", "number_differs", "和顺路8号和顺二期64栋"),
        ("枫林一路12号对面", "beside", "枫林一路12号"),
        ("新枫林一路12号", "name_goes_on", "枫林一路12号"),
        ("北京市西城区枫林一路12号", "outside", "枫林一路12号"),
        ("黄泥岭小区3栋101", "several", "荣湾路7号黄泥岭小区3栋1单元101室"),
        ("黄泥岭小区7栋6单元777", "no_such_room", "荣湾路7号黄泥岭小区7栋"),
        ("朝阳路1号", "several", "朝阳路1号"),
    ],
)
def test_not_sure_says_why_and_names_candidates(matcher, text, reason, candidate):
    found, _ = told(matcher, text)
    assert found.status == "unsure"
    assert reason in found.reasons
    assert str(matcher.library.entries.text[found.candidates[0]]) == candidate
    assert 0 < found.score < 0.7


def test_a_name_one_character_away_is_a_candidate_only(matcher):
    from data.addressing import model_file
    from gis.addressing.parsing.model import Parser

    own = Matcher(matcher.library, Parser(model_file.shipped()))
    found, _ = told(own, "枫林三路12号")
    assert found.status == "unsure"
    assert found.reasons == ("name_like",)
    assert str(own.library.entries.text[found.candidates[0]]) == "枫林一路12号"


def test_labelled_parts_are_looked_up(matcher):
    found = matcher.find(
        Parts(road="荣湾路", number="7号", compound="黄泥岭小区", building="7栋", unit="六单元", room="1046室")
    )
    assert [str(matcher.library.entries.text[r]) for r in found.rows] == ["荣湾路7号黄泥岭小区7栋6单元1046室"]
    assert matcher.find(Parts(road="荣湾路", number="11")).status == "none"
    assert matcher.find(Parts(road="朝阳路", number="1")).status == "unsure"
    assert matcher.find(Parts(road="朝阳路", number="1", community="逸和社区")).status == "exact"
    assert matcher.find(Parts()).status == "none"


def test_an_ended_address_is_not_exact():
    rows = [{"road": "人民路", "number": "12", "ended": True}, {"road": "人民路", "number": "14"}]
    own = Matcher(Library(entries_of(rows)))
    assert own.match("人民路14号").status == "exact"
    found = own.match("人民路12号")
    assert (found.status, found.reasons) == ("unsure", ("ended",))


def test_an_empty_library_answers():
    own = Matcher(Library(entries_of([])))
    assert own.match("人民路12号").status == "none"


def test_western_addresses():
    rows = [{"road": "Mannerheimintie", "number": n, "text": f"Mannerheimintie {n}"} for n in ("12", "12A", "14")]
    own = Matcher(Library(entries_of(rows), [OtherName("road", "Mannerheimintie", "Mansku")]))
    for text, row in (("Mannerheimintie 12", 0), ("mannerheimintie 12a", 1), ("Mansku 14", 2)):
        assert own.match(text).rows == (row,)
    assert own.match("Mannerheimintiekuja 12").status == "none"


ALPHABET = "枫林一路荣湾黄泥岭小区和顺二期人民新村12345678 -号栋单元室附"


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(alphabet=ALPHABET, max_size=20), st.text(max_size=40)))
def test_no_text_breaks_it_and_exact_means_every_part_is_there(matcher, text):
    found, texts = told(matcher, text)
    assert (found.status == "exact") == bool(texts)
    digits = "".join(c for c in text if c.isascii() and c.isdigit())
    if found.status == "exact" and len(texts) == 1 and text.isprintable() and digits:
        there = "".join(c for c in texts[0] if c.isdigit())
        assert all(
            digits.count(d) <= there.count(d) + texts[0].count("一") + texts[0].count("二") + 9 for d in digits
        )


def lines(**named):
    names = np.array(list(named), dtype=object)
    return names, np.array([shapely.LineString(c) for c in named.values()], dtype=object)


@pytest.fixture(scope="module")
def streets():
    name, line = lines(
        人民路=[(0, 0), (1000, 0)], 建设路=[(300, -200), (300, 200)], 解放路=[(800, -200), (800, 200)],
        环城路=[(0, 500), (1000, 500)], 湄水桥=[(500, -50), (500, 50)],
    )  # fmt: skip
    return Streets(name, line, np.array(["文化广场"], dtype=object), np.array([shapely.Point(650, 40)], dtype=object))


@pytest.mark.parametrize(
    "text",
    [
        "人民路与建设路交界",
        "建设路和人民路交叉口",
        "人民路、建设路路口",
        "湖南省人民路与建设路交汇处东南角",
        "人民路/建设路口",
        "人民路/建设路",
        "人民路建设路口",
        "人民路交建设路",
    ],
)
def test_corners(streets, text):
    found = streets.place(text)
    assert found.kind == "corner"
    assert found.reason == ""
    assert found.geometry.distance(shapely.Point(300, 0)) < 0.01


@pytest.mark.parametrize(
    "text",
    [
        "人民路 湄水桥至文化广场段",
        "人民路湄水桥至文化广场路段",
        "人民路(湄水桥—文化广场)",
        "人民路从湄水桥到文化广场",
        "人民路湄水桥与文化广场之间",
    ],
)
def test_stretches(streets, text):
    found = streets.place(text)
    assert found.kind == "stretch"
    assert found.reason == ""
    assert found.geometry.length == pytest.approx(150)
    assert found.geometry.coords[0] == pytest.approx((500, 0))


@pytest.mark.parametrize(
    "text",
    ["人民路建设路至解放路段", "人民路建设路口至解放路口", "人民路自西向东建设路至解放路", "人民路(建设路—解放路)"],
)
def test_stretches_between_streets(streets, text):
    found = streets.place(text)
    assert (found.kind, found.reason) == ("stretch", "")
    assert found.geometry.length == pytest.approx(500)


def test_sections_may_be_written_in_digits():
    name, line = lines(潇湘南路一段=[(0, -300), (0, 300)], 人民路=[(-100, 0), (100, 0)])
    none = np.array([], dtype=object)
    assert Streets(name, line, none, none).place("潇湘南路1段与人民路交叉口").reason == ""


def test_places_that_are_not_there(streets):
    assert streets.place("人民路与环城路交叉口").reason == "streets_apart"
    assert streets.place("人民路12号") is None
    assert streets.place("") is None
    assert streets.place("人民路与未知路交叉口") is None
    assert streets.place("人民路湄水桥至无名广场段").reason == "end_unknown"


def test_streets_that_meet_twice_are_not_sure():
    name, line = lines(人民路=[(0, 0), (1000, 0)], 半环路=[(200, -50), (200, 300), (800, 300), (800, -50)])
    found = Streets(name, line, np.array([], dtype=object), np.array([], dtype=object)).place("人民路与半环路交叉口")
    assert found.reason == "several_corners"
    assert len(found.geometry.geoms) == 2


def test_points_find_the_street_they_lie_on_first():
    name, line = lines(人民路=[(0, 0), (1000, 0)], 建设路=[(0, 60), (1000, 60)])
    x, y = np.array([100.0, 130.0, 110.0]), np.array([-20.0, -20.0, 40.0])
    road = np.array(["人民路", "人民路", "建设路"], dtype=object)
    index = Reverse(np.arange(3), x, y, road, name, line)
    found = index.near(112.0, 8.0)
    assert found.street == "人民路"
    assert found.rows == (0, 1, 2), "the nearest house of the right street comes before a nearer one of another"
    assert index.near(112.0, 30.0, count=1).rows == (2,), "within twelve metres of a door it is that door"
    assert index.near(5000.0, 0.0).rows == ()
    inside = index.changed(np.array([7]), np.array([340.0]), np.array([40.0]), np.array([""], dtype=object), ())
    assert inside.near(330.0, 20.0).rows[:2] == (7, 1), "a house inside a compound, not the street's 200 m away"
