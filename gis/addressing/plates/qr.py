"""QR symbols as module matrices: level Q, made by segno (the proof reads them back with zxing-cpp)."""

from __future__ import annotations

from typing import Final

import numpy as np
import segno
from numpy.typing import NDArray

from gis.errors import InputError

LEVEL: Final = "Q"
#: Light modules around the symbol, as the standard asks.
QUIET: Final = 4
LONGEST: Final = 150

Modules = NDArray[np.int8]


def modules(text: str) -> Modules:
    """The symbol of a text, 1 = dark, without its quiet zone; level Q exactly, never raised silently."""
    if len(text) > LONGEST:
        raise InputError("plates.link_too_long", length=len(text), most=LONGEST)
    return np.array(segno.make_qr(text, error=LEVEL, boost_error=False).matrix, dtype=np.int8)


def row_runs(symbol: Modules) -> NDArray[np.int64]:
    """Dark runs as rows (x, y from below, length) in modules."""
    side = symbol.shape[0]
    padded = np.zeros((side, side + 2), dtype=np.int8)
    padded[:, 1:-1] = symbol
    edge = np.diff(padded, axis=1)
    row, first = np.nonzero(edge == 1)
    _, last = np.nonzero(edge == -1)
    return np.stack([first, side - 1 - row, last - first], axis=1)
