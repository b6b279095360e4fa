"""What a plan is worth: the report's measures, computed from the atom set and the plan alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.blocks.model import AtomSet
from gis.districting.model import Plan
from gis.districting.rulesets import Bounds
from gis.districting.units import JOINED_METRES, connected, members_of
from gis.territory.classes import BASIS_INDEX, BORDER_CLASSES, MAIN_STREETS
from gis.territory.model import Bools, Floats


@dataclass(frozen=True)
class Measures:
    """The measures of some grids together; ``None`` where there is nothing to measure.

    Shares of border are of ``border_metres``: every metre between two grids once, with at least one of the grids
    among those measured. Range, CV and compactness are over residential grids.
    """

    grids: int
    households: int
    counted: int
    in_range_share: float | None
    rural_in_range_share: float | None
    contiguous_share: float
    border_metres: float
    on_street_share: float | None
    main_street_share: float | None
    avoidable_off_street_share: float | None
    compactness_mean: float | None
    cv_households: float | None


@dataclass(frozen=True)
class GridMeasures:
    """Arrays with one entry a grid. ``on_street_share`` is NaN where a grid has no border with another."""

    area: Floats  # square metres
    perimeter: Floats  # metres, holes included
    compactness: Floats  # 4 pi area / perimeter squared
    on_street_share: Floats
    contiguous: Bools
    in_range: Bools


@dataclass(frozen=True)
class _Lines:
    """Border segments between grids, and what each counts as."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    metres: Floats
    on_street: Bools
    main: Bools
    avoidable: Bools


def measure_grids(atom_set: AtomSet, plan: Plan) -> GridMeasures:
    """Every grid's own figures."""
    return _grid_measures(atom_set, plan, _lines(atom_set, plan))


def measure(atom_set: AtomSet, plan: Plan) -> tuple[Measures, list[Measures]]:
    """The measures of the whole plan, and of every community."""
    lines = _lines(atom_set, plan)
    table = _grid_measures(atom_set, plan, lines)
    pooled = _pool(plan, table, lines, np.arange(len(plan.grids)), np.arange(len(lines.left)))
    n = len(plan.communities)
    owner = plan.grids.community.astype(np.int64)
    left, right = owner[lines.left], owner[lines.right]
    other = np.flatnonzero(left != right)  # a line between two communities counts in both
    touching = np.concatenate([np.arange(len(left)), other])
    mine = [np.sort(touching[at]) for at in members_of(np.concatenate([left, right[other]]), n)]
    return pooled, [_pool(plan, table, lines, grids, mine[c]) for c, grids in enumerate(members_of(owner, n))]


def is_seamless(atom_set: AtomSet) -> bool:
    """No overlap and no gap: atoms are a valid coverage, and their union has no hole.

    A gap between atoms is a hole of the union. ``gap_width`` would also call a narrow notch in the territory's own
    outer edge a gap, so it is not used.
    """
    geometry = atom_set.geometry
    if not shapely.coverage_is_valid(geometry):
        return False
    union = shapely.get_parts(shapely.coverage_union_all(geometry))
    return int(shapely.get_num_interior_rings(union).sum()) == 0


def _lines(atom_set: AtomSet, plan: Plan) -> _Lines:
    s = atom_set.segments
    left, right = plan.assignment[s.left], plan.assignment[s.right]
    k = np.flatnonzero(left != right)
    basis, kind = s.basis[k], s.kind[k]
    street = np.isin(basis, [BASIS_INDEX[b] for b in ("street", "barrier", "moved")])
    main = np.array([name in MAIN_STREETS for name in BORDER_CLASSES])
    block = atom_set.block
    counted = np.bincount(block, plan.atom_counted)
    inside = block[s.left[k]] == block[s.right[k]]
    small = counted[block[s.left[k]]] <= plan.ruleset.residential.maximum
    return _Lines(
        left=left[k].astype(np.int64),
        right=right[k].astype(np.int64),
        metres=s.metres[k],
        on_street=street,
        main=street & main[kind],
        avoidable=(basis == BASIS_INDEX["cell"]) & inside & small,
    )


