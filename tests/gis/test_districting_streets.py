"""Who answers for streets on borders, and the four bounds: small boards that can be checked on paper."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from api.services.wording import bounds_sentence
from gis.districting.checker import board
from gis.districting.holdings import Holding, holdings
from gis.districting.responsibility import IS_STREET, responsibilities_of
from gis.districting.sides import SIDES, Bound, Kind, four_bounds
from gis.territory.layers import make_sources, make_streets, texts

NAMES = {"street/1": "人民路"}


def vector(rows):
    letters = [c for row in rows for c in row if c != "."]
    return np.unique(letters, return_inverse=True)[1].astype(np.int32)


def test_a_named_street_between_two_grids_is_one_section_of_one_grid():
    atom_set, _ = board(["ab", "ab", "ab"])
    found = responsibilities_of(atom_set, vector(["ab", "ab", "ab"]), NAMES)
    assert (len(found), found.street[0], found.metres[0], found.street_class[0]) == (
        1,
        "人民路",
        300.0,
        "residential",
    )
    assert (found.grid[0], found.other[0], found.reason[0]) == (0, 1, "balance")  # a tie: the lower position
    assert found.source_ids[0] == "street/1"


def test_metres_are_balanced():
    # four grids in a row, three streets of one length: nobody has more than one
    rows = ["abcd"]
    atom_set, _ = board(rows)
    found = responsibilities_of(atom_set, vector(rows), {})
    assert np.bincount(found.grid, found.metres, 4).max() == 100.0


def test_the_side_with_buildings_answers_for_a_one_sided_street():
    atom_set, _ = board(["ab"])
    bare = replace(atom_set, building_atom=np.array([1], np.int32))  # a building in the eastern atom only
    found = responsibilities_of(bare, vector(["ab"]), NAMES)
    assert (found.grid[0], found.other[0], found.reason[0]) == (1, 0, "one_sided")


def along(*lines, **columns):
    """Streets of the input from pairs of points, ids n0, n1 ..."""
    return make_streets(
        [shapely.LineString(line) for line in lines], source_id=[f"n{i}" for i in range(len(lines))], **columns
    )


def test_a_street_on_the_outer_edge_belongs_to_the_grid_beside_it():
    atom_set, _ = board(["ab"])  # two squares of 100 m side by side, from (0, -100) to (200, 0)
    low, high = atom_set.geometry[0].bounds[1], atom_set.geometry[0].bounds[3]
    # along the north edge of both; across the south edge; in a tunnel below the south edge
    given = along([(0, high + 3), (200, high + 3)], [(50, low - 50), (50, low + 2)], name=["环城路", "南路"])
    found = responsibilities_of(atom_set, vector(["ab"]), {"n0": "环城路", "n1": "南路"}, given)
    edge = found.other == -1
    assert found.street[edge].tolist() == ["环城路"] * 2
    assert found.grid[edge].tolist() == [0, 1]
    assert found.metres[edge] == pytest.approx([100, 100])
    assert [g.length for g in found.geometry[edge]] == pytest.approx([100, 100])
    assert found.reason[edge].tolist() == ["outer_edge"] * 2
    assert found.source_ids[edge].tolist() == ["n0"] * 2
    assert len(found) == 3  # and the street between the two
    assert len(responsibilities_of(atom_set, vector(["ab"]), {})) == 1


def test_tunnels_and_streets_farther_off_are_no_outer_street():
    atom_set, _ = board(["a"])
    high = atom_set.geometry[0].bounds[3]
    given = along([(0, high), (100, high)], [(0, high + 13), (100, high + 13)], tunnel=[True, False])
    assert len(responsibilities_of(atom_set, vector(["a"]), {}, given)) == 0


def test_metres_on_the_outer_edge_count_in_the_balance():
    atom_set, _ = board(["ab"])
    high = atom_set.geometry[0].bounds[3]
    given = along([(0, high), (100, high)])
    found = responsibilities_of(atom_set, vector(["ab"]), {}, given)
    assert found.grid[found.other >= 0].tolist() == [1]  # a tie otherwise, which goes to the lower position


def test_the_nearest_of_two_outer_streets_is_the_one():
    atom_set, _ = board(["a"])
    high = atom_set.geometry[0].bounds[3]
    given = along([(0, high + 8), (100, high + 8)], [(0, high + 2), (100, high + 2)])
    found = responsibilities_of(atom_set, vector(["a"]), {}, given)
    assert found.source_ids.tolist() == ["n1"]


def test_borders_between_buildings_are_nobody_s_street():
    atom_set, _ = board(["aa"])
    assert len(responsibilities_of(atom_set, np.array([0, 1], np.int32), NAMES)) == 0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 3), min_size=16, max_size=16), st.lists(st.sampled_from("abc"), min_size=16, max_size=16)
)
def test_every_metre_of_street_on_a_border_is_given_out_once(parts, letters):
    atom_set, _ = board(["".join(letters[i : i + 4]) for i in range(0, 16, 4)])
    assignment = np.unique(parts, return_inverse=True)[1].astype(np.int32)
    found = responsibilities_of(atom_set, assignment, NAMES)
    s = atom_set.segments
    a, b = assignment[s.left], assignment[s.right]
    street = (a != b) & IS_STREET[s.kind]
    for low in range(4):
        for high in range(low + 1, 4):
            pair = street & (np.minimum(a, b) == low) & (np.maximum(a, b) == high)
            rows = (np.minimum(found.grid, found.other) == low) & (np.maximum(found.grid, found.other) == high)
            assert found.metres[rows].sum() == pytest.approx(s.metres[pair].sum())
    assert sum(g.length for g in found.geometry) == pytest.approx(found.metres.sum())


def sides(rows, *, names=NAMES, grids=None, communities=None, streets=None):
    """The four bounds of grids drawn as letters: a street between letters, cells within one."""
    atom_set, _ = board(rows)
    assignment = vector(rows) if grids is None else vector(grids)
    n = int(assignment.max()) + 1
    named = make_streets([], source_id=[], name=[]) if streets is None else streets
    lines = make_streets(
        [*named.geometry, *(shapely.LineString([(-9e5, 0), (-9e5, 1)]) for _ in names)],
        source_id=[*named.source_id, *names],
        name=[*named.name, *names.values()],
    )
    said = texts(communities or ["东社区"] * n)
    return four_bounds(
        atom_set, assignment, texts([f"{k + 1}格" for k in range(n)]), said, make_sources("EPSG:32649", streets=lines)
    )


def test_four_bounds_of_the_middle_of_nine():
    middle = sides(["aaa", "aba", "aaa"])[1]
    assert middle == dict.fromkeys(("east", "south", "west", "north"), (Bound("street", "人民路"),))
    assert bounds_sentence(middle, "zh-CN") == "东至人民路；南至人民路；西至人民路；北至人民路"
    assert bounds_sentence(middle, "en") == "east to 人民路; south to 人民路; west to 人民路; north to 人民路"


def test_unnamed_streets_say_who_lies_across_and_the_outer_edge_is_named():
    first, second = sides(["ab"], names={})
    assert first["east"] == (Bound("facing_street", "2格"),)
    assert second["west"] == (Bound("facing_street", "1格"),)
    assert first["west"] == first["north"] == first["south"] == (Bound("outside", ""),)
    assert bounds_sentence(first, "zh-CN") == "东至无名道路（对面为2格）；南至辖区边界；西至辖区边界；北至辖区边界"


def test_borders_between_buildings_name_the_grid_and_community_borders_the_community():
    cells = sides(["aa"], grids=["ab"])
    assert cells[0]["east"] == (Bound("grid", "2格"),)
    apart = sides(["aa"], grids=["ab"], communities=["东社区", "西社区"])
    assert apart[0]["east"] == (Bound("community", "西社区"),)
    assert "西社区界" in bounds_sentence(apart[0], "zh-CN")


def test_several_things_along_a_side_stand_from_north_to_south():
    # east of the grid a: first b, then c
    found = sides(["ab", "ac"], names={})[0]
    assert [b.name for b in found["east"]] == ["2格", "3格"]


def test_a_street_along_the_outer_edge_is_named():
    edge = make_streets([shapely.LineString([(0, 3), (200, 3)])], source_id=["n"], name=["环城路"])
    found = sides(["ab"], names={}, streets=edge)
    assert found[0]["north"] == (Bound("street", "环城路"),)
    assert found[0]["south"] == (Bound("outside", ""),)


def test_every_kind_of_bound_has_words_in_both_languages():
    named = {"street", "water", "rail", "wall", "community", "grid", "facing_street", "facing_lane"}
    bare = {"street", "lane", "water", "rail", "wall", "community", "grid", "outside"}
    assert named | bare == set(get_args(Kind))
    for bounds in [(k, "某") for k in sorted(named)] + [(k, "") for k in sorted(bare)]:
        for language in ("zh-CN", "en"):
            said = bounds_sentence(dict.fromkeys(SIDES, (bounds,)), language)
            assert "bounds." not in said


def test_holdings_are_ranges_of_building_numbers():
    grid = ["g", "g", "h", "g", "g", "h", "g", "g"]
    compound = ["和顺二期"] * 6 + ["康泰花园", ""]
    name = ["64栋", "65栋", "66栋", "85栋", "门卫室", "A座", "1栋", "老屋"]
    found = holdings(grid, compound, name)
    assert found["g"] == [
        Holding("和顺二期", False, ((64, 65), (85, 85)), (), 1),
        Holding("康泰花园", True, ((1, 1),), (), 0),
        Holding("", False, (), (), 1),
    ]
    assert found["h"] == [Holding("和顺二期", False, ((66, 66),), ("A",), 0)]


def test_a_range_goes_on_over_numbers_that_are_not_there():
    found = holdings(["g"] * 3, ["园"] * 3, ["64栋", "70栋", "85栋"])
    assert found["g"][0].ranges == ((64, 85),)
