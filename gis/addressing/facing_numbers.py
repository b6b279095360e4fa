"""A number without its street: of two streets at a corner it belongs to the one in whose run it fits.

Maps often give a house its number and not its street. Where the place alone leaves two streets in question, the
numbers around it decide: on the one street 14 stands between 12 and 16, on the other it is of the wrong parity, out
of order or somebody else's.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from gis.addressing import doornumbers, facing
from gis.addressing.thoroughfares import Thoroughfares
from gis.territory.model import Bools, Geometries, Ints, Texts

#: Numbers further along the street than this say nothing of a house.
REACH_M: Final = 150.0
#: A number so far from its only neighbour's, and as much more a metre between them, is of another run.
FAR_OFF: Final = 100
FASTEST: Final = 2.0
#: So many numbers of a side show its parity, when this share of them has it.
SHOW_PARITY: Final = 5
OF_ONE_PARITY: Final = 0.9


@dataclass
class _Run:
    """The numbers of one street: metre and base by side, what is written, ``block`` as in doornumbers.block_of.

    ``parity`` is that of each side (1: odd, 0: even), None where it shows none.
    """

    sides: tuple[list[tuple[float, int]], list[tuple[float, int]]] = field(default_factory=lambda: ([], []))
    taken: set[str] = field(default_factory=set)
    block: int = 0
    parity: tuple[int | None, int | None] = (None, None)


def placed(
    lines: Thoroughfares, place: Geometries, number: Texts, stated: Bools, street: Ints, sure: Bools, second: Ints
) -> tuple[Ints, Bools]:
    """Street and certainty of n items, those with a number but no ``stated`` street looked at again.

    ``second`` is the other street in question (-1: none). Where the number plainly does not fit the one, the item
    goes to the other, and where it fits that, this is sure.
    """
    asked = np.flatnonzero((number != "") & ~stated & ~sure & (street >= 0) & (second >= 0))
    if not len(asked):
        return street, sure
    wanted = np.unique(np.concatenate([street[asked], second[asked]]))
    runs = _runs(lines, place, number, np.flatnonzero((number != "") & sure & np.isin(street, wanted)), street)
    street, sure = street.copy(), sure.copy()
    here = facing.locate(lines, place[asked], street[asked])
    there = facing.locate(lines, place[asked], second[asked])
    for n, k in enumerate(asked.tolist()):
        text = _bare(number[k])
        first = _fits(runs[int(street[k])], float(here[0][n]), bool(here[1][n]), text)
        other = _fits(runs[int(second[k])], float(there[0][n]), bool(there[1][n]), text)
        if first is False and other is not False:
            street[k] = second[k]
        sure[k] = {first, other} == {True, False}
    return street, sure


def _bare(number: str) -> str:
    return str(number).strip().rstrip("号號")


def _base(text: str, block: int) -> int | None:
    """The number's base, None where it cannot be read or is several."""
    found = doornumbers.read(text, block=block)
    return found[0].low[0] if len(found) == 1 else None


def _runs(lines: Thoroughfares, place: Geometries, number: Texts, rows: Ints, street: Ints) -> dict[int, _Run]:
    """The numbers of items whose street is beyond doubt."""
    runs: dict[int, _Run] = defaultdict(_Run)
    if not len(rows):
        return runs
    station, right = facing.locate(lines, place[rows], street[rows])
    for k in rows.tolist():
        runs[int(street[k])].taken.add(_bare(number[k]))
    for run in runs.values():
        run.block = doornumbers.block_of(sorted(run.taken))
    for k, at, side in zip(rows.tolist(), station.tolist(), right.tolist(), strict=True):
        run = runs[int(street[k])]
        if (base := _base(_bare(number[k]), run.block)) is not None:
            run.sides[side].append((at, base))
    for run in runs.values():
        run.parity = _parity(run.sides[0]), _parity(run.sides[1])
    return runs


def _parity(side: list[tuple[float, int]]) -> int | None:
    odd = sum(base % 2 for _, base in side)
    most = max(odd, len(side) - odd)
    return int(odd == most) if len(side) >= SHOW_PARITY and most >= OF_ONE_PARITY * len(side) else None


def _fits(run: _Run, at: float, right: bool, text: str) -> bool | None:
    """Whether a number fits at a metre of a side: True, False, or None where the street says too little."""
    if text in run.taken:
        return False
    base = _base(text, run.block)
    if base is None:
        return None
    near = [(abs(metre - at), metre, other) for metre, other in run.sides[right] if abs(metre - at) <= REACH_M]
    if run.parity[right] not in (None, base % 2):
        return False
    before = max(((metre, other) for _, metre, other in near if metre <= at), default=None)
    after = min(((metre, other) for _, metre, other in near if metre > at), default=None)
    if before is None or after is None:
        nearest = min(near, default=None)
        return False if nearest and abs(nearest[2] - base) > FAR_OFF + FASTEST * nearest[0] else None
    return min(before[1], after[1]) < base < max(before[1], after[1])
