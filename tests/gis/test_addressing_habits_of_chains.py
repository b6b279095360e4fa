"""Chains of numbers looked at again as a whole: what is counted, and the choice against every sequence tried."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.addressing import model_file
from gis.addressing.parsing import chain, habits, tokens
from gis.addressing.parsing.labels import NUMBER, TAGS
from gis.addressing.parsing.model import VERSION
from gis.errors import InputError

TAUGHT = [
    ("和顺小区7-6-1046", "poi poi poi poi houseno redundant cellno redundant roomno"),
    ("和顺小区9-2-301", "poi poi poi poi houseno redundant cellno redundant roomno"),
    ("和顺小区12-305室", "poi poi poi poi houseno redundant roomno roomno"),
    ("和顺小区12-4", "poi poi poi poi houseno redundant cellno"),
    ("人民路12-4", "road road road roadno redundant houseno"),
    ("人民路12-14", "road road road roadno roadno roadno"),
    ("7-6-1046", "houseno redundant cellno redundant roomno"),
]
MOVES = chain.allowed(TAGS)
START = np.where(np.arange(TAGS) % 2 == 1, np.float32(-1e4), np.float32(0)).astype(np.float32)


def tokens_of(text):
    return tokens.tokenise(tokens.points(text), tokens.CLASS)


def tags(words):
    names = words.split()
    return np.array([2 * NUMBER[w] + (k > 0 and names[k - 1] == w) for k, w in enumerate(names)])


@pytest.fixture(scope="module")
def met():
    return habits.count((tokens_of(text), tags(words)) for text, words in TAUGHT)


@pytest.mark.parametrize(
    ("text", "chains"),
    [
        ("7-6-1046", ["7-6-1046"]),
        ("人民路12-14号B3-402室", ["12-14", "B3-402"]),
        ("人民路12号3栋402室", []),
        ("-7", []),
        ("7-", []),
        ("7--6", []),
        ("7-号6-1", ["6-1"]),
        ("1-2-3-4-5-6", []),
    ],
)
def test_where_chains_are(text, chains):
    tok = tokens_of(text)
    found, at = [], 0
    while (span := habits.next_chain(tok.kind, at))[0] >= 0:
        found.append(text[tok.start[span[0]] : tok.end[span[1] - 1]])
        at = span[1]
    assert found == chains


def test_sequences_are_kept_once_for_a_form(met):
    # five tokens behind a name and at the beginning are one form; 12-305室, 12-4 and 12-14 have three tokens,
    # the first is followed by 室: 1 + 1 + 3 sequences
    assert len(met.paths) == len(met.forms) == 5
    assert met.forms.tolist() == sorted(met.forms.tolist())
    again = habits.count((tokens_of(text), tags(words)) for text, words in TAUGHT)
    assert all(np.array_equal(a, b) for a, b in zip(met, again, strict=True))


@pytest.mark.parametrize(
    ("text", "stand"),
    # 1 not higher, 2 the next, 3 a little higher, 4 higher; the first two numbers alone count, letters are none
    [("12-3", 1), ("103-104", 2), ("7-10", 3), ("7-12", 4), ("12-3-4", 1), ("B-5", 1), ("B-5-6", 2), ("8B3-11", 1)],
)
def test_how_the_first_two_numbers_stand(text, stand):
    tok = tokens_of(text)
    assert habits._near(tok.kind, tok.value, 0, len(tok.kind)) == stand


def test_a_range_and_a_building_with_its_unit_are_two_habits(met):
    contexts = [habits._contexts(t.kind, t.code, t.value, 0, 3, TAGS) for t in map(tokens_of, ("12-14", "14-12"))]
    assert contexts[0][0] == contexts[1][0], "one form"
    assert all(a != b for a, b in zip(contexts[0][1:], contexts[1][1:], strict=True))


@pytest.mark.parametrize(
    ("text", "run"),
    [
        ("103-104", True),
        ("807-819", True),
        ("807-820", False),  # more than twelve on
        ("104-103", False),
        ("12-14", False),  # as often a building and its unit
        ("998-1001", False),
        ("A103-104", True),
        ("7-103-104", False),  # rooms of building 7, of which the chain says more
        ("103-A", False),
    ],
)
def test_two_long_numbers_close_together_are_a_run(text, run):
    tok = tokens_of(text)
    assert habits._is_run(tok.kind, tok.value, 0, len(tok.kind)) == run


def looked_at(text, scores, met):
    """Tags of a text before and after the second look."""
    tok = tokens_of(text)
    path, _ = chain.best(scores, MOVES, START)
    held = scores.copy()
    changed = habits.look_again(tok.kind, tok.code, tok.value, held, MOVES, START, path, met)
    after, _ = chain.best(held, MOVES, START)
    assert changed == (path.tolist() != after.tolist())
    return path.tolist(), after.tolist()


def liking(text, *wanted):
    """Scores that like the given words, token by token, one by a little less than the one before it."""
    scores = np.zeros((len(tokens_of(text).kind), TAGS), np.float32)
    for less, words in enumerate(wanted):
        for t, tag in enumerate(tags(words)):
            scores[t, tag] = max(scores[t, tag], 5 - 0.3 * less)
    return scores


def test_two_buildings_in_one_chain_become_what_is_usual(met):
    text = "海棠小区8-3-502"
    odd = "poi poi poi poi houseno redundant houseno redundant roomno"
    usual = "poi poi poi poi houseno redundant cellno redundant roomno"
    before, after = looked_at(text, liking(text, odd, usual), met)
    assert before == tags(odd).tolist()
    assert after == tags(usual).tolist()
    before, after = looked_at(text, liking(text, odd), met)
    assert after == before, "what the text says clearly stands"


def test_a_run_is_one_part_even_where_two_are_liked_better(met):
    two, one = "road road road roadno redundant houseno", "road road road roadno roadno roadno"
    for text, after in (("人民路103-107", one), ("人民路103-407", two)):
        assert looked_at(text, liking(text, two, one), met) == (tags(two).tolist(), tags(after).tolist())


def test_without_habits_nothing_changes(met):
    text = "海棠小区8-3-502"
    scores = liking(text, "poi poi poi poi houseno redundant houseno redundant roomno")
    before, after = looked_at(text, scores, habits.count([]))
    assert after == before
    before, after = looked_at("海棠小区", scores[:4], met)
    assert after == before, "no chain"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["南路7-6-101", "12-4", "巷12-4号", "路12-4弄3-2"]))
def test_the_choice_is_the_best_of_all_tried(met, seed, text):
    rng = np.random.default_rng(seed)
    tok = tokens_of(text)
    scores = rng.normal(0, 1, (len(tok.kind), TAGS)).astype(np.float32)
    scores[:, rng.integers(0, TAGS, 3)] += 2
    path, _ = chain.best(scores, MOVES, START)
    held = scores.copy()
    habits.look_again(tok.kind, tok.code, tok.value, held, MOVES, START, path, met)
    i, j = habits.next_chain(tok.kind, 0)
    tried = {}
    form = habits._contexts(tok.kind, tok.code, tok.value, i, j, 0)[0]
    wholes = [met.paths[k] for k in np.flatnonzero(met.forms == form)]
    own = np.full(habits.LONGEST, 255, np.uint8)
    own[: j - i] = path[i:j]
    for whole in [own, *wholes]:
        for label in range(TAGS // 2) if i else [TAGS]:
            forced = scores.copy()
            for t in range(i, j):
                forced[t, np.arange(TAGS) != whole[t - i]] -= 1e5
            if i:
                forced[i - 1, np.arange(TAGS) // 2 != label] -= 1e5
            _, top = chain.best(forced, MOVES, START)
            contexts = habits._contexts(tok.kind, tok.code, tok.value, i, j, label)
            tried.setdefault(tuple(whole[: j - i].tolist()), []).append(
                top + habits._SHARE * habits._usual(met, contexts, whole)
            )
    best = max(max(v) for v in tried.values())
    after, _ = chain.best(held, MOVES, START)
    assert max(tried[tuple(after[i:j].tolist())]) == pytest.approx(best, abs=1e-3)


def test_a_model_of_before_is_refused_by_name(monkeypatch):
    shipped = model_file.shipped()
    monkeypatch.setattr(model_file, "VERSION", VERSION - 1)
    content = model_file.pack(shipped)
    monkeypatch.undo()
    with pytest.raises(InputError) as fault:
        model_file.unpack(content, "old.bin")
    assert fault.value.code == "parse.old_model"
