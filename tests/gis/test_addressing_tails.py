"""What stands behind a name, read on paper: doors with their suffixes, buildings, units, rooms, bare chains."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.addressing.matching.tails import Tail, arabic, between, door, label, readings


@pytest.mark.parametrize(
    ("text", "number"),
    [("十二", "12"), ("一百二十", "120"), ("二零三", "203"), ("两", "2"), ("012", "12"), ("a", "A"), ("零", "0"),
     ("一千零五", "1005")],
)  # fmt: skip
def test_numerals(text, number):
    assert arabic(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12号", "12"), ("12", "12"), ("12号附3号", "12附3"), ("12附3", "12附3"), ("12-3", "12-3"),
        ("12-3号", "12-3"),
        ("12号-3", "12-3"), ("12号之2", "12之2"), ("甲12号", "甲12"), ("12号甲", "12甲"), ("12A", "12A"),
        ("89-15", "89-15"),
        ("附3号", "附3"), ("12-16号", "12-16"), ("十二号", "12"),
    ],
)  # fmt: skip
def test_doors_keep_what_makes_them_another_door(text, number):
    assert door(text) == number


@pytest.mark.parametrize(
    ("text", "value"), [("3栋", "3"), ("A座", "A"), ("一单元", "1"), ("402室", "402"), ("3", "3"), ("B12", "B12")]
)
def test_labels(text, value):
    assert label(text) == value


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("12号3栋2单元402室", Tail("12", "3", "2", "", "402")),
        ("12号附3", Tail("12附3")),
        ("12-3", Tail("12-3")),
        ("12号3-2-402", Tail("12", "3", "2", "", "402")),
        ("12号院内", Tail("12", rest="内")),
        ("3栋", Tail(building="3")),
    ],
)
def test_behind_a_road(text, first):
    assert readings(text, road=True)[0] == first


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("7-6-1046", Tail("", "7", "6", "", "1046")),
        ("7栋6-1046", Tail("", "7", "6", "", "1046")),
        ("3幢402室", Tail("", "3", "", "", "402")),
        ("五号楼二单元三零一室", Tail("", "5", "2", "", "301")),
        ("A座1203", Tail("", "A", "", "", "1203")),
        ("64-85栋", Tail(building="64", last="85")),
        ("5栋4楼402室", Tail("", "5", "", "4", "402")),
        ("11栋门口", Tail("", "11", rest="门口")),
        ("", Tail()),
    ],
)
def test_behind_a_place(text, first):
    assert readings(text, road=False)[0] == first


def test_a_chain_that_bends_a_door_is_only_a_candidate():
    assert all(t.bent for t in readings("12-3", road=True)[1:])


def test_ranges():
    assert between("64", "67") == ["64", "65", "66", "67"]
    assert between("12", "16", parity=True) == ["12", "14", "16"]
    assert between("12", "15", parity=True) == ["12", "13", "14", "15"]


@given(st.text(alphabet="0123456789-一二十号栋单元室楼附之甲AB#_,门幢座层 至到", max_size=24), st.booleans())
def test_any_tail_is_read(text, road):
    found = readings(text, road=road)
    assert found
    assert len(set(found)) == len(found)
