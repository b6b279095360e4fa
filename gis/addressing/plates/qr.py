"""QR symbols as module matrices: level Q, made by segno (the proof reads them back with zxing-cpp).

The mask is chosen here, by the penalty of ISO/IEC 18004 for all eight masks at once: segno's own search takes
four fifths of its time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import segno
from numpy.typing import NDArray

from gis.errors import InputError

LEVEL: Final = "Q"
#: Light modules around the symbol, as the standard asks.
QUIET: Final = 4
LONGEST: Final = 150

Modules = NDArray[np.int8]


@dataclass(frozen=True)
class _Frame:
    """What all symbols of one version share. ``change[k]`` turns mask 0 into mask k; ``format`` are its bits."""

    change: Modules
    at: NDArray[np.bool_]
    format: Modules


def modules(text: str) -> Modules:
    """The symbol of a text, 1 = dark, without its quiet zone; level Q exactly, never raised silently."""
    if len(text) > LONGEST:
        raise InputError("plates.link_too_long", length=len(text), most=LONGEST)
    made = _made(text, 0)
    masked = _all_masks(np.array(made.matrix, dtype=np.int8), _frame(int(made.version)))
    return np.asarray(masked[int(np.argmin(penalty(masked)))], dtype=np.int8)


def penalty(symbols: Modules) -> NDArray[np.int64]:
    """The four penalties of the standard, summed, for (k, n, n) symbols."""
    dark = symbols.astype(bool)
    score = np.zeros(len(dark), dtype=np.int64)
    for lines in (dark, dark.transpose(0, 2, 1)):
        same = lines[:, :, 1:] == lines[:, :, :-1]
        five = same[:, :, 3:] & same[:, :, 2:-1] & same[:, :, 1:-2] & same[:, :, :-3]
        starts = five.copy()
        starts[:, :, 1:] &= ~five[:, :, :-1]
        score += five.sum(axis=(1, 2)) + 2 * starts.sum(axis=(1, 2))
        score += 40 * _finder_like(lines)
    square = dark[:, 1:, 1:] == dark[:, :-1, 1:]
    square &= (dark[:, 1:, 1:] == dark[:, 1:, :-1]) & (dark[:, 1:, 1:] == dark[:, :-1, :-1])
    score += 3 * square.sum(axis=(1, 2))
    share = dark.mean(axis=(1, 2)) * 100
    return np.asarray(score + 10 * (np.abs(share - 50) // 5).astype(np.int64), dtype=np.int64)


def row_runs(symbol: Modules) -> NDArray[np.int64]:
    """Dark runs as rows (x, y from below, length) in modules."""
    side = symbol.shape[0]
    padded = np.zeros((side, side + 2), dtype=np.int8)
    padded[:, 1:-1] = symbol
    edge = np.diff(padded, axis=1)
    row, first = np.nonzero(edge == 1)
    _, last = np.nonzero(edge == -1)
    return np.stack([first, side - 1 - row, last - first], axis=1)


def _made(text: str, mask: int, version: int | None = None) -> Any:
    return segno.make_qr(text, error=LEVEL, boost_error=False, mask=mask, version=version)


def _all_masks(symbol: Modules, frame: _Frame) -> Modules:
    masked = symbol[None] ^ frame.change
    masked[:, frame.at] = frame.format
    return masked


@cache
def _frame(version: int) -> _Frame:
    """Masks and format bits of a version, read off symbols segno makes of it: they differ in nothing else."""
    symbols = np.array([_made("0", mask, version).matrix for mask in range(8)], dtype=np.int8)
    side = symbols.shape[1]
    at = np.zeros((side, side), dtype=bool)
    at[8, [*range(6), 7, 8, *range(side - 8, side)]] = True
    at[[*range(6), 7, *range(side - 7, side)], 8] = True
    change = symbols ^ symbols[0]
    change[:, at] = 0
    return _Frame(change, at, symbols[:, at])


def _finder_like(lines: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Runs 1:1:3:1:1 with four light modules before or after, as in finder patterns."""
    wide = np.pad(lines, ((0, 0), (0, 0), (4, 4)))
    width = wide.shape[2]
    core = np.ones((len(wide), wide.shape[1], width - 14), dtype=bool)
    for k, is_dark in enumerate((True, False, True, True, True, False, True)):
        core &= wide[:, :, 4 + k : 4 + k + core.shape[2]] == is_dark
    before = ~(wide[:, :, 0:-14] | wide[:, :, 1:-13] | wide[:, :, 2:-12] | wide[:, :, 3:-11])
    after = ~(wide[:, :, 11:-3] | wide[:, :, 12:-2] | wide[:, :, 13:-1] | wide[:, :, 14:])
    return np.asarray((core & (before | after)).sum(axis=(1, 2)), dtype=np.int64)
