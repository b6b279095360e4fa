"""Dedicated grids: what is taken out, what stays public space of the grid around it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

from data import rulesets
from gis.districting.checker import board
from gis.districting.dedicated import places_of
from gis.districting.measures import measure, measure_grids
from gis.districting.plan import make_plan
from gis.districting.rulesets import Bounds
from gis.territory.layers import make_buildings, make_sites

RULES = replace(
    rulesets.load("lugu"), count="all", residential=Bounds(300, 400, 600), dedicated_area=10_000.0, micro=None
)
#: Sixteen squares of 100 m; a street between letters.
ROWS = ["aabb", "aabb", "ccdd", "ccdd"]


def planned(empty, sites, rows=ROWS, communities=None, rules=RULES, uses=None, each=100):
    """A plan of a board: nobody lives in ``empty``, ``each`` households elsewhere; sites are (name, kind, box)."""
    atom_set, graph = board(rows, communities)
    n = len(atom_set.geometry)
    households = np.full(n, each, np.int64)
    households[list(empty)] = 0
    buildings = make_buildings(shapely.centroid(atom_set.geometry).tolist(), use=uses or [""] * n)
    marked = make_sites(
        [shapely.box(*box) for _, _, box in sites], kind=[k for _, k, _ in sites], name=[n for n, _, _ in sites]
    )
    places = places_of(atom_set, households, buildings, marked, rules)
    work = households.astype(np.float64)
    plan = make_plan(atom_set, graph, households, households, work, None, rules, places=places, iterations=1)
    return atom_set, plan


def dedicated(plan):
    grids = plan.grids
    return {
        str(grids.name[g]): np.flatnonzero(plan.assignment == g).tolist()
        for g in range(len(grids))
        if grids.kind[g] == "dedicated"
    }


def test_a_school_becomes_a_grid_of_its_own_with_a_code_of_its_range():
    atom_set, plan = planned([5], [("第一中学", "school", (105, -195, 195, -105))])
    assert dedicated(plan) == {"第一中学专属网格": [5]}
    g = int(np.flatnonzero(plan.grids.kind == "dedicated")[0])
    assert plan.grids.code[g].endswith("901")
    assert (plan.grids.number[g], plan.grids.counted[g], plan.grids.households[g]) == (901, 0, 0)
    assert measure_grids(atom_set, plan).contiguous.all()
    pooled, _ = measure(atom_set, plan)
    assert pooled.in_range_share == 1.0  # counted without the dedicated one
    assert not plan.exceptions
    assert plan.communities[0].objective.range == 0.0
    assert set(plan.assignment) == set(range(len(plan.grids)))  # no square without a grid


def test_two_squares_of_one_campus_are_one_grid():
    _, plan = planned([5, 6], [("师范学院", "campus", (105, -195, 295, -105))])
    assert dedicated(plan) == {"师范学院专属网格": [5, 6]}


@pytest.mark.parametrize(
    ("empty", "site", "rules"),
    [
        ([5], ("水厂", "station", (105, -195, 195, -105)), RULES),  # a kind the rules do not name
        ([], ("第一中学", "school", (105, -195, 195, -105)), RULES),  # people live there
        ([5], ("第一中学", "school", (105, -195, 195, -105)), replace(RULES, dedicated_area=10_001.0)),  # too small
        ([5], ("第一中学", "school", (105, -195, 130, -105)), RULES),  # its building stands elsewhere
        ([5], ("第一中学", "school", (105, -195, 195, -105)), replace(RULES, dedicated=False, dedicated_kinds=())),
    ],
)
def test_what_stays_public_space_of_the_grid_around_it(empty, site, rules):
    _, plan = planned(empty, [site], rules=rules)
    assert dedicated(plan) == {}
    assert (plan.grids.kind == "residential").all()


def test_a_place_that_would_cut_households_off_stays():
    # a wall of empty squares before the last column, which alone is too small for a grid
    _, plan = planned([1], [("公园", "park", (105, -95, 195, -5))], rows=["abcdefg"], each=150)
    assert dedicated(plan) == {}
    # with enough households behind it, it may go
    _, plan = planned([3], [("公园", "park", (305, -95, 395, -5))], rows=["abcdefg"], each=150)
    assert dedicated(plan) == {"公园专属网格": [3]}


def test_an_empty_bit_that_is_cut_off_joins_the_place():
    _, plan = planned([0, 1], [("公园", "park", (105, -95, 195, -5))], rows=["abcdefg"], each=150)
    assert dedicated(plan) == {"公园专属网格": [0, 1]}


def test_a_place_across_two_communities_is_one_grid_in_each():
    atom_set, graph = board(["aabb"], ["aabb"])
    households = np.array([400, 0, 0, 400], np.int64)
    sites = make_sites([shapely.box(105, -95, 295, -5)], kind=["mall"], name=["时代广场"])
    buildings = make_buildings(shapely.centroid(atom_set.geometry).tolist())
    places = places_of(atom_set, households, buildings, sites, RULES)
    plan = make_plan(atom_set, graph, households, households, households * 1.0, None, RULES, places=places)
    kinds = plan.grids.kind[plan.assignment].tolist()
    assert kinds == ["residential", "dedicated", "dedicated", "residential"]
    assert plan.assignment[1] != plan.assignment[2]


def test_buildings_that_say_their_use_need_no_site():
    uses = ["", "", "", "", "", "school", "school", "", *[""] * 8]
    _, plan = planned([5, 6], [], rows=["aaaa"] * 4, uses=uses)
    assert sorted(dedicated(plan).values()) == [[5, 6]]
