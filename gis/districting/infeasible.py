"""Why a piece cannot be divided within the bounds: proofs over its finest units, and the units at fault.

Every argument here is a necessary condition of *any* division into connected grids within the bounds; where one
fails, none exists, whatever is cut. From the plainest to the dearest:

- a unit holds more than the maximum (``large_building``), or the whole fits no number of grids (``no_number_fits``);
- ``bottleneck``: parts hang on one unit. A part with fewer households than the minimum must join the grid of the
  unit that it hangs on; one with more leaves that grid what its own grids cannot hold. The sums do not fit;
- ``enclosed``: no connected set of units within the bounds holds this unit;
- ``no_division``: of all connected sets within the bounds no choice holds each of some units once. Where the sets
  are too many, units of few households are taken as sand: it joins what it touches and fills up any grid, which
  only makes dividing easier.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from gis.compiling import njit
from gis.districting import partition
from gis.districting.clusters import numbered
from gis.districting.kernels import Int, Terms, UnitArrays
from gis.districting.regions import Regions, crowd, regions
from gis.districting.relaxation import relax
from gis.districting.units import Units, edges, pieces

#: Sets looked at for one unit, and listed for one argument.
VISITS: Final = 200_000
MOST_SETS: Final = 200_000
#: Shares of the minimum below which units are taken as sand.
SAND: Final = (0.0, 0.04, 0.1, 0.2, 0.34)
#: Units of a hanging part of which every sum is made; of more, every sum is taken as possible.
SUMMED: Final = 64
#: How far (steps) around a grid out of range the units are that are looked at together.
AROUND: Final = 2
#: An argument of a linear program counts where it fails by more than this (units left uncovered).
CLEAR: Final = 1e-3


@dataclass(frozen=True)
class Fault:
    """Units (positions in the piece) that no division holds within the bounds, and why.

    ``households``: what they hold together; ``centre``: the unit the argument turns on, or -1.
    """

    reason: str
    units: tuple[int, ...]
    households: int
    centre: int = -1


def faults(units: Units, terms: Terms, bad: Int) -> list[Fault]:
    """Proofs that some grid must be out of range, on units of their own each; none: nothing could be proven.

    ``bad``: units of the present plan's grids out of range, where the dearer arguments look.
    """
    heavy = np.flatnonzero(units.arrays.counted > terms.maximum)
    found = [_fault(units, "large_building", [int(u)], int(u)) for u in heavy]
    if len(heavy):  # each fills a grid of its own; whether the others can be divided is asked as if it just did
        counted = np.minimum(units.arrays.counted, int(terms.maximum))
        units = replace(units, arrays=units.arrays._replace(counted=counted))
    return found + _others(units, terms, bad)


def _others(units: Units, terms: Terms, bad: Int) -> list[Fault]:
    """Faults beside the units above the maximum."""
    if not fits(int(units.arrays.counted.sum()), terms):
        return [_fault(units, "no_number_fits", list(range(len(units))), -1)]
    label, found = _forced(units, terms)
    if found:
        return found
    small = units.contract(label)
    there = np.zeros(len(small), np.bool_)
    there[label[bad]] = True
    found = _uneven(small, terms) or _enclosed(small, terms, np.flatnonzero(_near(small, there, 1)))
    if not found:
        found = _undividable(small, terms, there)
    return [_spread(units, label, f) for f in found]


def fits(total: int, terms: Terms) -> bool:
    """Whether some number of grids holds ``total`` households."""
    return total >= 0 and -(-total // max(terms.maximum, 1.0)) <= total // max(terms.minimum, 1.0)


def _fault(units: Units, reason: str, which: list[int], centre: int) -> Fault:
    return Fault(reason, tuple(which), int(units.arrays.counted[which].sum()), centre)


def _spread(units: Units, label: Int, fault: Fault) -> Fault:
    """A fault of joined units as one of the units."""
    which = np.flatnonzero(np.isin(label, np.array(fault.units)))
    centre = -1
    if fault.centre >= 0:
        mine = np.flatnonzero(label == fault.centre)
        centre = int(mine[np.argmax(units.arrays.counted[mine])])
    return _fault(units, fault.reason, [int(u) for u in which], centre)


def _disjoint(found: list[Fault]) -> list[Fault]:
    """The smallest faults that share no unit."""
    out: list[Fault] = []
    used: set[int] = set()
    for fault in sorted(found, key=lambda f: (len(f.units), f.units)):
        if not used & set(fault.units):
            used |= set(fault.units)
            out.append(fault)
    return out


# ---------------------------------------------------------------- parts that hang on one unit


@njit(cache=True, nogil=True)
def depth_first(units: UnitArrays) -> tuple[Int, Int, Int, Int]:
    """Units of a connected graph in depth-first order, their parents, the end of the subtree of each place in the
    order, and the earliest place that the subtree reaches by an edge past its parent."""
    n = len(units.counted)
    place = np.full(n, -1, np.int64)
    order = np.empty(n, np.int64)
    parent = np.full(n, -1, np.int64)
    low = np.empty(n, np.int64)
    end = np.empty(n, np.int64)
    turn = units.start[:-1].copy()
    stack = np.empty(n, np.int64)
    order[0] = 0
    place[0] = 0
    low[0] = 0
    stack[0] = 0
    depth = 1
    count = 1
    while depth > 0:
        v = stack[depth - 1]
        if turn[v] < units.start[v + 1]:
            w = units.neighbour[turn[v]]
            turn[v] += 1
            if place[w] < 0:
                parent[w] = v
                place[w] = count
                order[count] = w
                low[count] = count
                stack[depth] = w
                depth += 1
                count += 1
            elif w != parent[v]:
                low[place[v]] = min(low[place[v]], place[w])
        else:
            depth -= 1
            end[place[v]] = count
            if depth > 0:
                p = place[parent[v]]
                low[p] = min(low[p], low[place[v]])
    return order, parent, end, low


@dataclass(frozen=True)
class _Hanging:
    """Parts of the graph that only unit ``at`` joins to each other: all of them but ``at`` itself."""

    at: int
    parts: list[Int]


def _hanging(units: Units) -> list[_Hanging]:
    """Every unit whose taking away leaves the graph in parts."""
    if len(units) < 3:
        return []
    order, parent, end, low = depth_first(units.arrays)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    below: dict[int, list[Int]] = {}
    for i in range(1, len(order)):
        at = int(parent[order[i]])
        if low[i] >= place[at]:
            below.setdefault(at, []).append(order[i : end[i]])
    out = []
    for at, parts in sorted(below.items()):
        held = np.ones(len(order), np.bool_)
        held[at] = False
        for part in parts:
            held[part] = False
        rest = np.flatnonzero(held)
        around = [*parts, rest] if len(rest) else parts
        if len(around) > 1:
            out.append(_Hanging(at, around))
    return out


def _forced(units: Units, terms: Terms) -> tuple[Int, list[Fault]]:
    """Units joined that every division holds in one grid: what hangs on a unit and is too small stays with it."""
    label = np.arange(len(units), dtype=np.int64)
    while True:
        small = units.contract(label)
        join = np.arange(len(small), dtype=np.int64)
        found: list[Fault] = []
        for hanging in _hanging(small):
            stuck = [p for p in hanging.parts if small.arrays.counted[p].sum() < terms.minimum]
            if not stuck:
                continue
            mine = np.concatenate([np.array([hanging.at]), *stuck])
            if small.arrays.counted[mine].sum() > terms.maximum:
                found.append(_fault(small, "bottleneck", sorted(int(u) for u in mine), hanging.at))
            target = join[hanging.at]
            for u in mine:
                join[join == join[u]] = target
        if found:
            return label, [_spread(units, label, f) for f in _disjoint(found)]
        if len(np.unique(join)) == len(small):
            return label, []
        label = numbered(join[label])


def _uneven(units: Units, terms: Terms) -> list[Fault]:
    """Units on which parts hang that leave the unit's own grid too few or too many households."""
    out = []
    counted = units.arrays.counted
    for hanging in _hanging(units):
        own = int(counted[hanging.at])
        room = int(terms.maximum) - own
        if room < 0:
            continue
        sums = 1
        for part in hanging.parts:
            sums = _plus(sums, _taken(counted[part], room, terms), room)
        within = sums >> max(0, int(terms.minimum) - own)
        if not within:
            light = [p for p in hanging.parts if counted[p].sum() * 2 <= counted.sum()]
            which = np.concatenate([np.array([hanging.at]), *light])
            out.append(_fault(units, "bottleneck", sorted(int(u) for u in which), hanging.at))
    return _disjoint(out)


