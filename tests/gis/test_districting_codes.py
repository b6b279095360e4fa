"""Codes and names: templates, order, ranges, numbers that never come back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from data import rulesets
from gis.districting.codes import (
    code_form,
    code_of,
    community_codes,
    grid_code,
    name_form,
    name_of,
    next_numbers,
    ordinal,
    reading_order,
)

C12 = "430104007006"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "一"), (5, "五"), (10, "十"), (11, "十一"), (20, "二十"), (35, "三十五"), (100, "一百"),
        (101, "一百零一"), (110, "一百一十"), (112, "一百一十二"), (901, "九百零一"), (1000, "一千"),
        (1010, "一千零一十"), (1001, "一千零一"), (2222, "二千二百二十二"),
    ],
)  # fmt: skip
def test_ordinals(number, words):
    assert ordinal(number) == words


@pytest.mark.parametrize(
    ("name", "code", "digits"),
    [
        ("default", "430104007006005", 15),  # 6 + 3 + 3 + 3
        ("gbt34300", "430104007006005", 15),  # 12 + 3
        ("renminxincun", "43010400700605", 14),  # 12 + 2
        ("cjt349", "00000043010400700605", 20),  # CJ/T 349: 6 + 6 + 3 + 3 + 2
    ],
)
def test_templates(name, code, digits):
    rules = rulesets.load(name)
    assert grid_code(rules, C12, 5, 9) == code
    assert len(code) == digits


def test_a_number_too_long_for_the_template_widens_it_for_the_whole_community():
    rules = rulesets.load("renminxincun")
    assert grid_code(rules, C12, 5, 120) == C12 + "005"


def test_numbers_run_from_west_to_east_and_from_north_to_south():
    x = np.array([250.0, 50.0, 150.0, 50.0, 150.0])
    y = np.array([50.0, 48.0, 150.0, 150.0, 45.0])
    assert reading_order(x, y, 100.0).tolist() == [3, 2, 1, 4, 0]


def test_a_joined_community_is_numbered_from_601():
    codes = ["430104007001;430104007002", "430104007003", "", "430104007004、430104007005"]
    assert community_codes(codes) == ["430104007601", "430104007003", "000000000001", "430104007602"]
    boxes = np.array(
        [shapely.box(5, 0, 6, 1), shapely.box(1, 0, 2, 1), shapely.box(2, 0, 3, 1), shapely.box(0, 0, 1, 1)]
    )
    assert community_codes(codes, boxes)[0] == "430104007602"  # the eastern one comes second


def test_a_community_of_one_grid_ends_in_00_where_the_rules_say_so():
    rules = rulesets.load("cjt349")
    assert rules.undivided_zero
    assert code_of(code_form(rules, C12), 0).endswith("00600")


def test_dedicated_grids_are_named_after_their_place():
    rules = rulesets.load("lugu")
    assert name_of(name_form(rules, site="第一中学"), 901) == "第一中学专属网格"
    assert name_of(name_form(rules, site=""), 902) == "第九百零二网格"
    assert name_of(name_form(replace(rules, dedicated_name=""), site="第一中学"), 901) == "第九百零一网格"


def test_new_numbers_are_appended_within_their_range():
    issued = [("f", False, 1), ("f", False, 2), ("f", True, 901), ("g", False, 7)]
    wanted = [("f", False, 1), ("f", True, 901), ("f", False, 2), ("g", False, 1), ("h", False, 1), ("h", False, 2)]
    assert next_numbers(issued, wanted) == [3, 902, 4, 8, 1, 2]


kinds = st.tuples(st.sampled_from("ab"), st.booleans(), st.integers(1, 30))


@given(st.lists(st.lists(kinds, max_size=6), max_size=5))
def test_a_number_never_comes_back(rounds):
    issued: list[tuple[str, bool, int]] = []
    for wanted in rounds:
        found = next_numbers(issued, wanted)
        fresh = {(form, n) for (form, _, _), n in zip(wanted, found, strict=True)}
        assert len(fresh) == len(wanted)
        assert not fresh & {(form, n) for form, _, n in issued}
        issued += [(form, dedicated, n) for (form, dedicated, _), n in zip(wanted, found, strict=True)]
