"""Units that a plan cuts are of one piece each, whatever the plan does to a block."""

from __future__ import annotations

import numpy as np

from gis.districting.checker import board
from gis.districting.clusters import cut_by
from gis.districting.units import atom_units, pieces
from gis.territory.classes import BORDER_CLASSES


def test_a_grid_with_both_ends_of_a_block_holds_two_units():
    atom_set, graph = board(["aaa", "bbb"])
    one = np.ones(6, np.int64)
    units = atom_units(atom_set, graph, np.ones(len(BORDER_CLASSES)), one, one.astype(float))
    block = atom_set.block.astype(np.int64)
    part = np.array([0, 1, 0, 0, 0, 0])  # joined through block b
    found = cut_by(units, block, part)
    assert found.tolist() == [0, 1, 2, 3, 3, 3]
    assert (pieces(units.arrays, found) == found).all()
