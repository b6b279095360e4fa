"""What the chain sees of a token: words around it, kinds of characters, keys before and behind, number chains, names.

A feature is a 32-bit hash of its template and values; 0 stands for none. All loops are compiled.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gis.addressing.parsing.lexicon import KINDS, LONGEST, find, step
from gis.addressing.parsing.tokens import DASH, DIGITS, EDGE, HAN, LETTERS, MARK, NUMERAL
from gis.compiling import njit

_KINDS: Final = len(KINDS)
#: Kinds that are names; the others are words. The first four are divisions, their short forms lie at ``_SHORT``.
_NAMES: Final = KINDS.index("home")
_SHORT: Final = KINDS.index("prov_short")
#: Slots of features a token has; those of names come last, two a kind.
_NAME_SLOT: Final = 84
SLOTS: Final = _NAME_SLOT + 2 * _KINDS
_SEED: Final = np.uint64(0x1F83D9ABFB41BD6B)


class Around(NamedTuple):
    """For n tokens: nearest keys before and behind with their places, and the signs seen before and still to come."""

    before: NDArray[np.int64]
    before_at: NDArray[np.int64]
    behind: NDArray[np.int64]
    behind_at: NDArray[np.int64]
    past: NDArray[np.int64]
    ahead: NDArray[np.int64]


class Chains(NamedTuple):
    """For n tokens: is it a number, a link (dash); its place in its chain, how many follow, the chain's shape.

    ``whole``: how many numbers the chain has, the kind of the last one, and whether the text ends with it.
    ``first``: where the chain begins; ``near``: how the number stands to that before and behind it in the chain
    (higher by little, higher, not higher): 103-104 is a range, 103-4 is none.
    """

    number: NDArray[np.int64]
    link: NDArray[np.int64]
    nth: NDArray[np.int64]
    left: NDArray[np.int64]
    shape: NDArray[np.int64]
    whole: NDArray[np.int64]
    first: NDArray[np.int64]
    near: NDArray[np.int64]


class Said(NamedTuple):
    """For n tokens: levels of divisions named before and behind, and whether its pair of characters comes twice."""

    past: NDArray[np.int64]
    ahead: NDArray[np.int64]
    twice: NDArray[np.int64]


# one signature: without it numba compiles a copy for every mixture of integers it is called with
@njit("uint64(int64, int64, int64, int64, int64)", cache=True)
def _mix(slot: Any, a: Any, b: Any, c: Any, d: Any) -> Any:  # pragma: no cover - compiled
    """Hash of a template and up to four values."""
    h = np.uint64(slot) * np.uint64(0x9E3779B97F4A7C15) ^ _SEED
    for v in (a, b, c, d):
        h = (h ^ (np.uint64(v) + np.uint64(0x632BE59BD9B4E019))) * np.uint64(0xFF51AFD7ED558CCD)
        h ^= h >> np.uint64(31)
    h = (h * np.uint64(0xC4CEB9FE1A85EC53)) >> np.uint64(32)
    return h if h != 0 else np.uint64(1)


@njit(cache=True)
def names_at(exact: Any, keys: Any, masks: Any) -> Any:  # pragma: no cover - compiled
    """(n, kinds): 0 none, else state (1 begins, 2 inside, 3 ends) * 8 + length up to 7; longer names win."""
    n = len(exact)
    at = np.zeros((n, _KINDS), np.int64)
    size = np.zeros((n, _KINDS), np.int64)
    for i in range(n):
        h = np.uint64(0x2545F4914F6CDD1D)
        for j in range(i, min(n, i + LONGEST)):
            h = step(h, exact[j])
            mask = find(keys, masks, h) if j > i else np.uint32(0)
            if mask == 0:
                continue
            length = j - i + 1
            for k in range(_KINDS):
                if (mask >> k) & 1:
                    for t in range(i, j + 1):
                        if size[t, k] < length:
                            size[t, k] = length
                            at[t, k] = (1 if t == i else (3 if t == j else 2)) * 8 + min(length, 7)
    return at


@njit(cache=True)
def _word(code: Any, i: Any) -> Any:  # pragma: no cover - compiled
    return code[i] if 0 <= i < len(code) else EDGE


@njit(cache=True)
def _kind(kind: Any, i: Any) -> Any:  # pragma: no cover - compiled
    return kind[i] if 0 <= i < len(kind) else 0


@njit(cache=True)
def _around(code: Any, sign: Any) -> Any:  # pragma: no cover - compiled
    n = len(code)
    before, behind = np.full(n, EDGE), np.full(n, EDGE)
    before_at, behind_at = np.full(n, -1), np.full(n, n)
    past, ahead = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for i in range(1, n):
        s = np.int64(sign[code[i - 1]])
        before[i] = code[i - 1] if s else before[i - 1]
        before_at[i] = i - 1 if s else before_at[i - 1]
        past[i] = past[i - 1] | (s & 255)
    for i in range(n - 2, -1, -1):
        s = np.int64(sign[code[i + 1]])
        behind[i] = code[i + 1] if s else behind[i + 1]
        behind_at[i] = i + 1 if s else behind_at[i + 1]
        ahead[i] = ahead[i + 1] | (s & 255)
    return Around(before, before_at, behind, behind_at, past, ahead)


@njit(cache=True)
def _chains(kind: Any, code: Any, value: Any, sign: Any, behind: Any) -> Any:  # pragma: no cover - compiled
    """Chains such as 7-6-1046 and B12-3. What follows a chain becomes the key behind all its members."""
    n = len(code)
    number, link = np.zeros(n, np.int64), np.zeros(n, np.int64)
    nth, left, shape = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    whole, first, near = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    for i in range(n):
        number[i] = 1 if kind[i] > DIGITS else 0
        link[i] = 1 if kind[i] == DASH or (kind[i] == MARK and code[i] != 95) else 0
    i = 0
    while i < n:
        if not (number[i] or link[i]):
            i += 1
            continue
        j, form, count, seen, last = i, np.int64(7), 0, 0, np.int64(0)
        held = -1
        while j < n and (number[j] or link[j]):
            form = (form * 37 + (kind[j] if number[j] else 1)) & 0xFFFFFFFF
            if number[j] and (j == i or link[j - 1]):
                count += 1
            last = kind[j] if number[j] else last
            if DIGITS < kind[j] < LETTERS:
                if held >= 0:
                    stands = compared(value[held], value[j])
                    near[held] += stands * 8
                    for t in range(held + 1, j + 1):
                        near[t] = stands
                held = j
            j += 1
        for t in range(i, j):
            if number[t] and (t == i or link[t - 1]):
                seen += 1
            shape[t], nth[t], left[t], first[t] = form, min(seen, 5), min(count - seen, 5), i
            whole[t] = min(count, 5) * 128 + last * 2 + (1 if j == n else 0)
            if t < j - 1 or not sign[_word(code, t + 1)]:
                behind[t] = _word(code, j)
        i = j
    return Chains(number, link, nth, left, shape, whole, first, near)


@njit(cache=True)
def compared(a: Any, b: Any) -> Any:  # pragma: no cover - compiled
    """How a number stands to the one before it in a chain."""
    if b <= a:
        return 1
    if b - a == 1:
        return 2
    return 3 if b - a <= 4 else 4


@njit(cache=True)
def _said(kind: Any, exact: Any, names: Any) -> Any:  # pragma: no cover - compiled
    n = len(exact)
    past, ahead, twice = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    for i in range(1, n):
        past[i] = past[i - 1]
        for k in range(4):
            if names[i - 1, k] >> 3 == 3 or (k < 3 and names[i - 1, _SHORT + k] >> 3 == 3):
                past[i] |= 1 << k
    for i in range(n - 2, -1, -1):
        ahead[i] = ahead[i + 1]
        for k in range(4):
            if names[i + 1, k] >> 3 == 1 or (k < 3 and names[i + 1, _SHORT + k] >> 3 == 1):
                ahead[i] |= 1 << k
    for i in range(n - 1):
        for j in range(i + 2, n - 1):
            if kind[i] == HAN and exact[i] == exact[j] and exact[i + 1] == exact[j + 1]:
                twice[i] |= 1
                twice[i + 1] |= 1
                twice[j] |= 2
                twice[j + 1] |= 2
    return Said(past, ahead, twice)


@njit(cache=True)
def features(
    kind: Any, code: Any, exact: Any, value: Any, sign: Any, keys: Any, masks: Any
) -> Any:  # pragma: no cover - compiled
    """(n, SLOTS) hashes of n tokens."""
    n = len(code)
    out = np.zeros((n, SLOTS), np.uint64)
    names = names_at(exact, keys, masks)
    around = _around(code, sign)
    chains = _chains(kind, code, value, sign, around.behind)
    said = _said(kind, exact, names)
    state = np.int64(0)  # signs of numbers seen since the last road: which level comes next
    for i in range(n):
        row = out[i]
        _words(row, i, kind, code)
        _keys(row, i, n, kind, code, around, state)
        if chains.number[i] or chains.link[i]:
            _numbers(row, i, kind, code, around, chains, state)
            _in_chain(row, i, kind, code, exact, around, chains, names, state)
        if kind[i] == NUMERAL or kind[i] > LETTERS:
            row[46] = _mix(46, kind[i], _word(code, i + 1), _word(code, i - 1), 0)
        _named(row, i, n, kind, code, around, said, names, state)
        s = np.int64(sign[code[i]]) & 63
        if s & 1 and code[i] != 0x5F04:  # a road, but no 弄
            state = np.int64(16)
        elif s:
            state |= s & 1 | (s & 2) >> 1 | (s & 4) >> 1 | (s & 8) >> 1 | (s & 16) >> 1 | s & 32
    return out


@njit(cache=True)
def _words(row: Any, i: Any, kind: Any, code: Any) -> None:  # pragma: no cover - compiled
    """Characters and kinds around the token, alone and joined."""
    w = code[i]
    w1, w2, w3 = _word(code, i - 1), _word(code, i - 2), _word(code, i - 3)
    x1, x2, x3 = _word(code, i + 1), _word(code, i + 2), _word(code, i + 3)
    k0, k1, k2 = kind[i], _kind(kind, i - 1), _kind(kind, i - 2)
    n1, n2 = _kind(kind, i + 1), _kind(kind, i + 2)
    row[0] = _mix(0, 0, 0, 0, 0)
    row[1] = _mix(1, w, 0, 0, 0)
    row[2] = _mix(2, w1, 0, 0, 0)
    row[3] = _mix(3, w2, 0, 0, 0)
    row[4] = _mix(4, w3, 0, 0, 0)
    row[5] = _mix(5, x1, 0, 0, 0)
    row[6] = _mix(6, x2, 0, 0, 0)
    row[7] = _mix(7, x3, 0, 0, 0)
    row[8] = _mix(8, w2, w1, 0, 0)
    row[9] = _mix(9, w1, w, 0, 0)
    row[10] = _mix(10, w, x1, 0, 0)
    row[11] = _mix(11, x1, x2, 0, 0)
    row[12] = _mix(12, w2, w1, w, 0)
    row[13] = _mix(13, w1, w, x1, 0)
    row[14] = _mix(14, w, x1, x2, 0)
    row[15] = _mix(15, w1, w, x1, x2)
    row[16] = _mix(16, w, x1, x2, x3)
    row[17] = _mix(17, w3, w2, w1, w)
    row[18] = _mix(18, k2, k1, k0, n1 * 64 + n2)
    row[19] = _mix(19, k1, k0, n1, 0)
    row[20] = _mix(20, w1, k0, x1, 0)
    row[32] = _mix(32, x1, x2, x3, 0)
    row[33] = _mix(33, x2, x3, 0, 0)
    row[34] = _mix(34, w3, w2, 0, 0)
    row[35] = _mix(35, w3, w2, w1, 0)


@njit(cache=True)
def _keys(row: Any, i: Any, n: Any, kind: Any, code: Any, around: Any, state: Any) -> None:  # pragma: no cover
    """The nearest keys, how far they are, what stands before them; signs before and to come; place in the text."""
    w, k0 = code[i], kind[i]
    before, behind = around.before[i], around.behind[i]
    b, f = around.before_at[i], around.behind_at[i]
    past, ahead = around.past[i], around.ahead[i]
    row[21] = _mix(21, before, 0, 0, 0)
    row[22] = _mix(22, behind, 0, 0, 0)
    row[23] = _mix(23, before, behind, 0, 0)
    row[24] = _mix(24, before, w, 0, 0)
    row[25] = _mix(25, behind, w, 0, 0)
    row[26] = _mix(26, behind, min(f - i, 7), 0, 0)
    row[27] = _mix(27, before, min(i - b, 7), behind, 0)
    row[28] = _mix(28, min(i, 6), 0, 0, 0)
    row[29] = _mix(29, min(n - 1 - i, 3), k0, 0, 0)
    row[30] = _mix(30, state, k0, behind if k0 > DIGITS else 0, 0)
    row[31] = _mix(31, state, w, 0, 0)
    row[36] = _mix(36, behind, around.behind[f] if f < n else EDGE, before, 0)
    row[58] = _mix(58, _word(code, i - 1), w, behind, 0)
    row[60] = _mix(60, behind, _word(code, f - 1), min(f - i, 5), 0)
    row[61] = _mix(61, before, _word(code, b - 1), min(i - b, 5), 0)
    row[62] = _mix(62, ahead, k0, 0, 0)
    row[63] = _mix(63, ahead, past, k0, 0)
    row[64] = _mix(64, past, w, 0, 0)
    row[65] = _mix(65, ahead, behind, min(f - i, 5), 0)
    row[66] = _mix(66, past, before, behind, 0)
    row[67] = _mix(67, _word(code, f - 1), behind, _word(code, b - 1), before)
    row[68] = _mix(68, _word(code, i + 4), behind, 0, 0)
    row[69] = _mix(69, _word(code, i - 4), _word(code, i - 3), before, 0)


@njit(cache=True)
def _numbers(
    row: Any, i: Any, kind: Any, code: Any, around: Any, chains: Any, state: Any
) -> None:  # pragma: no cover - compiled
    """Place in a chain of numbers: what tells a building from a unit and a room."""
    before, behind, k0 = around.before[i], around.behind[i], kind[i]
    nth, left, shape = chains.nth[i], chains.left[i], chains.shape[i]
    place = nth * 2 + chains.link[i]
    row[37] = _mix(37, nth, left, 0, 0)
    row[38] = _mix(38, nth, left, before, 0)
    row[39] = _mix(39, shape, nth, chains.link[i], 0)
    row[40] = _mix(40, shape, place, before, behind)
    row[41] = _mix(41, shape, place, state, behind)
    row[42] = _mix(42, place, left, state, behind)
    row[43] = _mix(43, k0, behind, before, 0)
    row[44] = _mix(44, k0, behind, 0, 0)
    whole = chains.whole[i]
    row[70] = _mix(70, whole, place, 0, 0)
    row[71] = _mix(71, whole, place, before, 0)
    row[72] = _mix(72, whole, place, k0, around.past[i])
    row[73] = _mix(73, whole, place, state, behind)
    row[45] = _mix(45, shape, place, _word(code, i - 1) if nth <= 1 else 0, 0)


@njit(cache=True)
def _in_chain(
    row: Any, i: Any, kind: Any, code: Any, exact: Any, around: Any, chains: Any, names: Any, state: Any
) -> None:  # pragma: no cover - compiled
    """What stands before the whole chain, for every member of it; how its numbers stand to each other; the city."""
    a = chains.first[i]
    place = (chains.nth[i] * 8 + chains.left[i]) * 2 + chains.link[i]
    w1, w2 = _word(code, a - 1), _word(code, a - 2)
    near = chains.near[i]
    row[74] = _mix(74, place, w1, 0, 0)
    row[75] = _mix(75, place, w2, w1, 0)
    row[76] = _mix(76, chains.shape[i], place, w1, 0)
    row[77] = _mix(77, near, place, 0, 0)
    row[78] = _mix(78, near, place, around.before[i], around.behind[i])
    row[79] = _mix(79, near, chains.shape[i], place, state)
    ends = 0
    if a > 0:
        for k in range(_KINDS):
            if names[a - 1, k] >> 3 == 3:
                ends |= 1 << k
    row[80] = _mix(80, place, chains.whole[i], ends, 0)
    row[81] = _mix(81, place, near, ends, state)
    city, prov = np.int64(0), np.int64(0)
    for t in range(min(len(code), 12)):
        for k in (1, _SHORT + 1):
            if not city and names[t, k] >> 3 == 1:
                city = np.int64(exact[t] >> np.uint64(32)) * 31 + np.int64(exact[t + 1] >> np.uint64(32))
        for k in (0, _SHORT):
            if not prov and names[t, k] >> 3 == 1:
                prov = np.int64(exact[t] >> np.uint64(32)) * 31 + np.int64(exact[t + 1] >> np.uint64(32))
    if city:
        row[82] = _mix(82, place, chains.whole[i], city, 0)
    if prov:
        row[83] = _mix(83, place, chains.whole[i], prov, 0)


@njit(cache=True)
def _named(
    row: Any, i: Any, n: Any, kind: Any, code: Any, around: Any, said: Any, names: Any, state: Any
) -> None:  # pragma: no cover - compiled
    """Known names the token lies in, that end before it and begin behind it; divisions said before and behind."""
    w = code[i]
    ends, begins, here, level = 0, 0, 0, 0
    for k in range(_KINDS):
        s = names[i, k] >> 3
        if k < _NAMES:
            here |= (s & 3) << (2 * k)
        if i > 0 and names[i - 1, k] >> 3 == 3:
            ends |= 1 << k
        if i + 1 < n and names[i + 1, k] >> 3 == 1:
            begins |= 1 << k
        if names[i, k]:
            row[_NAME_SLOT + 2 * k] = _mix(200 + k, names[i, k], 0, 0, 0)
            row[_NAME_SLOT + 2 * k + 1] = _mix(300 + k, s, w, 0, 0)
            if k < 4:
                level |= 1 << k
            elif _SHORT <= k < _SHORT + 3:
                level |= 1 << (k - _SHORT)
    if ends:
        row[47] = _mix(47, ends, 0, 0, 0)
        row[48] = _mix(48, ends, w, 0, 0)
    if begins:
        row[49] = _mix(49, begins, 0, 0, 0)
    if here:
        row[50] = _mix(50, here, 0, 0, 0)
        row[51] = _mix(51, here, _word(code, i + 1), 0, 0)
        row[52] = _mix(52, here, w, 0, 0)
        row[53] = _mix(53, here, state, around.before[i], 0)
    if level:
        row[54] = _mix(54, level, said.past[i], said.ahead[i], 0)
        row[55] = _mix(55, here, said.past[i] & 7, said.ahead[i] & 7, 0)
        row[56] = _mix(56, level, said.twice[i], 0, 0)
    if said.twice[i]:
        row[57] = _mix(57, said.twice[i], kind[i], 0, 0)
    row[59] = _mix(59, said.past[i], state, kind[i], 0)
