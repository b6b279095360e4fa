"""Plans of drawn territories: squares of 100 m, a letter a block. Each answer can be checked on paper."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data import rulesets
from gis.districting import quarters
from gis.districting.borders import borders_of, grid_polygons
from gis.districting.checker import board
from gis.districting.measures import measure, measure_grids
from gis.districting.plan import make_plan
from gis.districting.report import report_of
from gis.errors import InputError
from gis.territory.model import Areas

RULES = rulesets.load("default")


def plan_of(drawn, counted, rules=RULES, **how):
    atom_set, graph = drawn
    counted = np.asarray(counted, np.int64)
    how = {"seed": 1, "iterations": 2, "communities": None, "work": counted.astype(float)} | how
    plan = make_plan(atom_set, graph, counted, counted, how.pop("work"), how.pop("communities"), rules, **how)
    return atom_set, plan


def drawn_as(plan, columns):
    """The plan as rows of letters, in the order of the grids' numbers."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    row = "".join(letters[g] for g in plan.assignment)
    return [row[i : i + columns] for i in range(0, len(row), columns)]


def communities(*codes):
    n = len(codes)
    return Areas(
        geometry=np.array([shapely.box(0, 0, 1, 1)] * n),
        source_id=np.array([f"c{i}" for i in range(n)], object),
        code=np.array(codes, object),
        name=np.array([f"社区{i}" for i in range(n)], object),
    )


def test_grids_are_the_blocks_when_blocks_fit():
    atom_set, plan = plan_of(board(["aabb", "aabb", "ccdd", "ccdd"]), [110] * 16)
    assert drawn_as(plan, 4) == ["AABB", "AABB", "CCDD", "CCDD"]
    assert list(plan.grids.name) == ["第一网格", "第二网格", "第三网格", "第四网格"]
    assert list(plan.grids.code) == [f"00000000000100{i}" for i in (1, 2, 3, 4)]
    assert plan.exit_status == 0
    report = report_of(atom_set, plan)
    assert report["on_street_share"] == 1.0
    assert report["certificate"]["status"] == "optimal"
    assert report["gap"] == pytest.approx(0.0, abs=1e-12)
    # four borders of 200 m along residential streets; four squares: 4 x 300 x (1 - pi / 4); 440 is 10 off the target
    assert report["objective_terms"]["border"] == pytest.approx(800.0)
    assert report["objective_terms"]["compactness"] == pytest.approx(4 * 300 * (1 - np.pi / 4))
    assert report["objective_terms"]["balance"] == pytest.approx(4 * 80 * (10 / 150) ** 2)
    assert report["objective_terms"]["range"] == 0.0


def test_a_block_too_large_is_cut_and_only_that_one():
    atom_set, plan = plan_of(board(["aabb", "aabb"]), [75, 75, 200, 200] * 2)  # 300 and 800
    assert len({*plan.assignment[atom_set.block == 0]}) == 1
    assert len({*plan.assignment[atom_set.block == 1]}) > 1
    assert plan.exceptions == ()


def test_measures_of_a_plan_by_hand():
    # one block of four squares in a row is cut in the middle; a street parts it from the row below
    drawn = board(["aaaa", "bbbb"])
    rules = RULES.with_bounds(minimum=350, maximum=450, target=400)
    atom_set, plan = plan_of(drawn, [200] * 4 + [100] * 4, rules)
    assert drawn_as(plan, 4) == ["AACC", "BBBB"]  # one row of grids: from west to east
    pooled, each = measure(atom_set, plan)
    assert (pooled.grids, pooled.households, len(each)) == (3, 1200, 1)
    assert pooled.border_metres == pytest.approx(500.0)
    assert pooled.on_street_share == pytest.approx(0.8)
    assert pooled.main_street_share == 0.0
    assert pooled.avoidable_off_street_share == 0.0  # block a holds 800: it had to be cut
    assert pooled.cv_households == 0.0
    assert pooled.contiguous_share == pooled.in_range_share == 1.0
    two, four = 4 * np.pi * 2 / 36, 4 * np.pi * 4 / 100
    assert pooled.compactness_mean == pytest.approx((2 * two + four) / 3)
    table = measure_grids(atom_set, plan)
    assert table.on_street_share == pytest.approx([2 / 3, 1.0, 2 / 3])
    borders = borders_of(atom_set, plan.assignment)
    assert shapely.length(borders.geometry).sum() == pytest.approx(500.0)
    assert sorted(zip(borders.left, borders.right, borders.basis, strict=True)) == [
        (0, 1, "street"),
        (0, 2, "cell"),
        (1, 2, "street"),
    ]
    assert set(borders.source_ids[borders.basis == "street"]) == {"street/1"}


