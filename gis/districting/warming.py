"""Compiling: every kernel once, on small boards, with the types that plans use."""

from __future__ import annotations

import numpy as np

from gis.districting import districts, infeasible, microgrids, partition, relaxation, search, windows
from gis.districting.checker import board
from gis.districting.plan import make_plan
from gis.districting.regions import regions
from gis.districting.rulesets import Bounds, Ruleset
from gis.districting.units import atom_units


def warm() -> None:
    """Compile every kernel into numba's cache, where it is not there yet."""
    rules = _rules()
    atom_set, graph = board(["aabbccdd", "aabbccdd", "eeffgghh"], metres=50.0)
    counted = np.full(24, 110, np.int64)
    make_plan(atom_set, graph, counted, counted, counted.astype(float), None, rules, iterations=1)
    units = atom_units(atom_set, graph, rules.class_prices(), counted, counted.astype(float))
    terms = search.terms_of(rules, rules.residential)
    part = search.first_plan(units, rules.residential)
    windows.repair(units, np.arange(24, dtype=np.int64), terms, rules.outside, np.random.default_rng(1))
    relaxation.warm()
    districts.warm()
    infeasible.warm(units, terms)
    microgrids.warm()
    search.traded(units, search.Search(part, np.inf, 0), terms, rules.outside, 1)
    search.mend(units, np.arange(24, dtype=np.int64), rules.residential)
    found = regions(units.contract(atom_set.block.astype(np.int64)).arrays, terms, 1000, 10_000, 10)
    partition.by_cover(found, np.arange(len(found.cost)), np.zeros(len(found.cost)), 8, 1.0, 0.0, partition.QUICK)


def _rules() -> Ruleset:
    words = ("cell", "residential", "secondary", "primary", "water", "rail", "wall", "community")
    bounds = Bounds(300, 450, 600)
    return Ruleset(
        name="warm",
        title="",
        verified=True,
        sources=(),
        count="all",
        strict=True,
        residential=bounds,
        rural_rule="none",
        rural=bounds,
        dedicated=True,
        communities=Bounds(1, 10, 20),
        prices=dict.fromkeys(words, 1.0),
        balance=15.0,
        balance_on="counted",
        compactness=60.0,
        outside=400.0,
        code="{division:12}{number:3}",
        dedicated_from=901,
        grid_name="第{ordinal}网格",
        digest="",
    )