def _grid_measures(atom_set: AtomSet, plan: Plan, lines: _Lines) -> GridMeasures:
    k = len(plan.grids)
    area = _total(plan.assignment, shapely.area(atom_set.geometry), k)
    s = atom_set.segments
    inner = plan.assignment[s.left] == plan.assignment[s.right]
    perimeter = _total(plan.assignment, shapely.length(atom_set.geometry), k)
    perimeter -= 2 * _total(plan.assignment[s.left[inner]], s.metres[inner], k)
    metres = _total(lines.left, lines.metres, k) + _total(lines.right, lines.metres, k)
    street = np.where(lines.on_street, lines.metres, 0.0)
    on_street = _total(lines.left, street, k) + _total(lines.right, street, k)
    share = np.divide(on_street, metres, out=np.full(k, np.nan), where=metres > 0)
    return GridMeasures(
        area=area,
        perimeter=perimeter,
        compactness=4 * np.pi * area / perimeter**2,
        on_street_share=share,
        contiguous=_contiguous(atom_set, plan),
        in_range=_in_range(plan),
    )


def _contiguous(atom_set: AtomSet, plan: Plan) -> Bools:
    """Grids of one piece, whose atoms are joined along more than a corner."""
    s = atom_set.segments
    n = len(atom_set.geometry)
    pair, inverse = np.unique(s.left.astype(np.int64) * n + s.right, return_inverse=True)
    joined = pair[np.bincount(inverse, s.metres, minlength=len(pair)) > JOINED_METRES]
    heads, tails = joined // n, joined % n
    same = plan.assignment[heads] == plan.assignment[tails]
    piece = connected(heads[same], tails[same], n)
    first = np.unique(piece, return_index=True)[1]
    return np.asarray(np.bincount(plan.assignment[first], minlength=len(plan.grids)) == 1, bool)


def _in_range(plan: Plan) -> Bools:
    def within(bounds: Bounds) -> Bools:
        return (plan.grids.counted >= bounds.minimum) & (plan.grids.counted <= bounds.maximum)

    out = np.where(plan.grids.kind == "rural", within(plan.ruleset.rural), within(plan.ruleset.residential))
    return np.asarray(out | (plan.grids.kind == "dedicated"), bool)


def _pool(
    plan: Plan, table: GridMeasures, lines: _Lines, which: NDArray[np.int64], mine: NDArray[np.int64]
) -> Measures:
    """Measures of the grids ``which`` and of the lines ``mine`` along them, both as sorted positions."""
    grids = plan.grids
    residential = which[grids.kind[which] == "residential"]
    rural = which[grids.kind[which] == "rural"]
    metres = lines.metres[mine]
    total = float(metres.sum())

    def share(marked: Bools) -> float | None:
        return float(metres[marked[mine]].sum()) / total if total > 0 else None

    counted = grids.counted[residential]
    mean = float(counted.mean()) if len(counted) else 0.0
    return Measures(
        grids=len(which),
        households=int(grids.households[which].sum()),
        counted=int(grids.counted[which].sum()),
        in_range_share=float(table.in_range[residential].mean()) if len(residential) else None,
        rural_in_range_share=float(table.in_range[rural].mean()) if len(rural) else None,
        contiguous_share=float(table.contiguous[which].mean()) if len(which) else 1.0,
        border_metres=total,
        on_street_share=share(lines.on_street),
        main_street_share=share(lines.main),
        avoidable_off_street_share=share(lines.avoidable),
        compactness_mean=float(table.compactness[residential].mean()) if len(residential) else None,
        cv_households=float(counted.std() / mean) if mean > 0 else None,
    )


def _total(label: NDArray[np.integer], values: Floats, n: int) -> Floats:
    return np.asarray(np.bincount(label, values, minlength=n), np.float64)
