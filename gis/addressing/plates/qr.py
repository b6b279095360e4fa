"""QR symbols as module matrices: level Q, whole batches at once (the proof reads them back with zxing-cpp).

Function patterns, masks and format bits are read off symbols that segno makes, once a version; the words are those
of ``qr_words``. The mask is chosen by the penalty of ISO/IEC 18004 for all eight masks of all symbols at once, a row
of modules being one machine word. Same to the module as what segno makes alone, some forty times as fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import segno
from numpy.typing import NDArray
from segno import consts

from gis.addressing.plates.qr_words import codewords, version_of

LEVEL: Final = "Q"
#: Light modules around the symbol, as the standard asks.
QUIET: Final = 4
#: Symbols made at once: enough to hide the cost of a call, little enough to stay in the cache.
_CHUNK: Final = 64
#: One run of modules in a PDF, and numbers under 100 in two places of it.
_RECTANGLE: Final = np.frombuffer(b"XX YY LL 1 re\n", dtype=np.uint8)
_DIGITS: Final = np.frombuffer(b"".join(b"%2d" % k for k in range(100)), dtype=np.uint8).reshape(100, 2)

Modules = NDArray[np.int8]
Rows = NDArray[np.uint64]


@dataclass(frozen=True)
class _Frame:
    """What all symbols of one version share: ``base`` is a whole symbol at mask 0, ``data`` the (row, column) of its
    data modules in the order bits are placed, ``change[k]`` turns mask 0 into mask k, format bits included."""

    base: Modules
    data: tuple[NDArray[np.int64], NDArray[np.int64]]
    inverted: NDArray[np.uint8]  # by data module: mask 0 turns it over
    change: NDArray[np.uint8]


def modules(text: str) -> Modules:
    """The symbol of a text, 1 = dark, without its quiet zone; level Q exactly, never raised silently."""
    return symbols([text])[0]


def symbols(texts: Sequence[str]) -> list[Modules]:
    """The symbol of each text; raises InputError ``plates.link_too_long``."""
    out: list[Modules] = [np.zeros((0, 0), dtype=np.int8)] * len(texts)
    raw = [text.encode() for text in texts]
    by_length: dict[int, list[int]] = {}
    for k, text in enumerate(raw):
        by_length.setdefault(len(text), []).append(k)
    for length, which in by_length.items():
        version = version_of(length)
        for first in range(0, len(which), _CHUNK):
            chunk = which[first : first + _CHUNK]
            joined = np.frombuffer(b"".join(raw[k] for k in chunk), dtype=np.uint8)
            for k, symbol in zip(chunk, _symbols(joined.reshape(len(chunk), length), version), strict=True):
                out[k] = symbol
    return out


def penalty(made: Modules) -> NDArray[np.int64]:
    """The four penalties of the standard, summed, for (k, n, n) symbols."""
    dark = np.asarray(made, dtype=np.uint8)
    return _penalty(_packed(dark), _packed(dark.transpose(0, 2, 1)), dark.shape[1])


def row_runs(symbol: Modules) -> NDArray[np.int64]:
    """Dark runs as rows (x, y from below, length) in modules."""
    side = symbol.shape[0]
    padded = np.zeros((side, side + 2), dtype=np.int8)
    padded[:, 1:-1] = symbol
    edge = np.diff(padded, axis=1)
    row, first = np.nonzero(edge == 1)
    _, last = np.nonzero(edge == -1)
    return np.stack([first, side - 1 - row, last - first], axis=1)


def rectangles(made: Sequence[Modules]) -> list[bytes]:
    """Dark runs of symbols of one size as path operators of PDF (x, y from below, length, 1), a module the unit."""
    stack = np.asarray(made, dtype=np.uint8)
    count, side, _ = stack.shape
    # one light module after every row, and before the first: no run goes on into the next row
    flat = np.zeros(1 + count * side * (side + 1), dtype=np.uint8)
    flat[1:].reshape(count, side, side + 1)[:, :, :side] = stack
    edge = np.flatnonzero(flat[1:] != flat[:-1])
    first, length = edge[0::2], edge[1::2] - edge[0::2]
    row, column = np.divmod(first, side + 1)
    symbol, row = np.divmod(row, side)
    text = np.tile(_RECTANGLE, (len(first), 1))
    text[:, 0:2], text[:, 3:5], text[:, 6:8] = _DIGITS[column], _DIGITS[side - 1 - row], _DIGITS[length]
    joined, width = text.tobytes(), len(_RECTANGLE)
    ends = (np.cumsum(np.bincount(symbol, minlength=count)) * width).tolist()
    return [joined[a:b] for a, b in zip([0, *ends], ends, strict=False)]


def _symbols(texts: NDArray[np.uint8], version: int) -> Modules:
    """Symbols of (n, length) texts of one version, each with the mask of least penalty (the first of equals)."""
    frame = _frame(version)
    bits = np.unpackbits(codewords(texts, version), axis=1)
    made = np.repeat(frame.base[None].view(np.uint8), len(texts), axis=0)
    made[:, frame.data[0], frame.data[1]] = frame.inverted
    made[:, frame.data[0][: bits.shape[1]], frame.data[1][: bits.shape[1]]] ^= bits
    side = made.shape[1]
    across = _packed(made)[:, None] ^ _packed(frame.change)[None]
    down = _packed(made.transpose(0, 2, 1))[:, None] ^ _packed(frame.change.transpose(0, 2, 1))[None]
    score = _penalty(across.reshape(-1, side), down.reshape(-1, side), side).reshape(len(made), -1)
    made ^= frame.change[np.argmin(score, axis=1)]
    return made.view(np.int8)


def _packed(symbols_: NDArray[np.uint8]) -> Rows:
    """Each row of (k, n, n) modules as one word, module x in bit x; n is at most 57."""
    count, side, _ = symbols_.shape
    room = np.zeros((count, side, 8), dtype=np.uint8)
    bits = np.packbits(symbols_, axis=2, bitorder="little")
    room[:, :, : bits.shape[2]] = bits
    return room.view("<u8")[:, :, 0].astype(np.uint64, copy=False)


def _penalty(across: Rows, down: Rows, side: int) -> NDArray[np.int64]:
    """Penalty of symbols given twice, by rows and by columns, (k, n) words each."""
    one, pairs = np.uint64(1), np.uint64((1 << (side - 1)) - 1)
    score = np.zeros(len(across), dtype=np.int64)
    for lines in (across, down):
        same = ~(lines ^ lines >> one) & pairs
        two = same & same >> one
        five = two & two >> np.uint64(2)
        score += _count(five) + 2 * _count(five & ~(five << one)) + 40 * _count(_finder_like(lines))
    level = ~(across ^ across >> one) & pairs
    upright = ~(across[:, 1:] ^ across[:, :-1])
    score += 3 * _count(level[:, 1:] & upright & upright >> one)
    dark, total = _count(across), side * side
    return np.asarray(score + 10 * (np.abs(100 * dark - 50 * total) // (5 * total)), dtype=np.int64)


def _finder_like(lines: Rows) -> Rows:
    """Where runs 1:1:3:1:1 with four light modules before or after begin, as in finder patterns."""
    next_, third = lines >> np.uint64(1), lines >> np.uint64(2)
    core: Rows = lines & ~next_ & third & lines >> np.uint64(3) & lines >> np.uint64(4) & ~(next_ >> np.uint64(4))
    core &= third >> np.uint64(4)
    before = lines << np.uint64(1) | lines << np.uint64(2)
    before |= before << np.uint64(2)
    after = lines >> np.uint64(7) | lines >> np.uint64(8)
    after |= after >> np.uint64(2)
    core &= ~(before & after)
    return core


def _count(lines: Rows) -> NDArray[np.int64]:
    return np.asarray(np.bitwise_count(lines).sum(axis=1, dtype=np.int64))


@cache
def _frame(version: int) -> _Frame:
    """Read off symbols of a short text at all eight masks: a version's symbols differ in nothing else."""
    made = [_made("0", mask, version) for mask in range(8)]
    matrices = np.array([m.matrix for m in made], dtype=np.int8)
    kinds = np.array([list(row) for row in made[0].matrix_iter(border=0, verbose=True)])
    free = np.isin(kinds, (consts.TYPE_DATA_DARK, consts.TYPE_DATA_LIGHT))
    free[8, len(free) - 9] = True  # segno calls this one format information; it holds data
    row, column = _path(free)
    return _Frame(
        matrices[0],
        (row, column),
        ((row + column) % 2 == 0).astype(np.uint8),
        (matrices ^ matrices[0]).view(np.uint8),
    )


def _path(free: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Data modules in the order of the standard: two columns at a time from the right, up and down in turn."""
    side = len(free)
    rights = [c if c > 6 else c - 1 for c in range(side - 1, 0, -2)]  # the upright timing pattern is skipped
    rows, columns = [], []
    for turn, right in enumerate(rights):
        for row in range(side) if turn % 2 else range(side - 1, -1, -1):
            for column in (right, right - 1):
                if free[row, column]:
                    rows.append(row)
                    columns.append(column)
    return np.array(rows), np.array(columns)


def _made(text: str, mask: int, version: int | None = None) -> Any:
    return segno.make_qr(text, error=LEVEL, boost_error=False, mask=mask, version=version)
