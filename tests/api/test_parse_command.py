"""``./wangge parse`` and ``train-parser`` as people type them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.cli.parse import parse, train_parser
from api.messages import catalogue
from benchmarks.hard_addresses import CASES, library
from gis.addressing.matching.matcher import Matcher
from gis.errors import InputError

ROOT = Path(__file__).parents[2]


def run(*arguments: str):
    return CliRunner().invoke(parse, list(arguments), catch_exceptions=False)


def test_parts_need_no_database() -> None:
    done = run("--parts-only", "--json", "阳光花园7-6-1046")
    parts = json.loads(done.output)["parts"]
    assert [(p["kind"], p["text"]) for p in parts if p["kind"] != "redundant"] == [
        ("compound", "阳光花园"), ("building", "7"), ("unit", "6"), ("room", "1046"),
    ]  # fmt: skip
    assert "road=人民路" in run("--parts-only", "人民路12号").output


@pytest.mark.parametrize(
    "arguments", [(), ("--file", "a.csv"), ("-o", "b.csv"), ("x", "--file", "a.csv", "-o", "b.csv")]
)
def test_arguments_that_make_no_sense(arguments: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as fault:
        run(*arguments)
    assert fault.value.code == "parse.arguments"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError) as fault:
        run("--file", str(tmp_path / "none.csv"), "-o", str(tmp_path / "out.csv"))
    assert fault.value.code == "parse.no_file"


@pytest.mark.slow
def test_training_writes_a_model_and_judges_it(tmp_path: Path) -> None:
    lines = "人 B-road\n民 I-road\n路 I-road\n12 B-roadno\n号 I-roadno\n"
    for part in ("train", "dev"):
        (tmp_path / f"own-{part}.txt").write_text((lines + "\n") * 30, "utf-8")
    model, report = tmp_path / "own.bin", tmp_path / "report.json"
    arguments = ["--labelled", str(tmp_path), "-o", str(model), "--count", "1000", "--json", str(report)]
    done = CliRunner().invoke(train_parser, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    assert model.stat().st_size < 6_000_000
    told = json.loads(report.read_text("utf-8"))
    assert [t["trained_on"] for t in told] == ["synthetic", "labelled"]
    assert told[1]["judged"]["f1"] == 1.0


def test_every_reason_has_words() -> None:
    matcher, known = Matcher(library()), catalogue("zh-CN")
    said = {code for text, _ in CASES for code in matcher.match(text).reasons}
    for file in ("matcher.py", "junctions.py"):
        source = (ROOT / "gis" / "addressing" / "matching" / file).read_text("utf-8")
        said |= set(
            re.findall(r'(?:doubts=\(\*hit\.doubts, |reasons=\(|names, None, |_Hit\(\(\), \()"(\w+)"[,)]', source)
        )
    assert len(said) > 20
    assert {s for s in said if f"parse.reason.{s}" not in known} == set()