def _taken(counted: Int, room: int, terms: Terms) -> int:
    """Households, as bits, that a grid outside may take from a hanging part so that the rest fits grids."""
    total = int(counted.sum())
    reach = (1 << (room + 1)) - 1
    sums = 1 if len(counted) <= SUMMED else reach
    for h in counted[:SUMMED] if sums == 1 else ():
        sums |= (sums << int(h)) & reach
    out = 0
    for s in range(min(room, total) + 1):
        if sums >> s & 1 and (s == total or fits(total - s, terms)):
            out |= 1 << s
    return out


def _plus(left: int, right: int, room: int) -> int:
    """Sums of one number of each of two sets of bits, up to ``room``."""
    out = 0
    reach = (1 << (room + 1)) - 1
    while right:
        low = right & -right
        out |= left << (low.bit_length() - 1)
        right ^= low
    return out & reach


# ---------------------------------------------------------------- units that no grid can hold


def _near(units: Units, seed: np.ndarray, steps: int) -> np.ndarray:
    heads, tails = edges(units.arrays)
    for _ in range(steps):
        wider = seed.copy()
        wider[tails[seed[heads]]] = True
        seed = wider
    return seed


@njit(cache=True, nogil=True)
def held(units: UnitArrays, root: int, minimum: float, maximum: float, visits: int) -> int:
    """Whether a connected set within the bounds holds the unit: 1 yes, 0 no, -1 not known after ``visits`` sets."""
    n = len(units.counted)
    listed = np.zeros(n, np.bool_)
    rim = np.zeros(n + 1, np.int64)
    turn = np.zeros(n + 2, np.int64)
    end = np.zeros(n + 2, np.int64)
    inside = np.zeros(n + 1, np.int64)
    listed[root] = True
    total = 0.0
    size = 0
    v = root
    for _ in range(visits):
        if v >= 0:
            total += units.counted[v]
            if total >= minimum:
                return 1 if total <= maximum else 0
            inside[size] = v
            last = end[size]
            for e in range(units.start[v], units.start[v + 1]):
                b = units.neighbour[e]
                if not listed[b]:
                    listed[b] = True
                    rim[last] = b
                    last += 1
            turn[size + 1] = turn[size]
            end[size + 1] = last
            size += 1
        else:
            for i in range(end[size - 1], end[size]):
                listed[rim[i]] = False
            total -= units.counted[inside[size - 1]]
            size -= 1
            if size == 0:
                return 0
        v = -1
        while turn[size] < end[size]:
            u = rim[turn[size]]
            turn[size] += 1
            if total + units.counted[u] <= maximum:
                v = u
                break
    return -1


