"""Rulesets: every word checked, every fault named by its field."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data import rulesets
from gis.districting.rulesets import Bounds, parse, words
from gis.errors import InputError
from gis.territory.classes import CLASS_INDEX

GOOD = """
[ruleset]
name = "small"
title = "试"
verified = false
[residential]
count = "all"
minimum = 3
maximum = 6
[prices]
cell = 4
residential = 1.0
secondary = 0.5
primary = 0.25
water = 0.25
rail = 0.25
wall = 0.25
community = 0
[weights]
balance = 15
"""


def fault(text: str) -> InputError:
    with pytest.raises(InputError) as caught:
        parse(text.encode())
    return caught.value


def test_a_short_ruleset_is_filled_with_defaults():
    rules = parse(GOOD.encode())
    assert rules.residential == Bounds(3, 4, 6)
    assert rules.rural == rules.residential
    assert rules.strict
    assert not rules.verified
    prices = rules.class_prices()
    found = {k: float(prices[CLASS_INDEX[k]]) for k in ("none", "footway", "tertiary", "trunk_link", "community")}
    assert found == {"none": 4.0, "footway": 1.0, "tertiary": 0.5, "trunk_link": 0.25, "community": 0.0}


@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        ("balance = 15", "balanse = 15", "ruleset_missing", "weights.balance"),
        ("balance = 15", "balance = 15\nbeauty = 1", "ruleset_unknown_word", "weights.beauty"),
        ("[weights]", "[wishes]\na = 1\n[weights]", "ruleset_unknown_word", "wishes"),
        ("[ruleset]", "size = 3\n[ruleset]", "ruleset_unknown_word", "size"),
        ("minimum = 3", "minimum = 7", "ruleset_bounds", "residential.minimum"),
        ("minimum = 3", "minimum = -3", "ruleset_negative", "residential.minimum"),
        ("minimum = 3", "minimum = 3.5", "ruleset_type", "residential.minimum"),
        ("minimum = 3", "minimum = true", "ruleset_type", "residential.minimum"),
        ("minimum = 3", "minimum = 3\ntarget = 9", "ruleset_target", "residential.target"),
        ("cell = 4", "cell = -4", "ruleset_negative", "prices.cell"),
        ("cell = 4", "cell = nan", "ruleset_type", "prices.cell"),
        ("balance = 15", "balance = -1", "ruleset_negative", "weights.balance"),
        ('count = "all"', 'count = "some"', "ruleset_choice", "residential.count"),
        ("verified = false", 'verified = "no"', "ruleset_type", "ruleset.verified"),
        ("[weights]", '[codes]\ntemplate = "{community:3}"\n[weights]', "ruleset_template", "codes.template"),
        ("[weights]", '[names]\ngrid = "网格"\n[weights]', "ruleset_template", "names.grid"),
        ("[weights]", '[names]\ndedicated = "{place}"\n[weights]', "ruleset_template", "names.dedicated"),
        ("[weights]", '[codes]\ntemplate = "{object:6}{number:2}"\n[weights]', "ruleset_template", "codes.object"),
        (
            "[weights]",
            '[dedicated]\nallowed = true\n[codes]\ntemplate = "{division:12}{number:2}"\n[weights]',
            "ruleset_template",
            "codes.dedicated_from",
        ),
        ("[weights]", '[dedicated]\nkinds = ["school"]\n[weights]', "ruleset_contradiction", "dedicated.kinds"),
        (
            "[weights]",
            '[dedicated]\nallowed = true\nkinds = ["pub"]\n[weights]',
            "ruleset_choice",
            "dedicated.kinds",
        ),
        ("[weights]", "[micro]\nminimum = 10\n[weights]", "ruleset_missing", "micro.maximum"),
        ("[weights]", "[micro]\nminimum = 10\nmaximum = 9\n[weights]", "ruleset_bounds", "micro.minimum"),
        ("[weights]", "[micro]\nminimum = 1\nmaximum = 9\n[weights]", "ruleset_bounds", "micro.maximum"),
        ("[weights]", "[work]\nshops = -1\n[weights]", "ruleset_negative", "work.shops"),
        ("[weights]", '[work]\nshops = "two"\n[weights]', "ruleset_type", "work.shops"),
        ('count = "all"', 'count = "building_units"', "ruleset_missing", "building_units.households"),
        (
            "[weights]",
            "[population]\nminimum = 1\nmaximum = 9\n[weights]",
            "ruleset_missing",
            "population.per_household",
        ),
        (
            "verified = false",
            'verified = false\nunverified = ["colour"]',
            "ruleset_unknown_word",
            "ruleset.unverified: colour",
        ),
        ("[weights]", "[[figures]]\nwhat = 'a'\nnumbers = [7]\n[weights]", "ruleset_missing", "figures[1].gives"),
        (
            "[weights]",
            "[[figures]]\nwhat = 'a'\nnumbers = [7]\ngives = 7\nfor = 1\n[weights]",
            "ruleset_unknown_word",
            "figures[1].for",
        ),
        (
            "[weights]",
            "[[figures]]\nwhat = 'a'\nnumbers = [7, 2]\ndivided_by = 3\ngives = 4.6\n[weights]",
            "ruleset_figure",
            "figures[1]",
        ),
        ("[weights]", "[figures]\nwhat = 'a'\n[weights]", "ruleset_unknown_word", "figures"),
    ],
)
def test_each_fault_names_its_field(old, new, code, field):
    error = fault(GOOD.replace(old, new))
    assert (error.code, error.values["field"]) == (code, field)


def test_text_that_is_no_ruleset():
    assert fault("[ruleset").code == "ruleset_not_toml"
    with pytest.raises(InputError, match="ruleset_not_utf8"):
        parse("标题".encode("gbk"))


def test_other_bounds_are_checked_too():
    rules = parse(GOOD.encode())
    assert rules.with_bounds(maximum=9).residential == Bounds(3, 4, 9)
    assert rules.with_bounds(minimum=10, maximum=20).residential == Bounds(10, 15, 20)
    for wrong in ({"minimum": 7}, {"maximum": 0}, {"target": 2}, {"minimum": -1}):
        with pytest.raises(InputError):
            rules.with_bounds(**wrong)


@pytest.mark.parametrize("name", rulesets.names())
def test_every_shipped_ruleset_is_whole_and_names_itself(name):
    rules = rulesets.load(name)
    assert rules.name == name
    assert rules.sources
    assert np.isfinite(rules.class_prices()).all()


def test_check_figures_of_the_places():
    nanling = rulesets.load("nanling")
    assert nanling.residential.target == round(87_911 / 211)
    assert nanling.balance_on == "work"
    xiangjiang = rulesets.load("xiangjiang")
    assert (xiangjiang.count, xiangjiang.residential.minimum, xiangjiang.residential.maximum) == (
        "resident",
        300,
        500,
    )
    assert xiangjiang.rural_rule == "split_groups"
    assert not rulesets.load("renminxincun").strict
    assert not rulesets.load("gbt34300").verified


def figures(name: str) -> dict[str, list[float]]:
    """What a ruleset's figures of each measure give, as its file computes them."""
    found: dict[str, list[float]] = {}
    for f in rulesets.load(name).figures:
        found.setdefault(f.measure, []).append(f.gives)
    return found


