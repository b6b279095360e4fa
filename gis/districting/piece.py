"""Pieces: the connected parts of every community, each divided for itself."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gis.districting import rural, search
from gis.districting.kernels import Int
from gis.districting.rulesets import Bounds, Ruleset
from gis.districting.units import Units, pieces


@dataclass(frozen=True)
class Piece:
    """A connected part of one community, divided for itself. ``label`` gives the unit of each of its atoms."""

    community: int
    kind: str
    atoms: Int
    label: Int
    units: Units
    bounds: Bounds
    whole: bool  # the piece is its community
    counted: int = field(default=0)

    @property
    def fixed(self) -> bool:
        """Too few households for two grids: nothing to divide."""
        return self.counted < max(1, 2 * self.bounds.minimum) and self.counted <= self.bounds.maximum


def pieces_of(units: Units, community: Int, group: Int, is_rural: list[bool], ruleset: Ruleset) -> list[Piece]:
    """Connected parts of every community; of a rural one under ``split_groups``, of every villager group."""
    rural_atom = np.array(is_rural)[community]
    group = np.where(rural_atom, group, -1)
    for village in np.flatnonzero(is_rural):  # groups spread within their own community only
        members = np.flatnonzero(community == village)
        group[members] = rural.fill(units.subset(members), group[members])
    label = community
    if ruleset.rural_rule == "split_groups":
        label = community * (int(group.max()) + 2) + group + 1
    piece = pieces(units.arrays, label)
    out: list[Piece] = []
    count = np.bincount(community[np.unique(piece, return_index=True)[1]], minlength=len(is_rural))
    order = np.argsort(piece, kind="stable")
    for atoms in np.split(order, np.cumsum(np.bincount(piece))[:-1]):
        c = int(community[atoms[0]])
        sub = units.subset(atoms)
        own = np.arange(len(atoms), dtype=np.int64)
        if is_rural[c] and ruleset.rural_rule == "join_groups":
            bound = group[atoms]
            own = search.renumbered(pieces(sub.arrays, np.where(bound >= 0, bound, -1 - np.arange(len(atoms)))))
        out.append(
            Piece(
                community=c,
                kind="rural" if is_rural[c] else "residential",
                atoms=atoms,
                label=own,
                units=sub.contract(own) if int(own.max()) + 1 < len(own) else sub,
                bounds=ruleset.rural if is_rural[c] else ruleset.residential,
                whole=bool(count[c] == 1),
                counted=int(sub.arrays.counted.sum()),
            )
        )
    return sorted(out, key=lambda p: (p.community, int(p.atoms[0])))