def _enclosed(units: Units, terms: Terms, which: Int) -> list[Fault]:
    out = []
    for u in which:
        if held(units.arrays, int(u), terms.minimum, terms.maximum, VISITS) == 0:
            out.append(_fault(units, "enclosed", [int(u)], int(u)))
    return out


# ---------------------------------------------------------------- no choice of grids


def _undividable(units: Units, terms: Terms, bad: np.ndarray) -> list[Fault]:
    """No choice of sets holds every unit: all of them, or those around each grid out of range."""
    for share in SAND:
        sandy = units.arrays.counted < share * terms.minimum
        found = _without(units, terms, sandy, ~sandy)
        if found is not None:
            return [found]
    out = []
    for centre in _separate(units, bad):
        for share in SAND:
            sandy = units.arrays.counted < share * terms.minimum
            found = _without(units, terms, sandy, _near(units, centre, AROUND) & ~sandy)
            if found is not None:
                out.append(found)
                break
    return _disjoint(out)


def _separate(units: Units, bad: np.ndarray) -> list[np.ndarray]:
    """The connected parts of some units."""
    label = pieces(units.arrays, np.where(bad, 0, 1 + np.arange(len(units))))
    return [label == x for x in np.unique(label[bad])]


def _without(units: Units, terms: Terms, sandy: np.ndarray, rows: np.ndarray) -> Fault | None:
    """A proof that no choice of sets holds each unit of ``rows`` once, where there is one."""
    if not rows.any():
        return None
    firm, order = _firm(units, sandy, rows)
    n = int(rows.sum())
    count, _ = crowd(firm.arrays, 0.0, terms.maximum, MOST_SETS, 1 << 62, 1 << 62)
    if count > MOST_SETS:
        return None
    bare = terms._replace(minimum=0.0, balance=0.0, compactness=0.0)
    found = regions(firm.arrays, bare, MOST_SETS, 1 << 62, len(firm), roots=n)
    found = _held_to(found, firm, terms, n)
    if not len(found.cost):
        return _fault(units, "no_division", [int(u) for u in order[:n]], -1)
    relaxed = relax(found, n, 10, CLEAR, price=1.0)
    if relaxed.bound > CLEAR:
        which = order[np.flatnonzero(relaxed.dual > CLEAR)]
        return _fault(units, "no_division", sorted(int(u) for u in which), -1)
    if n == len(order):
        choice = partition.choose(found, n, np.inf, partition.FEASIBLE)
        if choice.chosen is None and choice.proven:
            return _fault(units, "no_division", sorted(int(u) for u in order), -1)
    return None


