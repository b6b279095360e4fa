"""Which buildings a grid holds, the way people say it: 和顺二期64-85栋 (compound and range of building numbers)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from gis.addressing.compounds import read_number


@dataclass(frozen=True)
class Holding:
    """What a grid holds of one compound ("": of none).

    ``whole``: all of the compound. ``ranges``: first and last building number, where no building between them
    belongs to another grid. ``letters``: buildings with a letter. ``others``: how many have no number.
    """

    compound: str
    whole: bool
    ranges: tuple[tuple[int, int], ...]
    letters: tuple[str, ...]
    others: int


def holdings(grid: Sequence[str], compound: Sequence[str], name: Sequence[str]) -> dict[str, list[Holding]]:
    """Holdings of every grid, compounds in the order of their names, what lies in none at the end.

    One entry a building: its grid, its compound ("": none) and its own name.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for i, c in enumerate(compound):
        members[c].append(i)
    out: dict[str, list[Holding]] = defaultdict(list)
    for c in sorted(members, key=lambda c: (not c, c)):
        for g, found in _of_compound(c, [(grid[i], read_number(name[i]) if c else "") for i in members[c]]).items():
            out[g].append(found)
    return dict(out)


def _of_compound(compound: str, rows: list[tuple[str, str]]) -> dict[str, Holding]:
    grids = sorted({g for g, _ in rows})
    numbered = sorted((int(n), g) for g, n in rows if n.isascii() and n.isdigit())
    ranges: dict[str, list[tuple[int, int]]] = defaultdict(list)
    previous = ""
    for number, g in numbered:
        if g == previous and ranges[g]:
            ranges[g][-1] = (ranges[g][-1][0], number)
        else:
            ranges[g].append((number, number))
        previous = g
    return {
        g: Holding(
            compound,
            bool(compound) and len(grids) == 1,
            tuple(dict.fromkeys(ranges[g])),
            tuple(sorted({n for other, n in rows if other == g and n and not n.isdigit()})),
            sum(other == g and not n for other, n in rows),
        )
        for g in grids
    }
