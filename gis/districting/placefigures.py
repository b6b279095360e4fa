"""A place's published figures beside a plan's: rule and practice are both shown, neither is forced."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from gis.blocks.model import AtomSet
from gis.districting.model import Plan
from gis.districting.rulesets import Figure
from gis.districting.units import JOINED_METRES, connected


def grid_means(atom_set: AtomSet, plan: Plan) -> dict[str, float]:
    """Means over residential grids, by the measures of ``Figure``; what is not known is left out."""
    which = plan.grids.kind == "residential"
    n = len(plan.grids)
    if not which.any():
        return {}
    rules = plan.ruleset
    households = float(plan.grids.households[which].mean())
    area = np.bincount(plan.assignment, shapely.area(atom_set.geometry), n)[which]
    held = plan.assignment[atom_set.building_atom[atom_set.building_atom >= 0]]
    found = {"households": households, "km2": float(area.mean()) / 1e6}
    if len(held):
        found["buildings"] = float(np.bincount(held, minlength=n)[which].mean())
    if rules.building_unit:
        found["building_units"] = households / rules.building_unit
    if rules.persons:
        found["people"] = households * rules.persons
    return found


def beside(figures: tuple[Figure, ...], means: dict[str, float]) -> list[dict[str, Any]]:
    """Each figure of a grid beside the plan's mean, where the plan has one."""
    return [
        {
            "what": f.what,
            "title_en": f.title_en,
            "role": f.role,
            "measure": f.measure,
            "arithmetic": f.arithmetic,
            "figure": f.gives,
            "plan": means[f.measure],
        }
        for f in figures
        if f.measure in means
    ]


def warnings_of(plan: Plan) -> list[dict[str, Any]]:
    """Residential grids whose people are out of what the ruleset wishes: told, never refused."""
    rules, grids = plan.ruleset, plan.grids
    if rules.people is None:
        return []
    out: list[dict[str, Any]] = []
    for g in np.flatnonzero(grids.kind == "residential").tolist():
        people = round(float(grids.households[g]) * rules.persons)
        if not rules.people.minimum <= people <= rules.people.maximum:
            out.append({"grid": str(grids.code[g]), "reason": "population", "people": people})
    return out


def community_pieces(atom_set: AtomSet, plan: Plan) -> list[int]:
    """Of how many parts that do not touch along an edge each community is made: 1 where all is well."""
    s = atom_set.segments
    community = plan.atom_community
    n = len(atom_set.geometry)
    pair, inverse = np.unique(s.left.astype(np.int64) * n + s.right, return_inverse=True)
    joined = pair[np.bincount(inverse, s.metres, minlength=len(pair)) > JOINED_METRES]
    heads, tails = joined // n, joined % n
    same = community[heads] == community[tails]
    first = np.unique(connected(heads[same], tails[same], n), return_index=True)[1]
    counts: list[int] = np.bincount(community[first], minlength=len(plan.communities)).tolist()
    return counts