def test_the_published_figures_of_every_place_are_in_its_file():
    # practices.md, computed here once more by hand
    assert figures("nanling")["households"] == [pytest.approx(87_911 / 211, abs=0.05)]
    assert figures("xihu")[""] == [1_012 * 10, 1_012 * 15] == [10_120, 15_180]
    assert figures("xihu")["micro_households"] == [10, 15]
    assert figures("lugu")["micro_grids"] == [pytest.approx(666 / 75, abs=0.05)]
    assert figures("longhui")["households"] == [30 * 30, pytest.approx(2_222 * 30 / 173, abs=0.5)] == [900, 385]
    assert figures("longhui")["building_units"] == [30, pytest.approx(2_222 / 173, abs=0.05)]
    people, buildings, km2 = (figures("renminxincun")[m][0] for m in ("people", "buildings", "km2"))
    assert (people, buildings, km2) == (15_000 / 5, 105 / 5, pytest.approx(0.56 / 5))
    assert 979 == 917 + 32 + 30


def test_building_units_are_bundles_of_households():
    rules = rulesets.load("longhui")
    assert (rules.count, rules.building_unit, rules.strict) == ("building_units", 30, False)
    assert rules.residential == Bounds(300, 630, 960)
    # both the rule (900) and what is there (385) lie within: neither is forced
    for figure in figures("longhui")["households"]:
        assert rules.residential.minimum <= figure <= rules.residential.maximum


def test_second_levels_and_dedicated_grids():
    assert rulesets.load("xihu").micro == Bounds(10, 12, 15)
    lugu = rulesets.load("lugu")
    assert lugu.micro is not None
    assert lugu.micro.minimum <= 400 / (666 / 75) <= lugu.micro.maximum
    assert {"enterprise", "school", "mall", "park", "campus"} <= set(lugu.dedicated_kinds)
    assert not rulesets.load("default").dedicated_kinds  # as before: only land where nobody lives at all


def test_every_word_is_explained():
    page = (Path(__file__).parents[2] / "docs" / "rulesets.md").read_text(encoding="utf-8")
    assert [word for word in words() if f"`{word}`" not in page] == []
    assert [name for name in rulesets.names() if f"`{name}`" not in page] == []


def test_a_ruleset_of_ones_own_by_its_path(tmp_path):
    (tmp_path / "own.toml").write_text(GOOD, encoding="utf-8")
    assert rulesets.load(str(tmp_path / "own.toml")).name == "small"
    with pytest.raises(InputError, match="ruleset_not_found"):
        rulesets.load("nowhere")
    with pytest.raises(InputError, match="ruleset_not_readable"):
        rulesets.load(str(tmp_path / "none.toml"))
