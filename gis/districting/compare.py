"""Two plans of the same place: which grid of one goes on as which of the other, and what moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array

from gis.territory.model import Floats, Ints, Texts

#: A thing without households still tells grids apart, but weighs little.
EMPTY: float = 0.01


@dataclass(frozen=True)
class Things:
    """What is compared: buildings (or atoms) by their ids, with the grid and households of each; ids are unique."""

    ids: Texts
    grid: Ints
    households: Ints


@dataclass(frozen=True)
class Compared:
    """``match[g]``: the grid of B that grid g of A goes on as (-1: none); ``shared``: their common households.

    ``both``: (n, 2) positions of things in A and in B; ``moved``: rows of ``both`` whose grid in B is not the one
    that theirs goes on as; ``only_a``/``only_b``: positions of things that the other plan does not have.
    """

    match: Ints
    shared: Ints
    both: Ints
    moved: Ints
    only_a: Ints
    only_b: Ints


def compare(a: Things, b: Things, grid_ids: tuple[Texts, Texts]) -> Compared:
    """Match the grids of two plans one to one and find what moved.

    Grids with the same permanent id go on as each other where they share anything; the others are matched so that
    the households (of B) that stay together are most.
    """
    place = {str(i): k for k, i in enumerate(b.ids)}
    pairs = [(k, place[str(i)]) for k, i in enumerate(a.ids) if str(i) in place]
    both = np.array(pairs, np.int64).reshape(-1, 2)
    households = b.households[both[:, 1]]
    shape = (len(grid_ids[0]), len(grid_ids[1]))
    where = (a.grid[both[:, 0]], b.grid[both[:, 1]])
    together = coo_array((households, where), shape=shape).toarray()
    things = coo_array((np.ones(len(both)), where), shape=shape).toarray()
    match = _matched(together + EMPTY * things, grid_ids)
    follows = match[a.grid[both[:, 0]]]
    moved = np.flatnonzero(follows != b.grid[both[:, 1]])
    known = np.flatnonzero(match >= 0)
    shared = np.zeros(len(match), np.int64)
    shared[known] = together[known, match[known]]
    return Compared(
        match=match,
        shared=shared,
        both=both,
        moved=moved.astype(np.int64),
        only_a=np.setdiff1d(np.arange(len(a.ids)), both[:, 0]),
        only_b=np.setdiff1d(np.arange(len(b.ids)), both[:, 1]),
    )


def _matched(overlap: Floats, grid_ids: tuple[Texts, Texts]) -> Ints:
    match = np.full(overlap.shape[0], -1, np.int64)
    by_id = {str(i): k for k, i in enumerate(grid_ids[1]) if i}
    for g, i in enumerate(grid_ids[0]):
        same = by_id.get(str(i), -1) if i else -1
        if same >= 0 and overlap[g, same] > 0:
            match[g] = same
    rows = np.flatnonzero(match < 0)
    columns = np.setdiff1d(np.arange(overlap.shape[1]), match)
    chosen, partner = linear_sum_assignment(-overlap[np.ix_(rows, columns)])
    for r, c in zip(rows[chosen], columns[partner], strict=True):
        if overlap[r, c] > 0:
            match[r] = c
    return match
