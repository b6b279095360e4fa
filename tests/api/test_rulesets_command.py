"""``rulesets list | show | check``, and files of one's own."""

from __future__ import annotations

from importlib.resources import files

import pytest
from click.testing import CliRunner

from api.cli.main import cli
from api.services.plans.rules import rule_notes
from data import rulesets
from gis.districting.placefigures import beside

ZH = {"WANGGE_LANG": "zh-CN"}


def run(*arguments, env=ZH):
    return CliRunner().invoke(cli, ["rulesets", *map(str, arguments)], env=env)


def test_all_are_listed_and_the_unverified_marked():
    lines = run("list").output.splitlines()
    assert [line.split()[0] for line in lines] == list(rulesets.names())
    assert [line.split()[0] for line in lines if "[未核对]" in line] == ["cjt349", "gbt34300", "renminxincun"]


@pytest.mark.parametrize("name", rulesets.names())
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_ruleset_can_be_shown(name, language):
    done = run("show", name, env={"WANGGE_LANG": language})
    assert done.exit_code == 0
    assert "rules." not in done.output
    assert "?" not in done.output
    assert len(done.output.splitlines()) >= 3


def test_rule_and_practice_stand_side_by_side():
    said = run("show", "longhui").output
    assert "30 × 30 = 900" in said
    assert "2222 × 30 / 173 = 385" in said
    both = beside(rulesets.load("longhui").figures, {"households": 640.0, "building_units": 21.3})
    assert [(f["role"], f["figure"], f["plan"]) for f in both if f["measure"] == "households"] == [
        ("rule", 900, 640.0),
        ("practice", 385, 640.0),
    ]


@pytest.mark.parametrize("name", rulesets.names())
def test_figures_are_named_in_the_language_of_the_run(name):
    figures = rulesets.load(name).figures
    assert all(f.title_en.isascii() or "²" in f.title_en for f in figures)
    said = run("show", name, env={"WANGGE_LANG": "en"}).output
    assert all(f.title_en in said and f.what not in said for f in figures)
    assert all(f.what in run("show", name).output for f in figures)


def test_a_figure_without_an_english_name_keeps_its_own():
    report = {"figures": beside(rulesets.load("longhui").figures, {"households": 640.0}), "communities": []}
    assert "Households a grid (rule" in rule_notes(report, "en")[0]
    assert "每网格户数（规则" in rule_notes(report, "zh-CN")[0]
    report["figures"][0]["title_en"] = ""
    assert "每网格户数（规则" in rule_notes(report, "en")[0]


def test_one_s_own_file_is_checked_in_one_line(tmp_path):
    own = tmp_path / "own.toml"
    text = files("data.rulesets")
    whole = (text / "default.toml").read_text(encoding="utf-8")
    own.write_text(whole, encoding="utf-8")
    assert run("check", own).exit_code == 0
    own.write_text(whole.replace("cell = 4.0", "cell = -4.0"), encoding="utf-8")
    done = run("check", own)
    assert done.exit_code == 2
    assert len(done.output.splitlines()) == 1
    assert "prices.cell" in done.output
