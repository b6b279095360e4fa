"""Two plans compared: which grid goes on as which, what moved."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.districting.compare import Things, compare


def things(ids, grid, households):
    return Things(np.array(list(ids), object), np.array(grid, np.int64), np.array(households, np.int64))


NONE = (np.array(["", ""], object), np.array(["", ""], object))


def test_a_building_that_changes_sides_moves_alone():
    a = things("abcd", [0, 0, 1, 1], [30, 20, 40, 10])
    b = things("abcd", [1, 0, 0, 0], [30, 20, 40, 10])
    found = compare(a, b, NONE)
    # B's grid 0 holds b, c, d: it goes on from A's grid 1 (50 in common); B's grid 1 from A's grid 0 (30)
    assert found.match.tolist() == [1, 0]
    assert found.shared.tolist() == [30, 50]
    assert found.both[found.moved].tolist() == [[1, 1]]  # b moved


def test_a_permanent_id_wins_over_households_in_common():
    a = things("abcd", [0, 0, 1, 1], [30, 20, 40, 10])
    b = things("abcd", [1, 0, 0, 0], [30, 20, 40, 10])
    ids = (np.array(["x", "y"], object), np.array(["x", "z"], object))
    assert compare(a, b, ids).match.tolist() == [0, -1]


def test_what_only_one_plan_has_neither_moves_nor_matches():
    a = things("abx", [0, 1, 1], [10, 10, 99])
    b = things("aby", [0, 1, 0], [10, 10, 99])
    found = compare(a, b, NONE)
    assert (found.only_a.tolist(), found.only_b.tolist(), found.moved.tolist()) == ([2], [2], [])
    assert found.match.tolist() == [0, 1]


ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 50)), min_size=1, max_size=30)


@settings(max_examples=100, deadline=None)
@given(ROWS)
def test_a_plan_beside_itself_moves_nothing_and_no_match_is_used_twice(rows):
    ga, gb, households = zip(*rows, strict=True)
    ids = [str(k) for k in range(len(rows))]
    none = (np.array([""] * 4, object), np.array([""] * 4, object))
    same = compare(things(ids, ga, households), things(ids, ga, households), none)
    assert len(same.moved) == 0
    found = compare(things(ids, ga, households), things(ids, gb, households), none)
    used = found.match[found.match >= 0]
    assert len(used) == len(set(used.tolist()))
    moved = sum(households[found.both[k, 0]] for k in found.moved)
    assert moved == sum(households) - found.shared.sum()
