"""Every shipped ruleset on the sample town: the plan meets its rules, or says where it does not as they want it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from api.services.plans.planning import Job, cut, solve
from data import rulesets
from data.files import read_sources
from gis.districting.codes import CODES_12
from gis.districting.measures import measure_grids
from gis.districting.report import report_of
from gis.districting.responsibility import IS_STREET, responsibilities_of
from gis.districting.sides import four_bounds, names_of_lines
from gis.territory.check import prepare

TOWN = Path(__file__).parents[2] / "data" / "samples" / "town.gpkg"
#: Digits of a grid's code.
DIGITS = {"renminxincun": 14, "cjt349": 20}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sources():
    return prepare(read_sources(TOWN))


@pytest.fixture(scope="module", params=rulesets.names())
def planned(request, sources):
    rules = rulesets.load(request.param)
    made = cut(sources, rules)
    return made, solve(made, Job(rules, iterations=1))


def test_every_grid_is_of_one_piece_within_its_rules_or_named(planned):
    made, plan = planned
    rules, grids = plan.ruleset, plan.grids
    assert measure_grids(made.atom_set, plan).contiguous.all()
    named = {e.grid for e in plan.exceptions}
    for g in range(len(grids)):
        if grids.kind[g] == "dedicated":
            assert (grids.counted[g], grids.households[g]) == (0, 0)
            assert rules.dedicated
            continue
        bounds = rules.rural if grids.kind[g] == "rural" else rules.residential
        assert bounds.minimum <= grids.counted[g] <= bounds.maximum or g in named
    assert int(grids.households.sum()) == int(made.households.sum())
    if not rules.strict:
        assert plan.exit_status == 0  # a wish: told, not failed


def test_codes_are_unique_of_one_length_and_in_their_range(planned):
    _, plan = planned
    rules, grids = plan.ruleset, plan.grids
    assert len(set(grids.code)) == len(grids)
    assert {len(c) for c in grids.code} == {DIGITS.get(rules.name, 15)}
    assert all(CODES_12.search(plan.communities[c].code12) for c in grids.community)
    dedicated = grids.kind == "dedicated"
    assert (grids.number[dedicated] >= rules.dedicated_from).all()
    assert (grids.number[~dedicated] < rules.dedicated_from).all()
    if rules.undivided_zero:
        alone = [c for c in range(len(plan.communities)) if (grids.community == c).sum() == 1]
        assert all(grids.number[grids.community == c] == 0 for c in alone)


def test_dedicated_grids_where_the_rules_name_kinds(planned):
    _, plan = planned
    dedicated = plan.grids.kind == "dedicated"
    if plan.ruleset.dedicated_kinds:
        assert dedicated.any()
        assert all(str(name).endswith("专属网格") for name in plan.grids.name[dedicated])
    if not plan.ruleset.dedicated:
        assert not dedicated.any()


def test_rule_practice_and_plan_stand_side_by_side(planned):
    made, plan = planned
    report = report_of(made.atom_set, plan)
    shown = {(f["role"], f["measure"]): (f["figure"], f["plan"]) for f in report["figures"]}
    residential = plan.grids.kind == "residential"
    mean = plan.grids.households[residential].mean()
    if plan.ruleset.name == "longhui":
        assert shown["rule", "households"] == (900, pytest.approx(mean))
        assert shown["practice", "households"] == (385, pytest.approx(mean))
        assert shown["practice", "building_units"] == (12.8, pytest.approx(mean / 30))
    if plan.ruleset.people is not None:
        people = np.rint(plan.grids.households[residential] * plan.ruleset.persons)
        bounds = plan.ruleset.people
        outside = (people < bounds.minimum) | (people > bounds.maximum)
        assert len(report["warnings"]) == int(outside.sum())
    assert all(c["pieces"] == 1 for c in report["communities"])


def test_streets_on_borders_have_one_grid_and_every_grid_four_bounds(planned):
    made, plan = planned
    names = names_of_lines(made.sources)
    found = responsibilities_of(made.atom_set, plan.assignment, names)
    s = made.atom_set.segments
    between = plan.assignment[s.left] != plan.assignment[s.right]
    assert found.metres.sum() == pytest.approx(s.metres[between & IS_STREET[s.kind]].sum())
    titles = np.array([c.name for c in plan.communities], object)[plan.grids.community]
    sides = four_bounds(made.atom_set, plan.assignment, plan.grids.name, titles, made.sources)
    assert len(sides) == len(plan.grids)
    assert all(1 <= len(bounds) <= 3 for grid in sides for bounds in grid.values())
    assert all(len(grid) == 4 for grid in sides)
