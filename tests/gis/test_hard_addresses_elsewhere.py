"""Addresses of seven other cities, written before the product was held to them: none is silently wrong."""

import pytest

from benchmarks.hard_addresses_elsewhere import CASES, library
from data.addressing import model_file
from gis.addressing.matching.matcher import Matcher
from gis.addressing.parsing.model import Parser


@pytest.fixture(scope="module")
def answers():
    known = library()
    matcher = Matcher(known, Parser(model_file.shipped()))
    found = {text: matcher.match(text) for text, _ in CASES}
    return {text: (a, tuple(str(known.entries.text[r]) for r in a.rows)) for text, a in found.items()}


@pytest.mark.parametrize(("text", "right"), CASES, ids=range(len(CASES)))
def test_nothing_is_silently_wrong(answers, text, right):
    found, texts = answers[text]
    if found.status == "exact":
        assert texts == ((right,) if isinstance(right, str) else right)
    else:
        assert found.reasons
        assert texts == ()


def test_most_are_right(answers):
    right = sum(
        answers[text][0].status != "exact"
        if wanted == ""
        else answers[text][1] == (wanted,)
        if isinstance(wanted, str)
        else answers[text][1] == wanted
        for text, wanted in CASES
    )
    assert right / len(CASES) >= 0.9
