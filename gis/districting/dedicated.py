"""Dedicated grids 专属网格: places where nobody lives that the ruleset lets be grids of their own.

A pre-step of the planner: the atoms of such a place are taken out as a piece that is not divided, and the solver
never sees them. A place is a site of the input (school, hospital, park ...) or, outside sites, neighbouring buildings
of one block whose ``use`` says as much. It becomes a grid where

- no household lives in its atoms, and they are of one piece within one community;
- they measure at least ``dedicated.minimum_area`` square metres;
- what is left of the community stays in pieces that can hold grids (bits without any household that the place cuts
  off join it), so that no dedicated grid makes an island of its neighbours.

Everything else stays public space 公共空间 of the residential grid around it. Villages are left alone: their land
belongs to villager groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from gis.blocks.model import AtomSet
from gis.districting import search
from gis.districting.kernels import Int
from gis.districting.rulesets import Bounds, Ruleset
from gis.districting.units import Units, connected, pieces
from gis.territory.model import Bools, Buildings, Geometries, Ints, Sites, Texts
from gis.territory.sites import OF_USE

#: An atom without buildings belongs to the site that covers at least this part of it.
COVERED = 0.5


@dataclass(frozen=True)
class Places:
    """Candidates: the place of every atom (-1: none), each place's name and kind, and which atoms are uninhabited."""

    of_atom: Int
    name: Texts
    kind: Texts
    empty: Bools


def places_of(
    atom_set: AtomSet, households: Ints, buildings: Buildings, sites: Sites, ruleset: Ruleset
) -> Places | None:
    """Atoms that may become dedicated grids; None where the ruleset allows no kind.

    ``households`` is per atom; ``buildings`` are those that ``atom_set.building_atom`` counts (none of them for
    given atoms). Larger sites are looked at first.
    """
    if not ruleset.dedicated or not ruleset.dedicated_kinds:
        return None
    n = len(atom_set.geometry)
    empty = np.asarray(households == 0, bool)
    of_atom = np.full(n, -1, np.int64)
    names: list[str] = []
    kinds: list[str] = []
    allowed = np.isin(sites.kind.astype(str), ruleset.dedicated_kinds)
    area = shapely.area(sites.geometry)
    order = [int(i) for i in np.lexsort((sites.source_id.astype(str), -area)) if allowed[i]]
    inside = _atoms_in(atom_set, buildings, sites.geometry[order])
    for place, i in enumerate(order):
        atoms = inside[place]
        of_atom[atoms[empty[atoms] & (of_atom[atoms] < 0)]] = place
        names.append(str(sites.name[i]))
        kinds.append(str(sites.kind[i]))
    _by_use(atom_set, buildings, ruleset.dedicated_kinds, empty, of_atom, names, kinds)
    return Places(of_atom, np.array([*names, ""], object)[:-1], np.array([*kinds, ""], object)[:-1], empty)


def _atoms_in(atom_set: AtomSet, buildings: Buildings, sites: Geometries) -> list[Int]:
    """Atoms of every site: those whose buildings all stand in it, and bare ones that it covers for the most part."""
    n = len(atom_set.geometry)
    held = np.flatnonzero(atom_set.building_atom >= 0)
    if len(buildings) != len(atom_set.building_atom):
        held = held[:0]  # given atoms: whose buildings are not theirs
    owner = atom_set.building_atom[held]
    standing = np.bincount(owner, minlength=n)
    points = shapely.STRtree(shapely.point_on_surface(buildings.geometry[held]))
    atoms = shapely.STRtree(atom_set.geometry)
    out: list[Int] = []
    for site in sites:
        built = np.bincount(owner[points.query(site, predicate="intersects")], minlength=n)
        near = atoms.query(site, predicate="intersects")
        bare = near[standing[near] == 0]
        common = shapely.area(shapely.intersection(atom_set.geometry[bare], site))
        covered = bare[common >= COVERED * shapely.area(atom_set.geometry[bare])]
        whole = np.flatnonzero((built > 0) & (built == standing))
        out.append(np.union1d(whole, covered).astype(np.int64))
    return out


