"""Codewords of QR symbols at level Q, many texts of one length at once (ISO/IEC 18004, byte mode, to version 10)."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gis.errors import InputError

#: Longest text: what version 10 holds at level Q.
LONGEST: Final = 151

#: By version: check words of a block, then (blocks, data words of each). Table 9 of ISO/IEC 18004, level Q.
_BLOCKS: Final[dict[int, tuple[int, tuple[tuple[int, int], ...]]]] = {
    1: (13, ((1, 13),)),
    2: (22, ((1, 22),)),
    3: (18, ((2, 17),)),
    4: (26, ((2, 24),)),
    5: (18, ((2, 15), (2, 16))),
    6: (24, ((4, 19),)),
    7: (18, ((2, 14), (4, 15))),
    8: (22, ((4, 18), (2, 19))),
    9: (20, ((4, 16), (4, 17))),
    10: (24, ((6, 19), (2, 20))),
}
_LONG_COUNT: Final = 10  # from this version on the length takes 16 bits
_FIELD: Final = 0x11D  # x^8 + x^4 + x^3 + x^2 + 1

Words = NDArray[np.uint8]


def version_of(length: int) -> int:
    """The smallest version that holds so many bytes; raises InputError ``plates.link_too_long``."""
    for version, (_, groups) in _BLOCKS.items():
        bits = 8 * sum(blocks * words for blocks, words in groups) - 4 - _count_bits(version)
        if length <= bits // 8:
            return version
    raise InputError("plates.link_too_long", length=length, most=LONGEST)


def codewords(texts: Words, version: int) -> Words:
    """All words of (n, length) texts, data and check words interleaved in the order they are placed."""
    check, groups = _BLOCKS[version]
    data = _data(texts, version, sum(blocks * words for blocks, words in groups))
    blocks: list[Words] = []
    checks: list[Words] = []
    start = 0
    for count, words in groups:
        part = data[:, start : start + count * words].reshape(len(texts), count, words)
        start += count * words
        remainder = _check_words(part, check)
        blocks += [part[:, k] for k in range(count)]
        checks += [remainder[:, k] for k in range(count)]
    longest = max(b.shape[1] for b in blocks)
    placed = [b[:, k] for k in range(longest) for b in blocks if k < b.shape[1]]
    placed += [c[:, k] for k in range(check) for c in checks]
    return np.stack(placed, axis=1)


def _count_bits(version: int) -> int:
    return 16 if version >= _LONG_COUNT else 8


def _data(texts: Words, version: int, total: int) -> Words:
    """Mode, length, text, end and padding: everything lies on half bytes, so it is put together from those."""
    count, length = texts.shape
    digits = _count_bits(version) // 4
    half = np.zeros((count, 2 * total), dtype=np.uint8)
    half[:, 0] = 0b0100
    for k in range(digits):
        half[:, 1 + k] = (length >> 4 * (digits - 1 - k)) & 15
    at = 1 + digits
    half[:, at : at + 2 * length : 2] = texts >> 4
    half[:, at + 1 : at + 1 + 2 * length : 2] = texts & 15
    data: Words = (half[:, 0::2] << 4 | half[:, 1::2]).astype(np.uint8, copy=False)
    first = (at + 2 * length + 2) // 2  # after the four end bits, which also fill the last byte
    data[:, first::2] = 0xEC
    data[:, first + 1 :: 2] = 0x11
    return data


def _check_words(data: Words, count: int) -> Words:
    """Remainder of (n, blocks, words) data by the generator of so many check words, over GF(256)."""
    product = _products(count)
    rest = np.zeros((*data.shape[:2], count + 1), dtype=np.uint8)
    for k in range(data.shape[2]):
        factor = data[:, :, k] ^ rest[:, :, 0]
        rest[:, :, :-1] = rest[:, :, 1:] ^ product[factor]
    return rest[:, :, :-1]


@cache
def _products(count: int) -> Words:
    """Every byte times the generator's lower coefficients, (256, count), highest first."""
    exp, log = _powers()
    generator = np.array([1], dtype=np.uint8)
    for k in range(count):
        shifted = np.append(generator, np.uint8(0))
        shifted[1:] ^= exp[(log[generator] + k) % 255]
        generator = shifted
    table: Words = exp[(log[:, None] + log[generator[1:]][None, :]) % 255]
    table[0] = 0
    table.flags.writeable = False
    return table


def _powers() -> tuple[Words, NDArray[np.int64]]:
    """Powers of the field's generator, and the exponent of each byte (of 0: 0, unused)."""
    exp, log, value = np.zeros(255, dtype=np.uint8), np.zeros(256, dtype=np.int64), 1
    for k in range(255):
        exp[k], log[value] = value, k
        value <<= 1
        if value > 255:
            value ^= _FIELD
    return exp, log
