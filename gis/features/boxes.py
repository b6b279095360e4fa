"""Which boxes meet a rectangle: what a table of features is looked through with before any geometry is touched."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gis.compiling import njit

Box = tuple[float, float, float, float]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Boxes that lie near each other are looked at together, so many at a time.
_BLOCK: Final = 64


class Boxes:
    """Boxes (n, 4: west, south, east, north), all in one CRS; one without numbers (NaN) meets nothing."""

    def __init__(self, boxes: Floats) -> None:
        self._order = _near_each_other(boxes)
        self._boxes = boxes[self._order]
        starts = np.arange(0, len(boxes), _BLOCK)
        low, high = self._boxes[:, :2], self._boxes[:, 2:]
        self._blocks = np.empty((0, 4))
        if len(boxes):
            around = np.fmin.reduceat(low, starts), np.fmax.reduceat(high, starts)
            self._blocks = np.ascontiguousarray(np.hstack(around))

    def __len__(self) -> int:
        return len(self._boxes)

    def meeting(self, rectangle: Box) -> tuple[Ints, Flags]:
        """Positions of the boxes that meet a rectangle, in order, and which lie in it; sides belong to both."""
        found, inside = _meeting(self._boxes, self._blocks, *rectangle)
        positions = self._order[found]
        order = np.argsort(positions)
        return positions[order], inside[order]


def warm() -> None:
    """Load the compiled loop."""
    Boxes(np.zeros((1, 4))).meeting((0.0, 0.0, 1.0, 1.0))


def _near_each_other(boxes: Floats) -> Ints:
    """An order of the boxes by strips from west to east, and from south to north in each."""
    x, y = boxes[:, 0] + boxes[:, 2], boxes[:, 1] + boxes[:, 3]
    strips = max(1, round(np.sqrt(len(boxes) / _BLOCK)))
    strip = np.empty(len(boxes), dtype=np.int64)
    strip[np.argsort(x, kind="stable")] = np.arange(len(boxes)) * strips // max(1, len(boxes))
    return np.lexsort((y, strip))


@njit(cache=True)
def _meeting(
    boxes: Floats, blocks: Floats, west: float, south: float, east: float, north: float
) -> tuple[Ints, Flags]:
    """Places of the boxes that meet the rectangle, and whether they lie in it."""
    found = np.empty(len(boxes), dtype=np.int64)
    inside = np.empty(len(boxes), dtype=np.bool_)
    count = 0
    for b in range(len(blocks)):
        if not (blocks[b, 0] <= east and blocks[b, 2] >= west and blocks[b, 1] <= north and blocks[b, 3] >= south):
            continue
        for k in range(b * _BLOCK, min((b + 1) * _BLOCK, len(boxes))):
            w, s, e, n = boxes[k, 0], boxes[k, 1], boxes[k, 2], boxes[k, 3]
            if w <= east and e >= west and s <= north and n >= south:
                found[count] = k
                inside[count] = w >= west and e <= east and s >= south and n <= north
                count += 1
    return found[:count].copy(), inside[:count].copy()
