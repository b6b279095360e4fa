"""A library put together from segments answers as one made of the same addresses at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.addressing.matching.library import Library, OtherName, entries_of
from gis.addressing.matching.matcher import Matcher
from gis.addressing.matching.segment import Segment, pack

ROADS = ("人民路", "解放路", "董家塅路", "人民新路")
COMPOUNDS = ("", "和顺小区", "人民花园")
QUESTIONS = (
    *(f"{road}{number}号" for road in (*ROADS, "老马路", "董家墩路", "无名路") for number in ("1", "2", "1附1")),
    *(f"{c}{b}栋" for c in ("和顺小区", "和顺", "人民花园") for b in "12"),
    *(f"东湖社区{r}1号" for r in ROADS), "人民路1", "西湖社区人民路1号", "解放路2号人民花园2栋", "1栋和顺小区",
    "和顺小区1-2栋", "供销社", "人民路", "西湖社区1栋",
)  # fmt: skip


def segment(rows):
    """Rows by id as a segment; ``also``: a whole other text."""
    ids = sorted(rows)
    texts = [(rows[i]["also"], k) for k, i in enumerate(ids) if rows[i].get("also")]
    return Segment(pack(entries_of([rows[i] for i in ids]), np.array(ids, dtype=np.int64), texts))


def told(library, text):
    """An answer with ids in place of rows; the order of equal candidates is no matter."""
    found = Matcher(library).match(text)
    ids = [library.id(r) for r in found.rows]
    texts = [library.text(r) for r in found.rows]
    candidates = sorted(library.id(r) for r in found.candidates)
    return found.status, ids, texts, candidates, found.score, sorted(found.reasons)


row = st.fixed_dictionaries(
    {
        "road": st.sampled_from(ROADS),
        "number": st.sampled_from(["1", "2", "1附1"]),
        "compound": st.sampled_from(COMPOUNDS),
        "building": st.sampled_from(["1", "2"]),
        "community": st.sampled_from(["东湖社区", "西湖社区"]),
        "ended": st.booleans(),
        "also": st.sampled_from(["", "", "供销社"]),
    }
).map(lambda r: r if r["compound"] else {**r, "building": ""})
OTHER = [OtherName("road", "人民路", "老马路", "former"), OtherName("compound", "人民花园", "和顺")]


@settings(max_examples=40, deadline=None)
@given(
    before=st.dictionaries(st.integers(0, 9), row, max_size=5),
    second=st.dictionaries(st.integers(10, 13), row, max_size=2),
    after=st.dictionaries(st.integers(0, 20), st.none() | row, max_size=4),
)
def test_segments_and_changes_answer_as_one_library(before, second, after):
    """``after``: what became of addresses since the segments were made; None for one that is no longer read."""
    core = Library.of([segment(before), segment(second)])
    fresh = {i: r for i, r in {**before, **second, **after}.items() if r is not None}
    changed = {i: r for i, r in after.items() if r is not None}
    own = core.grown(segment(changed), set(after), OTHER, [("city", "长沙市")])
    one = Library.of([segment(fresh)]).grown(other_names=OTHER, above=[("city", "长沙市")])
    assert len(own) == len(one)
    assert [own.id(r) for r in own.rows()] == sorted(fresh)
    for text in QUESTIONS:
        assert told(own, text) == told(one, text), text


def test_what_was_replaced_is_gone_and_what_replaced_it_is_there():
    core = Library.of([segment({1: {"road": "人民路", "number": "1"}, 2: {"road": "人民路", "number": "2"}})])
    renamed = {1: {"road": "新民路", "number": "1"}, 2: {"road": "新民路", "number": "2", "ended": True}}
    own = core.grown(segment(renamed), {1, 2})
    assert told(own, "新民路1号")[:2] == ("exact", [1])
    assert told(own, "新民路2号")[0] == "unsure"
    assert told(own, "人民路1号")[0] == "none", "no address has that road any more"
    assert told(core, "人民路1号")[:2] == ("exact", [1]), "a library never changes"
    assert own.names.like("人民璐", ("road",)) == []


def test_a_name_one_character_away_is_found_in_what_was_added():
    own = Library.of([segment({1: {"road": "人民路", "number": "1"}})]).grown(segment({2: {"road": "枫林一路"}}))
    assert "枫林一路" in [n.text for n in own.names.like("枫林三路", ("road",))]


@pytest.mark.parametrize("texts", [["", "a", "𠮷路", "\ud800"], []])
def test_texts_are_packed_and_read_again(texts):
    made = segment({k: {"road": "人民路", "text": t or "-"} for k, t in enumerate(texts)})
    assert list(made.text) == [t or "-" for t in texts]
    assert [made.text[k] for k in range(len(texts))] == [t or "-" for t in texts]