def _by_use(
    atom_set: AtomSet,
    buildings: Buildings,
    allowed: tuple[str, ...],
    empty: Bools,
    of_atom: Int,
    names: list[str],
    kinds: list[str],
) -> None:
    """Neighbouring atoms of one block whose buildings all say the same kind by their use."""
    n = len(atom_set.geometry)
    if len(buildings) != len(atom_set.building_atom) or not len(buildings):
        return
    known = {kind: i for i, kind in enumerate(allowed)}
    use = np.array([known.get(OF_USE.get(u.lower(), ""), -1) for u in buildings.use], np.int64)
    held = np.flatnonzero(atom_set.building_atom >= 0)
    owner = atom_set.building_atom[held]
    low, high = np.full(n, len(allowed), np.int64), np.full(n, -1, np.int64)
    np.minimum.at(low, owner, use[held])
    np.maximum.at(high, owner, use[held])
    free = empty & (of_atom < 0) & (low == high) & (high >= 0)
    s = atom_set.segments
    joined = free[s.left] & free[s.right] & (high[s.left] == high[s.right])
    joined &= atom_set.block[s.left] == atom_set.block[s.right]
    group = connected(s.left[joined], s.right[joined], n)
    name_of: dict[int, list[str]] = {}
    for b in held[np.argsort(owner, kind="stable")]:
        atom = int(atom_set.building_atom[b])
        if free[atom] and buildings.name[b]:
            name_of.setdefault(int(group[atom]), []).append(str(buildings.name[b]))
    for g in np.unique(group[free]):
        members = np.flatnonzero((group == g) & free)
        of_atom[members] = len(names)
        found = sorted(name_of.get(int(g), []))
        names.append(max(found, key=found.count) if found else "")
        kinds.append(allowed[int(high[members[0]])])


def taken(units: Units, community: Int, is_rural: list[bool], places: Places | None, ruleset: Ruleset) -> Int:
    """The place of every atom that goes into a dedicated grid, -1 for all others."""
    out = np.full(len(units), -1, np.int64)
    if places is None:
        return out
    part = pieces(units.arrays, np.where(places.of_atom >= 0, places.of_atom * len(is_rural) + community, -1))
    part = np.where(places.of_atom >= 0, part, -1)
    area = np.bincount(part[part >= 0], units.arrays.area[part >= 0], minlength=int(part.max()) + 1)
    towns = ~np.array(is_rural)[community]
    found = [int(p) for p in np.unique(part[(part >= 0) & towns]) if area[p] >= max(ruleset.dedicated_area, 1e-9)]
    for p in sorted(found, key=lambda p: (-area[p], p)):
        atoms = np.flatnonzero(part == p)
        joins = _cut_off(units, community, out, atoms, places.empty, ruleset.residential)
        if joins is not None:
            out[np.concatenate([atoms, joins])] = places.of_atom[atoms[0]]
    return out


def _cut_off(units: Units, community: Int, out: Int, atoms: Int, empty: Bools, bounds: Bounds) -> Int | None:
    """Atoms without households that taking ``atoms`` away would cut off; None where it would cut off households.

    A community with too few households for one grid may lose places as long as the rest stays in one piece.
    """
    c = community[atoms[0]]
    rest = np.flatnonzero((community == c) & (out < 0))
    before = pieces(units.subset(rest).arrays, np.zeros(len(rest), np.int8))
    gone = np.isin(rest, atoms)
    left = np.flatnonzero(~gone)
    if not len(left):
        return np.empty(0, np.int64)
    after = pieces(units.subset(rest[left]).arrays, np.zeros(len(left), np.int8))
    counted = units.arrays.counted[rest[left]]
    held = np.bincount(after, counted)
    joins: list[Int] = []
    for piece in np.unique(before[gone]):
        parts = np.unique(after[before[left] == piece])
        if len(parts) < 2:
            continue
        for q in parts:
            members = rest[left[after == q]]
            fewest, most = search.possible_numbers(int(held[q]), bounds)
            if held[q] == 0 and empty[members].all():
                joins.append(members)
            elif held[q] == 0 or fewest > most:
                return None
    return np.concatenate(joins) if joins else np.empty(0, np.int64)
