"""Why borders are where they are: boards drawn by hand, differences against the planner's own cost."""

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from data import rulesets
from gis.blocks.graph import graph_of
from gis.blocks.model import AtomSet, Segments
from gis.districting.explain import Situation, explain, objective_of
from gis.districting.search import cost_of, terms_of
from gis.districting.units import atom_units, pieces
from gis.territory.classes import BASIS_INDEX, CLASS_INDEX

RULES = rulesets.load("default")


def board(grids, households, *, blocks=None, community=None, kind=None, rules=RULES, compound=None):
    """A board of squares of 100 m: rows of letters, the households of each square, its block (each its own)."""
    width, height = len(grids[0]), len(grids)
    letters = sorted({c for row in grids for c in row})
    n = width * height
    block = np.arange(n) if blocks is None else np.array([int(c) for row in blocks for c in row])
    owner = np.zeros(n, np.int64) if community is None else np.array([int(c) for row in community for c in row])
    at = [(100 * (i % width), -100 * (i // width)) for i in range(n)]
    shapes = np.array([shapely.box(x, y - 100, x + 100, y) for x, y in at])
    pairs = [(i, i + 1) for i in range(n) if (i + 1) % width] + [(i, i + width) for i in range(n - width)]
    head, tail = (np.array(c, np.int64) for c in zip(*sorted(pairs), strict=True))
    inside = block[head] == block[tail]
    kinds = np.where(inside, CLASS_INDEX["none"], CLASS_INDEX["residential"])
    basis = np.where(inside, BASIS_INDEX["cell"], BASIS_INDEX["street"])
    end = np.stack([np.full(len(head), 100.0), np.zeros(len(head))], axis=1)
    ends = (head.astype(np.int32), tail.astype(np.int32), np.zeros_like(end), end)
    segments = Segments(*ends, kinds.astype(np.int8), basis.astype(np.int8), np.full(len(head), -1, np.int32))
    rest = (np.zeros(n, np.int32), np.zeros(0, np.int32), segments, np.zeros(n), np.zeros(0, object))
    atoms = AtomSet("EPSG:4547", shapes, block.astype(np.int32), *rest)
    counted = np.array(households, np.int64).ravel()
    return Situation(
        units=atom_units(
            atoms,
            graph_of(segments, n),
            rules.class_prices(),
            counted,
            counted.astype(float),
            compound,
            rules.compound,
        ),
        grid=np.array([letters.index(c) for row in grids for c in row]),
        community=owner,
        kind=np.array(["residential"] * len(letters) if kind is None else kind, object),
        ruleset=rules,
        edge_head=head,
        edge_tail=tail,
        edge_kind=kinds,
        edge_basis=basis,
        edge_metres=np.full(len(head), 100.0),
        edge_names=np.array([f"{a}-{b}" for a, b in sorted(pairs)], object),
        compound=compound,
    )


def test_moving_a_block_puts_the_taker_above_or_the_giver_below():
    (border,) = explain(board(["AABB"], [300, 150, 200, 300]))
    to_b, to_a = border.moves
    assert border.metres == 100
    assert (to_b.breaks, to_b.taker_after, to_b.bound) == ("above", 650, 600)
    assert (to_a.breaks, to_a.taker_after, to_a.bound) == ("above", 650, 600)
    assert (border.tried, border.possible) == (2, 0)
    assert [c.name for c in to_b.carriers] == ["0-1"]  # where the border would go instead
    (border,) = explain(board(["AABB"], [200, 150, 150, 200]))
    assert [(m.breaks, m.giver_after, m.bound) for m in border.moves] == [("below", 200, 300)] * 2


def test_a_grid_that_would_fall_apart_says_so():
    # the middle of a row of three: without it both ends hang in the air
    situation = board(["AAA", "XBX"], [[150, 1, 150], [0, 300, 0]])
    between = {(b.left, b.right): b for b in explain(situation)}
    move = between[0, 1].moves[0]
    assert (move.block, move.breaks, move.parts) == (1, "apart", 2)


def test_all_of_a_grid_moved_makes_one_of_two():
    (border,) = explain(board(["AB"], [310, 320]))
    assert [(m.parts, m.breaks, m.taker_after) for m in border.moves] == [(0, "above", 630)] * 2
    small = RULES.with_bounds(minimum=100, maximum=700, target=400)
    (border,) = explain(board(["AB"], [310, 320], rules=small))
    assert border.moves[0].breaks == ""
    assert border.possible == 2


def test_communities_keep_their_border_and_blocks_say_when_they_must_be_cut():
    (border,) = explain(board(["AABB"], [200, 200, 200, 200], community=["0011"]))
    assert border.between_communities
    assert border.moves == (None, None)
    (border,) = explain(board(["AB"], [350, 350], blocks=["00"]))
    assert [(c.block, c.households, c.above, c.metres) for c in border.cut_blocks] == [(0, 700, True, 100.0)]
    assert border.carriers[0].basis == "cell"


def test_the_objective_is_the_planners():
    s = board(["AAB", "ACB"], [[200, 180, 340], [40, 400, 20]])
    terms = terms_of(RULES, RULES.residential)
    assert objective_of(s).total == pytest.approx(cost_of(s.units, s.grid, terms, RULES.outside))


def test_a_border_through_a_compound_costs_more_than_its_price():
    wide = RULES.with_bounds(minimum=1, maximum=5000, target=800)
    yard = np.array([-1, 0, 0, -1])  # the two squares in the middle are one compound; the border parts them
    s = board(["AABB"], [300, 200, 200, 300], rules=wide, compound=yard)
    (border,) = explain(s)
    assert objective_of(s).compound == 100 * wide.compound
    assert [m.difference.compound for m in border.moves] == [-100 * wide.compound] * 2
    plain = board(["AABB"], [300, 200, 200, 300], rules=wide)
    assert objective_of(plain).compound == 0
    assert objective_of(s).total == objective_of(plain).total + 100 * wide.compound


LETTERS = st.sampled_from("AB")


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(LETTERS, st.integers(0, 200), st.integers(-1, 1)), min_size=9, max_size=9))
def test_the_difference_of_every_telling_move_is_what_the_planner_would_pay(cells):
    letters, households, yards = zip(*cells, strict=True)
    rows = ["".join(letters[i : i + 3]) for i in (0, 3, 6)]
    assume(len(set(letters)) == 2)
    wide = RULES.with_bounds(minimum=1, maximum=5000, target=800)
    s = board(rows, households, rules=wide, compound=np.array(yards))
    assume(pieces(s.units.arrays, s.grid).max() == 1)  # both grids of one piece
    terms = terms_of(wide, wide.residential)
    before = cost_of(s.units, s.grid, terms, wide.outside)
    assert objective_of(s).total == pytest.approx(before)
    (border,) = explain(s)
    for move in (m for m in border.moves if m is not None and m.parts):
        after = s.grid.copy()
        after[move.block] = move.taker
        now = cost_of(s.units, after, terms, wide.outside)
        assert move.difference.total == pytest.approx(now - before, abs=1e-6)
        assert move.taker_after == s.units.arrays.counted[after == move.taker].sum()
