"""Windows of opened blocks: a grid out of range and its neighbours, every way to redraw them listed, the best chosen.

Never worse than before.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from gis.districting import partition
from gis.districting.kernels import Int, Terms, grid_cost
from gis.districting.regions import Regions, gather, regions
from gis.districting.units import Units, edges, pieces

#: Units of a window, and limits of its list of regions.
UNITS: Final = 60
FEWEST_UNITS: Final = 20
MOST_REGIONS: Final = 60_000
MOST_VISITS: Final = 150_000
MOST_MEMBERS: Final = 40
#: Passes over all grids out of range, each opening once, that may better nothing before no more are made.
IDLE: Final = 3
#: Gain (share of its cost) below which a window is left as it is.
WORTH: Final = 1e-4


def repair(units: Units, part: Int, terms: Terms, outside: float, rng: np.random.Generator, tries: int = 8) -> Int:
    """Windows around every grid out of range, opened down to single units, from 3 grids to more."""
    part = part.copy()
    members = _members(part)
    place = np.full(len(units), -1, np.int64)
    idle = 0
    for t in range(tries):
        bad = [g for g, m in members.items() if _mendable(units.arrays.counted[m], terms)]
        if not bad or (t >= 3 and 2 + t >= len(members)):  # every opening was tried on the whole plan
            break
        if idle >= IDLE:  # wider windows would not help either
            break
        idle += 1
        for g in bad:
            if g in members:
                chosen = _around(units, part, members, g, 3 + t, rng)
                above = (60.0, 450.0, 150.0)[t % 3]
                if redraw(units, part, members, chosen, terms, outside, rng, place, open_above=above):
                    idle = 0
    return part


def _mendable(counted: Int, terms: Terms) -> bool:
    """Whether a grid is out of range, and not because of a single unit too large for any grid."""
    return not terms.minimum <= counted.sum() <= terms.maximum and counted.max() <= terms.maximum


def redraw(
    units: Units,
    part: Int,
    members: dict[int, Int],
    chosen: list[int],
    terms: Terms,
    outside: float,
    rng: np.random.Generator,
    place: Int,
    open_above: float | None = None,
) -> bool:
    """Solve one window exactly over units that the present plan is made of; changes ``part`` when that is better."""
    atoms = np.sort(np.concatenate([members[g] for g in chosen]))
    sub = units.window(atoms, place)
    now = np.searchsorted(np.array(sorted(chosen)), part[atoms])
    label = _fragments(sub, now, terms, open_above)
    most = UNITS
    while True:
        label = _joined(sub, label, now, most, terms, rng)
        small = sub.contract(label)
        found = regions(small.arrays, terms, MOST_REGIONS, MOST_VISITS, MOST_MEMBERS)
        most = min(most, len(small)) * 3 // 4
        if found.complete or most < FEWEST_UNITS:
            break
    now_of = np.zeros(len(small), np.int64)
    now_of[label] = now
    present, known = present_regions(small, now_of, terms, outside)
    every = joined_regions(found, present)
    choice = partition.choose(every, len(small), known - WORTH * abs(known), partition.QUICK)
    if choice.chosen is None:
        return False
    fresh = np.empty(len(small), np.int64)
    for i, j in enumerate(choice.chosen):
        fresh[every.unit[every.start[j] : every.start[j + 1]]] = i
    names = sorted(chosen)
    names += [max(members) + 1 + i for i in range(len(choice.chosen) - len(names))]
    for g in chosen:
        del members[g]
    grid_of = fresh[label]
    for i in range(len(choice.chosen)):
        mine = atoms[grid_of == i]
        part[mine] = names[i]
        members[names[i]] = mine
    return True


def _members(part: Int) -> dict[int, Int]:
    order = np.argsort(part, kind="stable")
    split = np.split(order, np.cumsum(np.bincount(part))[:-1])
    return {g: m for g, m in enumerate(split) if len(m)}


def _around(
    units: Units, part: Int, members: dict[int, Int], centre: int, grids: int, rng: np.random.Generator
) -> list[int]:
    """A grid and its neighbours, ring by ring, in random order within a ring."""
    a = units.arrays
    out = [centre]
    held = {centre}
    at = 0
    while at < len(out) and len(out) < grids:
        mine = members[out[at]]
        near = np.concatenate([part[a.neighbour[a.start[v] : a.start[v + 1]]] for v in mine])
        ring = np.unique(near)
        rng.shuffle(ring)
        for g in ring:
            if int(g) not in held and len(out) < grids:
                held.add(int(g))
                out.append(int(g))
        at += 1
    return out


def _fragments(sub: Units, now: Int, terms: Terms, open_above: float | None) -> Int:
    """Connected fragments of blocks within present grids; heavy ones are opened to single units."""
    key = now * (int(sub.arrays.block.max()) + 2) + sub.arrays.block
    label = pieces(sub.arrays, key)
    heavy = np.bincount(label, sub.arrays.counted) > (terms.maximum if open_above is None else open_above)
    if not heavy.any():
        return label
    label = np.where(heavy[label], label.max() + 1 + np.arange(len(label)), label)
    return np.asarray(np.unique(label, return_inverse=True)[1], np.int64)


def _joined(sub: Units, label: Int, now: Int, most: int, terms: Terms, rng: np.random.Generator) -> Int:
    """Join units within their present grids: empty ones, then the smallest until no more than ``most`` are left."""
    small = sub.contract(label)
    owner = np.zeros(len(small), np.int64)
    owner[label] = now
    jitter = rng.uniform(0.6, 1.4, len(small))
    return np.asarray(gather(small.arrays, owner, 1.0, most, terms.maximum, jitter)[label], np.int64)


def present_regions(small: Units, now: Int, terms: Terms, outside: float) -> tuple[Regions, float]:
    """The present grids as regions, and what they cost together."""
    a = small.arrays
    k = int(now.max()) + 1
    heads, tails = edges(a)
    crossing = now[heads] != now[tails]
    border = 0.5 * np.bincount(now[heads[crossing]], a.price[crossing], minlength=k)
    inner = np.bincount(now[heads[~crossing]], a.metres[~crossing], minlength=k)
    counted = np.bincount(now, a.counted, minlength=k)
    load = np.bincount(now, a.load, minlength=k)
    area = np.bincount(now, a.area, minlength=k)
    perimeter = np.bincount(now, a.perimeter, minlength=k) - inner
    cost = np.array(
        [border[g] + grid_cost(int(counted[g]), load[g], area[g], perimeter[g], terms, outside) for g in range(k)]
    )
    order = np.argsort(now, kind="stable").astype(np.int32)
    start = np.concatenate([[0], np.cumsum(np.bincount(now, minlength=k))]).astype(np.int64)
    return Regions(order, start, cost, True), float(cost.sum())


def joined_regions(found: Regions, present: Regions) -> Regions:
    """Both lists as one."""
    return Regions(
        np.concatenate([found.unit, present.unit]),
        np.concatenate([found.start, found.start[-1] + present.start[1:]]),
        np.concatenate([found.cost, present.cost]),
        found.complete,
    )