def test_main_streets_are_chosen_before_lesser_ones():
    atom_set, plan = plan_of(board(["ab", "cd"], street="primary"), [225] * 4)
    assert len(plan.grids) == 2
    assert measure(atom_set, plan)[0].main_street_share == 1.0


def test_a_cut_that_could_be_avoided_is_counted():
    rules = replace(RULES.with_bounds(minimum=100, maximum=300, target=200), balance=1e6)
    atom_set, plan = plan_of(board(["aab"]), [100, 100, 100], rules)
    report = report_of(atom_set, plan)
    assert report["avoidable_off_street_share"] is None or report["avoidable_off_street_share"] >= 0.0
    cut = replace(plan, assignment=np.array([0, 1, 1], np.int32))
    grids = replace(
        plan.grids,
        **{f: np.resize(getattr(plan.grids, f), 2) for f in ("code", "name", "community", "kind", "note")},
        counted=np.array([100, 200]),
        households=np.array([100, 200]),
    )
    assert measure(atom_set, replace(cut, grids=grids))[0].avoidable_off_street_share == 1.0


def test_without_a_border_shares_are_null():
    atom_set, plan = plan_of(board(["aa"]), [200, 200])
    report = report_of(atom_set, plan)
    assert report["grids"] == 1
    assert report["on_street_share"] is report["main_street_share"] is report["avoidable_off_street_share"] is None
    assert report["certificate"]["status"] == "optimal"


@pytest.mark.parametrize(
    ("picture", "counted", "reason", "status"),
    [
        (["aa"], [100, 50], "small_community", "infeasible"),
        (["ab"], [700, 300], "large_building", "infeasible"),
        (["a.b"], [400, 100], "island", "infeasible"),
    ],
)
def test_every_grid_out_of_range_has_its_reason(picture, counted, reason, status):
    _, plan = plan_of(board(picture), counted)
    assert [(e.reason, e.proven) for e in plan.exceptions] == [(reason, True)]
    assert plan.communities[0].certificate.status == status
    assert plan.exit_status == 0
    assert plan.grids.note[plan.exceptions[0].grid] == reason


def test_no_number_of_grids_fits():
    rules = RULES.with_bounds(minimum=300, maximum=500)
    _, plan = plan_of(board(["abcdef"]), [95] * 6, rules)  # 570: above one grid's 500, below two grids' 600
    assert {(e.reason, e.households, e.proven) for e in plan.exceptions} == {("no_number_fits", 285, True)}
    _, plan = plan_of(board(["abc"]), [190] * 3, rules)  # 380 + 190 or 570: 110 or 70 amiss, buildings stay whole
    assert {(e.reason, e.households, e.proven) for e in plan.exceptions} == {("no_number_fits", 570, True)}
    assert plan.exit_status == 0
    _, plan = plan_of(board(["abcdef"]), [95] * 6, rules)
    assert plan.communities[0].certificate.status == "infeasible"


