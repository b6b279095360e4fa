"""Which boxes meet a rectangle: what a table of features is looked through with before any geometry is touched."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gis.compiling import njit

#: A box lies apart from the rectangle, reaches over its side, or lies in it, its sides included.
APART: Final = 0
OVER: Final = 1
INSIDE: Final = 2


def meet(boxes: NDArray[np.float64], around: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    """How each of the boxes (n, 4: west, south, east, north) lies to a rectangle, all in one CRS.

    A box without numbers (NaN) lies apart from everything.
    """
    out = np.empty(len(boxes), dtype=np.uint8)
    _meet(boxes, *around, out)
    return out


def warm() -> None:
    """Load the compiled loop."""
    meet(np.zeros((1, 4)), (0.0, 0.0, 1.0, 1.0))


@njit(cache=True)
def _meet(
    boxes: NDArray[np.float64], west: float, south: float, east: float, north: float, out: NDArray[np.uint8]
) -> None:
    for k in range(len(boxes)):
        w, s, e, n = boxes[k, 0], boxes[k, 1], boxes[k, 2], boxes[k, 3]
        found = APART
        if w <= east and e >= west and s <= north and n >= south:
            found = INSIDE if w >= west and e <= east and s >= south and n <= north else OVER
        out[k] = found