def _firm(units: Units, sandy: np.ndarray, rows: np.ndarray) -> tuple[Units, Int]:
    """The graph of the units that are not sand, ``rows`` first; sand joins what it touches.

    ``load`` of a unit becomes what it and the sand beside it hold at most.
    """
    order = np.concatenate([np.flatnonzero(rows), np.flatnonzero(~rows & ~sandy)])
    firm = units.subset(order)
    place = np.full(len(units), -1, np.int64)
    place[order] = np.arange(len(order))
    heap = pieces(units.arrays, np.where(sandy, -1, np.arange(len(units))))
    heads, tails = edges(units.arrays)
    touch = sandy[tails] & ~sandy[heads]
    pairs = np.unique(np.stack([heap[tails[touch]], place[heads[touch]]], axis=1), axis=0)
    amount = np.bincount(heap, units.arrays.counted)
    reach = firm.arrays.counted + np.bincount(pairs[:, 1], amount[pairs[:, 0]], minlength=len(order))
    own_heads, own_tails = edges(firm.arrays)
    more = [np.stack([own_heads, own_tails], axis=1)]
    for x in np.unique(pairs[:, 0]):
        beside = pairs[pairs[:, 0] == x, 1]
        more.append(np.stack([np.repeat(beside, len(beside)), np.tile(beside, len(beside))], axis=1))
    link = np.unique(np.concatenate(more), axis=0)
    link = link[link[:, 0] != link[:, 1]]
    zeros = np.zeros(len(link))
    start = np.concatenate([[0], np.cumsum(np.bincount(link[:, 0], minlength=len(order)))]).astype(np.int64)
    arrays = firm.arrays._replace(
        start=start, neighbour=link[:, 1].copy(), price=zeros, metres=zeros.copy(), load=reach.astype(np.float64)
    )
    return Units(arrays, firm.x, firm.y), order


def _held_to(found: Regions, firm: Units, terms: Terms, n: int) -> Regions:
    """Sets that reach the minimum with the sand beside them, as regions of the first n units, at no cost."""
    size = np.diff(found.start)
    owner = np.repeat(np.arange(len(size)), size)
    reach = np.bincount(owner, firm.arrays.load[found.unit], minlength=len(size))
    inside = found.unit < n
    keep = reach >= terms.minimum
    kept = inside & keep[owner]
    start = np.concatenate([[0], np.cumsum(np.bincount(owner[kept], minlength=len(size))[keep])]).astype(np.int64)
    return Regions(found.unit[kept], start, np.zeros(int(keep.sum())), True)


def warm(units: Units, terms: Terms) -> None:
    """Compile the loops, on any connected units."""
    depth_first(units.arrays)
    held(units.arrays, 0, terms.minimum, terms.maximum, 1)