def test_communities_of_our_own_do_not_make_a_plan_impossible():
    # a heavy corner: a division into communities must leave it a way out
    rng = np.random.default_rng(4)
    counted = [150, 440, *rng.integers(80, 130, 94)]
    rows = ["".join(chr(97 + c // 2 + 8 * (r // 2)) for c in range(16)) for r in range(6)]
    _, plan = plan_of(board(rows), counted)
    assert plan.exceptions == ()


def test_geometry_that_has_no_plan_is_proven_and_named():
    # two ends of 250 hang on a heavy middle: together 1,000, each end too small, the middle too large with either
    _, plan = plan_of(board(["abc"]), [250, 500, 250])
    assert {(e.reason, e.at_fault, e.held, e.proven) for e in plan.exceptions} == {
        ("bottleneck", (0, 1, 2), 1000, True)
    }
    assert sorted(plan.grids.counted) == [250, 250, 500]  # 100 amiss is the least
    assert plan.communities[0].certificate.status == "infeasible"
    assert plan.communities[0].lower_bound == pytest.approx(plan.communities[0].objective.total)
    assert plan.exit_status == 0


def test_corners_do_not_join():
    atom_set, plan = plan_of(board(["a.", ".b"]), [400, 400])
    assert len(plan.grids) == 2
    assert measure(atom_set, plan)[0].contiguous_share == 1.0
    grids = replace(plan.grids, **{f.name: getattr(plan.grids, f.name)[:1] for f in fields(plan.grids)})
    joined = replace(plan, assignment=np.zeros(2, np.int32), grids=grids)
    assert not measure_grids(atom_set, joined).contiguous[0]


def test_nobody_at_home():
    _, plan = plan_of(board(["ab"]), [0, 0])
    assert (len(plan.grids), plan.grids.kind[0], plan.exceptions) == (1, "dedicated", ())
    assert plan.grids.code[0].endswith("901")
    _, plan = plan_of(board(["ab"]), [0, 0], replace(RULES, dedicated=False))
    assert [e.reason for e in plan.exceptions] == ["no_households"]
    assert plan.grids.kind[0] == "residential"


def test_empty_atoms_belong_to_a_grid():
    _, plan = plan_of(board(["aabb", "....", "bbcc"][:1]), [300, 0, 0, 300])
    assert (plan.assignment >= 0).all()


def test_given_communities_are_never_crossed():
    drawn = board(["aabb", "aabb"], ["xxyy", "xxyy"])
    areas = communities("340223100001", "340223100002")
    atom_set, plan = plan_of(drawn, [150] * 8, communities=areas)
    assert plan.communities_given
    for g in range(len(plan.grids)):
        assert len(set(atom_set.community[plan.assignment == g])) == 1
    assert list(plan.grids.code) == ["340223100001001", "340223100002001"]
    pooled, each = measure(atom_set, plan)
    assert (pooled.border_metres, pooled.on_street_share) == (200.0, 0.0)
    assert [m.grids for m in each] == [1, 1]
    assert pooled.avoidable_off_street_share == 0.0


def test_grids_are_numbered_row_by_row_from_the_north_west():
    _, plan = plan_of(board(["aabbcc", "aabbcc", "ddeeff", "ddeeff"]), [110] * 24)
    assert drawn_as(plan, 6) == ["AABBCC", "AABBCC", "DDEEFF", "DDEEFF"]


def test_weighted_work_is_balanced_where_the_ruleset_says_so():
    rules = replace(RULES.with_bounds(minimum=100, maximum=500, target=300), balance_on="work", balance=2000.0)
    work = np.array([4.0, 1, 1, 1, 1])  # the first door is as much work as the other four
    _, plan = plan_of(board(["abcde"]), [120] * 5, rules, work=work)
    assert drawn_as(plan, 5) == ["ABBBB"]


def test_territory_without_communities_is_cut_into_some():
    picture = ["".join(chr(97 + c // 2 + 6 * (r // 2)) for c in range(12)) for r in range(8)]
    atom_set, plan = plan_of(board(picture), [110] * 96)
    assert not plan.communities_given
    assert len(plan.communities) > 1
    held = np.bincount(plan.atom_community, plan.atom_counted)
    bounds = RULES.community_bounds()
    assert held.min() >= bounds.minimum
    assert held.max() <= bounds.maximum
    assert plan.communities[0].name == "第一社区"
    assert measure(atom_set, plan)[0].contiguous_share == 1.0


def test_faults_of_the_whole_input():
    atom_set, graph = board(["ab"])
    one = np.ones(2, np.int64)
    with pytest.raises(InputError, match="plan_lengths"):
        make_plan(atom_set, graph, one, np.ones(3, np.int64), one.astype(float), None, RULES)


def test_time_runs_out_and_can_be_replayed():
    drawn = board(["aabbccdd"] * 4)
    _, timed = plan_of(drawn, [60] * 32, iterations=None, seconds=0.0)
    _, again = plan_of(drawn, [60] * 32, iterations=timed.iterations)
    assert (timed.assignment == again.assignment).all()


def test_an_interrupt_keeps_the_last_whole_round():
    drawn = board(["aabbccdd"] * 4)

    def impatient(step, done, note=""):
        if step == "solve" and done < 1.0:  # round 0 went to judging the division into communities
            raise KeyboardInterrupt

    _, stopped = plan_of(drawn, [60] * 32, iterations=5, progress=impatient)
    assert stopped.iterations == 1
    assert (stopped.assignment == plan_of(drawn, [60] * 32, iterations=1)[1].assignment).all()


PICTURE = st.lists(st.text("aabbccdde.", min_size=6, max_size=6), min_size=2, max_size=5)


@settings(max_examples=15, deadline=None)
@given(PICTURE, st.integers(0, 3), st.randoms(use_true_random=False))
def test_whatever_is_drawn(picture, seed, lots):
    """Every atom once, grids of one piece, out of range only with a reason, twice the same."""
    drawn = board([row if set(row) != {"."} else "a" + row[1:] for row in picture])
    n = len(drawn[0].geometry)
    counted = [lots.choice([0, 0, 20, 80, 150, 300, 700]) for _ in range(n)]
    atom_set, plan = plan_of(drawn, counted, seed=seed)
    k = len(plan.grids)
    assert set(plan.assignment) == set(range(k))
    assert plan.grids.counted.sum() == sum(counted)
    assert measure_grids(atom_set, plan).contiguous.all()
    held = np.bincount(plan.assignment, counted, minlength=k)
    out = {
        g
        for g in range(k)
        if not RULES.residential.minimum <= held[g] <= RULES.residential.maximum and plan.grids.kind[g] != "dedicated"
    }
    assert out == {e.grid for e in plan.exceptions}
    assert len(set(plan.grids.code)) == k
    again = plan_of(drawn, counted, seed=seed)[1]
    assert (plan.assignment == again.assignment).all()
    polygons = grid_polygons(atom_set, plan.assignment)
    assert shapely.area(polygons).sum() == pytest.approx(n * 100.0 * 100.0)
    table = measure_grids(atom_set, plan)
    assert table.perimeter == pytest.approx(shapely.length(polygons))
    borders = borders_of(atom_set, plan.assignment)
    outline = shapely.length(shapely.union_all(atom_set.geometry))
    assert shapely.length(polygons).sum() == pytest.approx(2 * shapely.length(borders.geometry).sum() + outline)


def test_a_division_of_our_own_proves_nothing_about_small_communities():
    from gis.districting.assemble import _OF_ANY_DIVISION
    from gis.districting.exceptions import certificate_of
    from gis.districting.model import GridException

    large = GridException(0, "large_building", 0, 900, True)
    assert certificate_of([], (large,), True)[0].status == "infeasible"
    assert certificate_of([], (large,), False)[0].status == "none"
    assert "large_building" in _OF_ANY_DIVISION
    assert "small_community" not in _OF_ANY_DIVISION


@pytest.mark.parametrize("number", [4, 5, 6])
def test_the_number_of_grids_can_be_given(number):
    drawn = board(["aabbccdd", "aabbccdd", "eeffgghh", "eeffgghh"])
    _, plan = plan_of(drawn, [70] * 32, communities=communities("340223100001"), grids=number)  # 2,240 households
    assert len(plan.grids) == number
    assert plan.exceptions == ()


def test_a_number_of_grids_that_cannot_be_is_refused():
    drawn = board(["aabbccdd", "aabbccdd"], ["xxxxyyyy", "xxxxyyyy"])
    areas = communities("340223100001", "340223100002")
    with pytest.raises(InputError, match="plan_grids"):
        plan_of(drawn, [90] * 16, communities=areas, grids={1: 3})  # 720 households: 2 grids
    _, plan = plan_of(drawn, [90] * 16, communities=areas, grids={1: 2})
    assert list(plan.grids.community).count(1) == 2


def test_a_compound_stays_whole_where_another_border_costs_no_more():
    # six blocks in a row: two grids of three; a compound lies over the two in the middle
    drawn = board(["abcdef"])
    _, free = plan_of(drawn, [150] * 6)
    assert drawn_as(free, 6) == ["AAABBB"]
    middle = Areas(
        geometry=np.array([shapely.box(200, -100, 400, 0)]),
        source_id=np.array(["yard"], object),
        code=np.array([""], object),
        name=np.array(["和园"], object),
    )
    _, plan = plan_of(drawn, [150] * 6, compounds=middle)
    assert drawn_as(plan, 6) in (["AAAABB"], ["AABBBB"])
    assert plan.communities[0].objective.compound == 0.0
    # where no plan spares it, the cut is reported as a term of its own
    _, cut = plan_of(drawn, [150] * 6, replace(RULES.with_bounds(minimum=440), compound=3.0), compounds=middle)
    assert drawn_as(cut, 6) == ["AAABBB"]
    terms = cut.communities[0].objective
    assert (terms.border, terms.compound) == pytest.approx((100.0, 300.0))
    assert terms.total == pytest.approx(free.communities[0].objective.total + 300.0, rel=0.05)


def test_an_interrupt_inside_a_round_keeps_what_it_found(monkeypatch):
    rows = ["".join(chr(97 + c // 2 + 13 * (r // 2)) for c in range(24)) for r in range(4)]
    drawn = board(rows)  # two rows of twelve blocks
    how = {"communities": communities("340223100001")}
    monkeypatch.setattr(quarters, "GRIDS", 5)  # several quarters
    whole = quarters._solved
    calls = []

    def impatient(*of):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return whole(*of)

    monkeypatch.setattr(quarters, "_solved", impatient)
    _, plan = plan_of(drawn, [100] * 96, **how)
    assert plan.stopped
    assert (plan.assignment >= 0).all()
    held = plan.grids.counted
    assert ((held >= 300) & (held <= 600)).mean() > 0.5
