"""Free text to parts: one way of writing, tokens, the chain against all paths, training on drawn addresses."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data import addressing
from data.addressing import labelled, model_file
from gis.addressing.parsing import chain, features, labels, lexicon, synthetic, tokens
from gis.addressing.parsing.model import Parser
from gis.addressing.parsing.normalise import LONGEST, normalise, plain
from gis.addressing.parsing.training import Recipe, joined, judge, lexicon_of, train
from gis.errors import InputError

NCAP = Path(__file__).parents[3] / "shared" / "data" / "addresses"


@pytest.fixture(scope="module")
def parser():
    return Parser(model_file.shipped())


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("人民路１２號", "人民路12号"),
        ("長沙市嶽麓區", "长沙市岳麓区"),
        ("12－3—4～5", "12-3-4-5"),
        ("12\u200b号\x00\ufeff", "12号"),
        ("12 3栋", "12_3栋"),
        ("  人民路   12号 ", "人民路_12号"),
        ("①㈠⑫", "1(一)12"),
        ("⻄安😀路", "西安路"),
        ("二〇三室", "二零三室"),
        ("𠮷祥路", "𠮷祥路"),
        ("", ""),
    ],
)
def test_one_way_of_writing(typed, written):
    assert plain(typed) == written


@given(st.text(max_size=60))
@example("ำ")  # its plain form is a mark and a letter
def test_every_written_character_has_its_place(text):
    found = normalise(text)
    assert len(found.text) == len(found.origin)
    assert all(a <= b for a, b in itertools.pairwise(found.origin))
    assert plain(found.text) == found.text


def test_tokens_are_runs_or_characters():
    text = "中山路12号A座B12-3"
    tok = tokens.tokenise(tokens.points(text), tokens.CLASS)
    found = [text[a:b] for a, b in zip(tok.start, tok.end, strict=True)]
    assert found == ["中", "山", "路", "12", "号", "A", "座", "B", "12", "-", "3"]
    assert tok.value.tolist() == [0, 0, 0, 12, 0, 0, 0, 0, 12, 0, 3]
    assert lexicon.key_of("soho城") == lexicon.key_of("SOHO城") != lexicon.key_of("SOHA城")


def test_names_and_their_short_forms_are_found():
    lex = lexicon.build(lexicon.entries([("岳麓区", "district"), ("西湖街道", "town"), ("路", "road")]))
    asked = lambda name: int(lexicon.find(lex.keys, lex.masks, np.uint64(lexicon.key_of(name))))  # noqa: E731
    assert asked("岳麓区") == lexicon.BIT["district"]
    assert asked("岳麓") == lexicon.BIT["district_short"]
    assert asked("西湖") == lexicon.BIT["town_short"]
    assert asked("麓区") == 0
    assert len(lex) == 4, "a name of one character is none"


def paths(scores, moves, start):
    """Score of every path that is allowed, the slow way."""
    n, tags = scores.shape
    return {
        p: start[p[0]] + sum(scores[t, p[t]] for t in range(n)) + sum(moves[a, b] for a, b in itertools.pairwise(p))
        for p in itertools.product(range(tags), repeat=n)
        if all(b % 2 == 0 or a in (b, b - 1) for a, b in itertools.pairwise(p))
    }


@pytest.mark.parametrize("seed", range(4))
def test_best_path_and_total_against_all_paths(seed):
    rng = np.random.default_rng(seed)
    scores, moves = rng.normal(size=(4, 4)).astype(np.float32), rng.normal(size=(4, 4)).astype(np.float32)
    start = rng.normal(size=4).astype(np.float32)
    every = paths(scores, moves, start)
    path, top = chain.best(scores, moves + chain.allowed(4), start)
    assert tuple(path.tolist()) == max(every, key=lambda p: every[p])
    assert top == pytest.approx(max(every.values()), abs=1e-4)
    whole = chain.total(scores, np.exp(moves + chain.allowed(4)), start)
    assert whole == pytest.approx(np.log(sum(np.exp(v) for v in every.values())), abs=1e-4)


def test_slopes_against_all_paths():
    rng = np.random.default_rng(5)
    scores, moves = rng.normal(size=(3, 4)).astype(np.float32), rng.normal(size=(4, 4)).astype(np.float32)
    gold = np.array([2, 0, 3])
    every = paths(scores, moves, np.zeros(4))
    z = sum(np.exp(v) for v in every.values())
    at = np.zeros((3, 4))
    change = np.zeros((4, 4))
    for p, v in every.items():
        for t in range(3):
            at[t, p[t]] += np.exp(v) / z
        for a, b in itertools.pairwise(p):
            change[a, b] += np.exp(v) / z
    at[range(3), gold] -= 1
    for a, b in itertools.pairwise(gold):
        change[a, b] -= 1
    slopes, moved, loss = chain._slopes(scores.copy(), np.exp(moves + chain.allowed(4)), gold)
    assert np.allclose(slopes, at, atol=1e-4)
    assert np.allclose(moved, change, atol=1e-4)
    assert loss > 0


def test_a_part_goes_on_only_after_itself():
    fixed = chain.allowed(4)
    assert fixed[0, 1] == 0
    assert fixed[1, 1] == 0
    assert fixed[2, 1] < -1000
    assert fixed[3, 2] == 0


def test_synthetic_addresses_are_covered_by_their_parts():
    plain_names = synthetic.names_of(addressing.divisions())
    own = synthetic.deployment(plain_names, addressing.words(), 20, 1)
    assert all(len(own[k]) == 20 for k in ("road", "compound", "community"))
    names = synthetic.names_of(addressing.divisions(), own)
    made = synthetic.addresses(names, addressing.words(), 300, 3)
    assert made == synthetic.addresses(names, addressing.words(), 300, 3)
    for text, parts in made:
        assert [p[0] for p in parts] == [0, *(p[1] for p in parts[:-1])]
        assert parts[-1][1] == len(text)
        assert all(p[2] in labels.NUMBER for p in parts)


def test_training_learns_and_repeats_itself():
    words, divisions = addressing.words(), addressing.divisions()
    made = synthetic.addresses(synthetic.names_of(divisions), words, 700, 4)
    lex = lexicon_of([d for d in divisions if len(d[0]) <= 6], words)
    recipe = Recipe(passes=3)
    model = train(made[:600], lex, recipe)
    found = judge(Parser(model), made[600:])
    assert found.f1 > 0.6, "three passes over 600 addresses are enough to see that it learns"
    packed = model_file.pack(model)
    assert packed == model_file.pack(train(made[:600], lex, recipe)), "same addresses, same bytes"
    again = judge(Parser(model_file.unpack(packed)), made[600:])
    assert again == found
    other = train(made[:100], lex, recipe)
    assert judge(Parser(joined(model, 1.0, other, 0.0)), made[600:]) == found, "a share of nothing changes nothing"
    half, whole = (judge(Parser(joined(other, s, model, s)), made[600:]).f1 for s in (0.5, 1.0))
    assert half > judge(Parser(other), made[600:]).f1, "who learnt more tells the other"
    assert whole == pytest.approx(half, abs=0.02), "shares scale the scores, the best stays the best"


def test_no_model_is_told_so(tmp_path):
    with pytest.raises(InputError) as fault:
        model_file.unpack(b"something else", "x.bin")
    assert fault.value.code == "parse.no_model"
    with pytest.raises(InputError) as fault:
        model_file.read(tmp_path / "none.bin")
    assert fault.value.code == "parse.no_file"


def test_labelled_files(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text(
        "\ufeff龙 B-town\n山 I-town\n B-redundant\n602 B-subRoadno\n号 I-subroadno\n\n东 B-road\n", "utf-8"
    )
    assert labelled.read(file) == [
        ("龙山_602号", [(0, 2, "town"), (2, 3, "redundant"), (3, 7, "subroadno")]),
        ("东", [(0, 1, "road")]),
    ]
    file.write_text("龙 B-nonsense\n", "utf-8")
    with pytest.raises(InputError, match="bad_label"):
        labelled.read(file)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("湖南省长沙市岳麓区西湖街道枫林一路12号", ["province", "city", "county", "town", "road", "number"]),
        ("浙江省杭州市西湖区文三路478号华星时代广场A座1203室",
         ["province", "city", "county", "road", "number", "compound", "building", "room"]),
        ("金色家园3幢2单元402室", ["compound", "building", "unit", "room"]),
        ("阳光花园7-6-1046", ["compound", "building", "redundant", "unit", "redundant", "room"]),
        ("中山路与解放路交叉口", ["road", "relation", "sub_road", "relation"]),
        ("国际商贸城B6-1074", ["compound", "building", "redundant", "room"]),
        ("阳光花园7栋6-1046", ["compound", "building", "unit", "redundant", "room"]),
        ("人民路668-6号", ["road", "number", "redundant", "building"]),
        ("人民路103-105号", ["road", "number"]),
    ],
)  # fmt: skip
def test_parts_of_plain_addresses(parser, text, kinds):
    found = parser.parse(text)
    assert [p.kind for p in found.parts] == kinds
    assert 0 < found.probability <= 1


@pytest.mark.parametrize(
    "typed",
    [
        "阳光花园７－６－１０４６",
        "陽光花園7—6—1046",
        "😀阳光花园7～6～1046",
        "阳光花园7--6--1046",
        "阳光花园3一2一401",
    ],
)
def test_a_chain_is_read_however_it_is_typed(parser, typed):
    found = [(p.kind, p.text) for p in parser.parse(typed).parts if p.kind != "redundant"]
    assert [kind for kind, _ in found] == ["compound", "building", "unit", "room"]
    assert found[0][1] == "阳光花园"


@pytest.mark.parametrize(
    "typed", ["Main Street 12, Apt 4", "ул. Ленина 12", "1-" * 100, "9" * 40, "'; DROP TABLE x;--"]
)
def test_the_parser_is_not_sure_of_what_is_no_address_here(parser, typed):
    assert parser.parse(typed).probability < 0.5


def test_a_range_and_a_house_behind_a_door_differ_for_the_model():
    def seen(text):
        tok = tokens.tokenise(tokens.points(text), tokens.CLASS)
        behind = np.full(len(tok.code), tokens.EDGE)
        return features._chains(tok.kind, tok.code, tok.value, tokens.SIGN, behind)

    rises, falls, heads = seen("103-104"), seen("103-4"), seen("B6-1074")
    assert rises.near.tolist() != falls.near.tolist()
    assert seen("7-6-1046").near[0] == seen("9-2-301").near[0]
    assert heads.nth.tolist() == [1, 1, 1, 2], "a letter and its digits are one number"
    assert heads.left.tolist() == [1, 1, 1, 0]


def test_parts_keep_their_place_as_typed(parser):
    typed = "　長沙市　嶽麓區枫林一路１２號"
    for part in parser.parse(typed).parts:
        assert plain(typed[part.start : part.end]) == part.text.strip("_")


def test_names_of_a_deployment_are_known(parser):
    text = "柘木铺子茶马廊道12号"
    own = Parser(model_file.shipped(), [("柘木铺子", "community"), ("茶马廊道", "road")])
    assert own.parse(text).get("road") == "茶马廊道"


@pytest.mark.parametrize("text", ["", " ", "\x00", "😀", "枫" * (LONGEST + 1), "路" * 10_000])
def test_texts_that_are_no_address_have_no_parts(parser, text):
    assert parser.parse(text).parts == ()


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_parsed_without_a_crash(parser, text):
    found = parser.parse(text)
    assert "".join(p.text for p in found.parts) in (found.text, "")
    assert all(0 <= p.start < p.end <= len(text) for p in found.parts)
    assert 0 <= found.probability <= 1


@pytest.mark.skipif(not NCAP.is_dir(), reason="the labelled set (../shared/data/addresses) is not here")
def test_the_shipped_model_on_the_labelled_set(parser):
    found = judge(parser, labelled.read(NCAP / "ncap-dev.txt"))
    assert found.f1 >= 0.84
    assert found.tails >= 0.83
    assert found.chain_count > found.tail_count
