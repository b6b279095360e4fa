"""Characters to tokens: a run of digits, a run of Latin letters, or one character.

Each token gets small integers that the features are made of. Loops are compiled; texts come as code points.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gis.compiling import njit

#: Classes of single characters, and of runs.
HAN, NUMERAL, DASH, MARK, OTHER, STEM = 1, 2, 3, 4, 5, 6
DIGITS, LETTERS = 10, 20
#: Codes of runs start here, above every code point: digits by length, then letters by length.
RUN: Final = 0x110000
#: The token before the first and after the last.
EDGE: Final = RUN + 100

_NUMERALS: Final = "一二三四五六七八九十零〇百千两"
_STEMS: Final = "甲乙丙丁戊己庚辛壬癸"
_DASHES: Final = "-"
_MARKS: Final = "_/、,.~#()&:;+*|。!?'\"@"
#: Characters that end or head a part, by what they are a sign of; the nearest before and behind tell a lot.
SIGNS: Final = {
    1: "路街道巷弄",
    2: "号",
    4: "幢栋座",
    8: "单室",
    16: "楼层",
    32: "苑园厦城场",
    64: "司店厂院行",
    128: "村社组",
    256: "省市区县旗州盟乡镇里元门队庄坊校中心大附近旁对面东南西北侧交叉口与桥湾屯庵圩线段胡同户房间铺馆寓居宅墅府邸"
    "广小学公所站库部",
}


class Tokens(NamedTuple):
    """Of n tokens: first and behind-last character, class, code (for features), exact hash (for names), value.

    The value is that of a run of digits, up to nine of them; 0 for all else.
    """

    start: NDArray[np.int32]
    end: NDArray[np.int32]
    kind: NDArray[np.int64]
    code: NDArray[np.int64]
    exact: NDArray[np.uint64]
    value: NDArray[np.int64]


def _class_table() -> NDArray[np.uint8]:
    table = np.full(0x110000, OTHER, dtype=np.uint8)
    table[0x3400:0xA000] = HAN
    table[0x20000:0x32000] = HAN
    for chars, kind in ((_NUMERALS, NUMERAL), (_STEMS, STEM), (_DASHES, DASH), (_MARKS, MARK)):
        table[[ord(c) for c in chars]] = kind
    table[ord("0") : ord("9") + 1] = DIGITS
    table[ord("a") : ord("z") + 1] = LETTERS
    table[ord("A") : ord("Z") + 1] = LETTERS
    return table


def _sign_table() -> NDArray[np.uint16]:
    table = np.zeros(0x110000 + 1024, dtype=np.uint16)
    for bit, chars in SIGNS.items():
        table[[ord(c) for c in chars]] |= bit
    return table


#: Class of each code point, and what it is a sign of (0: nothing). Read only.
CLASS: Final = _class_table()
SIGN: Final = _sign_table()
CLASS.flags.writeable = False
SIGN.flags.writeable = False


def points(text: str) -> NDArray[np.uint32]:
    """Code points of a text; lone surrogates count as one unknown character."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


@njit(cache=True)
def tokenise(text: Any, classes: Any) -> Any:  # pragma: no cover - compiled
    """Tokens of code points; see :class:`Tokens`. Letters are told apart without case."""
    n = len(text)
    start, end = np.empty(n, np.int32), np.empty(n, np.int32)
    kind, code = np.empty(n, np.int64), np.empty(n, np.int64)
    exact, value = np.empty(n, np.uint64), np.zeros(n, np.int64)
    count = 0
    i = 0
    while i < n:
        c = classes[text[i]]
        j = i + 1
        h = np.uint64(text[i])
        if c in (DIGITS, LETTERS):
            h = np.uint64(1469598103934665603)
            while j <= n:
                p = np.uint64(text[j - 1])
                if 97 <= p <= 122:
                    p -= np.uint64(32)
                h = (h ^ p) * np.uint64(1099511628211)
                if j < n and classes[text[j]] == c:
                    j += 1
                else:
                    break
        length = j - i
        start[count], end[count], exact[count] = i, j, h
        if c == DIGITS:
            kind[count] = DIGITS + min(length, 6)
            for k in range(i, min(j, i + 9)):
                value[count] = value[count] * 10 + text[k] - 48
            code[count] = RUN + min(length, 6)
        elif c == LETTERS:
            kind[count] = LETTERS + min(length, 3)
            first = text[i]
            if first >= 97:
                first -= 32
            code[count] = first if length == 1 else RUN + 20 + min(length, 5)
        else:
            kind[count] = c
            code[count] = text[i]
        count += 1
        i = j
    return Tokens(start[:count], end[:count], kind[:count], code[:count], exact[:count], value[:count])
