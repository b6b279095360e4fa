"""Plans of a synthetic city of a thousand atoms as one community (its generator is read where it lies)."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from data import rulesets
from gis.districting import search
from gis.districting.kernels import UnitArrays
from gis.districting.units import Units, pieces

GENERATOR = Path(__file__).parents[3] / "shared" / "sketches" / "partition" / "gen.py"
PRICES = np.array([4.0, 1.0, 0.5, 0.25])  # inside a block, residential, secondary, primary
RULES = rulesets.load("default")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not GENERATOR.is_file(), reason=f"the city's generator is not there: {GENERATOR.name}"),
]


def city(atoms, seed):
    """The generator's arrays, and its graph as units."""
    spec = importlib.util.spec_from_file_location("city_generator", GENERATOR)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with np.errstate(all="ignore"):
        d, _, _ = module.gen(atoms, seed)
    n = len(d["hh"])
    heads, tails = np.r_[d["eu"], d["ev"]], np.r_[d["ev"], d["eu"]]
    order = np.lexsort((tails, heads))
    start = np.concatenate([[0], np.cumsum(np.bincount(heads, minlength=n))])
    metres, price = d["el"].sum(1), d["el"] @ PRICES
    arrays = UnitArrays(
        start.astype(np.int64),
        tails[order].astype(np.int64),
        np.r_[price, price][order],
        np.r_[metres, metres][order],
        d["hh"].astype(np.int64),
        d["hh"].astype(float),
        d["area"],
        d["perim"],
        d["block"].astype(np.int64),
    )
    return d, Units(arrays, d["x"], d["y"])


@pytest.mark.parametrize("seed", [11, 12])
def test_a_city_in_range_of_one_piece_on_streets(seed):
    d, units = city(1000, seed)
    terms = search.terms_of(RULES, RULES.residential)
    found = search.start(units, RULES.residential, terms, RULES.outside, 1)
    for lots in range(2):
        found = search.better(units, RULES.residential, terms, RULES.outside, found, lots)
    found = search.settled(units, RULES.residential, terms, RULES.outside, found)
    part = found.part
    k = int(part.max()) + 1
    held = np.bincount(part, d["hh"])
    assert held.min() >= 300
    assert held.max() <= 600
    assert len(np.unique(pieces(units.arrays, part))) == k
    assert held.std() / held.mean() <= 0.157  # what METIS reaches
    crossing = part[d["eu"]] != part[d["ev"]]
    border = d["el"][crossing]
    assert border[:, 1:].sum() / border.sum() >= 0.853 + 0.03
    block = d["block"]
    small = np.bincount(block, d["hh"]) <= 600
    inside = (block[d["eu"]] == block[d["ev"]])[crossing] & small[block[d["eu"]]][crossing]
    assert border[inside, 0].sum() / border.sum() <= 0.005
    sums = search.sums_of(units, part)
    assert (4 * np.pi * sums.area / sums.perimeter**2).mean() >= 0.6
    assert found.proof is not None
    assert 0.95 * found.cost <= found.proof.bound <= found.cost + 1e-6
