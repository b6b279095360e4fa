"""Pieces: the connected parts of every community, each divided for itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from gis.districting import rural, search
from gis.districting.kernels import Int
from gis.districting.rulesets import Bounds, Ruleset
from gis.districting.units import Units, members_of, pieces
from gis.territory.model import Texts


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
    site: str | None = None  # name of the place that is a dedicated grid; None: no such place
    number: int = 0  # of grids it is to have; 0: as many as are best

    def with_number(self, number: int) -> Piece:
        """The piece, to be divided into so many grids."""
        return replace(self, number=number)

    @property
    def fixed(self) -> bool:
        """Too few households for two grids: nothing to divide."""
        return self.counted < max(1, 2 * self.bounds.minimum) and self.counted <= self.bounds.maximum


def pieces_of(
    units: Units,
    community: Int,
    group: Int,
    is_rural: list[bool],
    ruleset: Ruleset,
    site: Int | None = None,
    site_names: Texts | None = None,
) -> list[Piece]:
    """Connected parts of every community; of a rural one under ``split_groups``, of every villager group.

    ``site``: the place of every atom that becomes a dedicated grid (-1: none), a position in ``site_names``.
    """
    rural_atom = np.array(is_rural)[community]
    group = np.where(rural_atom, group, -1)
    place = np.full(len(units), -1, np.int64)  # scratch of ``window``, once for all pieces
    if any(is_rural):
        for village, members in enumerate(members_of(community, len(is_rural))):
            if is_rural[village]:  # groups spread within their own community only
                group[members] = rural.fill(units.window(members, place), group[members])
    label = community
    if ruleset.rural_rule == "split_groups":
        label = community * (int(group.max()) + 2) + group + 1
    site = np.full(len(units), -1, np.int64) if site is None else site
    label = np.where(site >= 0, label.max() + 1 + site * len(is_rural) + community, label)
    piece = pieces(units.arrays, label)
    out: list[Piece] = []
    first = np.unique(piece, return_index=True)[1]
    count = np.bincount(community[first[site[first] < 0]], minlength=len(is_rural))
    for atoms in members_of(piece, len(first)):
        c = int(community[atoms[0]])
        sub = units.window(atoms, place)
        own = np.arange(len(atoms), dtype=np.int64)
        if is_rural[c] and ruleset.rural_rule == "join_groups":
            bound = group[atoms]
            own = search.renumbered(pieces(sub.arrays, np.where(bound >= 0, bound, -1 - np.arange(len(atoms)))))
        counted = int(sub.arrays.counted.sum())
        bounds = ruleset.rural if is_rural[c] else ruleset.residential
        if ruleset.dedicated and not counted:  # a dedicated grid: no number of households is asked of it
            bounds = Bounds(0, 0, bounds.maximum)
        taken = int(site[atoms[0]])
        out.append(
            Piece(
                community=c,
                kind="rural" if is_rural[c] else "residential",
                atoms=atoms,
                label=own,
                units=sub.contract(own) if int(own.max()) + 1 < len(own) else sub,
                bounds=bounds,
                whole=bool(count[c] == 1),
                counted=counted,
                site=None if taken < 0 or site_names is None else str(site_names[taken]),
            )
        )
    return sorted(out, key=lambda p: (p.community, int(p.atoms[0])))
