"""What number a door would carry, and whole numbers for a gap: small cases on paper, and what always holds."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gis.addressing.expected import Around, Profile, Side
from gis.addressing.fitting import Free, Gap, fit

NONE = Side()


def side(*doors):
    """``doors``: (metre, number)."""
    return Side([float(m) for m, _ in doors], [float(n) for _, n in doors], [float(n) for _, n in doors])


def test_between_two_numbers_a_door_has_its_share_of_the_way():
    profile = Profile((side((0, 1), (40, 9)), NONE), 0)
    assert profile.expected(0, [10.0, 20.0], Around((0, 1), (40, 9))) == [3.0, 5.0]


def test_the_opposite_side_bends_the_line():
    # across the street 2..10 stand in the first 10 m of 40: a door at 10 m is expected later than on the line
    profile = Profile((side((0, 1), (40, 9)), side((0, 2), (10, 8), (40, 10), (50, 12))), 0)
    assert profile.expected(0, [10.0], Around((0, 1), (40, 9)))[0] > 3.0


def test_at_a_new_block_doors_count_on_and_back_from_the_crossing():
    # 89-15, 89-19 | crossing 25..80 | 90-05, 90-09: one door 10 m past 89-19, one 10 m before 90-05
    block = (89015, 89019, 90005, 90009)
    profile = Profile((side((10, block[0]), (20, block[1]), (100, block[2]), (110, block[3])), NONE), 1000)
    found = profile.expected(0, [25.0, 95.0], Around((20, block[1]), (100, block[2])))
    assert [round(n) for n in found] == [89021, 90003]


def test_the_jump_lies_where_the_opposite_side_jumps():
    left = side((10, 89016), (60, 89036), (75, 90002), (100, 90012))
    right = side((10, 89015), (100, 90011))
    profile = Profile((right, left), 1000)
    found = profile.expected(0, [50.0], Around((10, 89015), (100, 90011)))
    assert 89000 < found[0] < 90000, "before the jump at 60..75, though the widest empty stretch ends there too"


def test_no_number_before_the_first_of_its_block():
    profile = Profile((side((100, 90003), (110, 90007), (120, 90011)), NONE), 1000)
    assert profile.expected(0, [0.0], Around(None, (100, 90003))) == [90001.0]


def test_free_numbers_of_a_gap():
    free = Free(Gap((1,), (15,), odd=True), [2, 3, 7], 1, 9999)
    assert free.count == 4
    assert [free.number(k) for k in range(4)] == [5, 9, 11, 13]
    assert Free(Gap((12,), (14,), odd=False), [], 1, 9999).count == 0
    assert Free(Gap((12,), (14, 1), odd=False), [], 1, 9999).number(0) == 14
    assert Free(Gap((9997,), None, odd=True), [], 1, 9999).count == 1
    assert [Free(Gap(None, None, odd=True, step=1), [], 1, 9).number(k) for k in range(3)] == [1, 2, 3]


def test_crowded_doors_spread_both_ways():
    assert fit([5.0, 5.0, 5.0], 20) == [4, 5, 6]
    assert fit([0.0, 0.0], 20) == [0, 1]
    assert fit([19.0, 19.0], 20) == [18, 19]
    assert fit([], 0) == []


@given(st.lists(st.floats(-50, 150), max_size=20), st.integers(0, 40))
def test_places_rise_and_stay_inside(wanted, more):
    wanted.sort()
    free = len(wanted) + more
    found = fit(wanted, free)
    assert len(found) == len(wanted)
    assert all(a < b for a, b in pairwise(found))
    assert all(0 <= k < free for k in found)


@given(st.sets(st.integers(1, 60)), st.integers(0, 30), st.integers(31, 60), st.booleans())
def test_free_numbers_are_those_not_taken(taken, low, high, odd):
    free = Free(Gap((low,), (high,), odd), sorted(taken), 1, 9999)
    plain = [n for n in range(low + 1, high) if n % 2 == odd and n not in taken]
    assert [free.number(k) for k in range(free.count)] == plain
    assert [free.place(n) for n in plain] == list(range(len(plain)))
