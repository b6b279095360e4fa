"""Codes and names of grids and communities.

Grids are numbered within their community from west to east, row by row from north to south, at first issue.
A community without an official 12-digit code gets a local one: ``000000`` (no county of GB/T 2260 has it) and a
running number of six digits.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gis.districting.rulesets import CODE_FIELD, Ruleset
from gis.territory.model import Floats

DIGITS: Final = "零一二三四五六七八九"
LOCAL_PREFIX: Final = "000000"


def ordinal(number: int) -> str:
    """A whole number from 1 to 9999 in Chinese: 5 -> 五, 12 -> 十二, 105 -> 一百零五."""
    if not 1 <= number <= 9999:
        return str(number)
    out = ""
    gap = False
    for unit, word in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            out += ("零" if gap and out else "") + DIGITS[digit] + word
            gap = False
        else:
            gap = True
    return out.removeprefix("一") if out.startswith("一十") else out


def reading_order(x: Floats, y: Floats, row: float) -> NDArray[np.int64]:
    """Positions from west to east in rows of ``row`` metres from north to south (从西向东、从北向南)."""
    band = np.floor((y.max() - y) / max(row, 1e-9)) if len(y) else y
    return np.lexsort((y, x, band))


def community_codes(codes: list[str]) -> list[str]:
    """The 12 digits that stand for each community in grid codes: its own, or a local code where it has none.

    A code that is not 12 digits, or that stood there before, is not official.
    """
    out: list[str] = []
    seen: set[str] = set()
    local = 0
    for code in codes:
        if len(code) == 12 and code.isascii() and code.isdigit() and code not in seen:
            seen.add(code)
            out.append(code)
        else:
            local += 1
            out.append(f"{LOCAL_PREFIX}{local:06d}")
    return out


def grid_code(template: str, code12: str, number: int, most: int) -> str:
    """A grid's code. The running number is wider than the template says only where ``most`` needs it."""
    parts = {"county:6": code12[:6], "street:3": code12[6:9], "community:3": code12[9:12], "division:12": code12}

    def field(match: object) -> str:
        word = match.group(1)  # type: ignore[attr-defined]
        if word in parts:
            return parts[word]
        width = max(int(word.split(":")[1]), len(str(most)))
        return f"{number:0{width}d}"

    return CODE_FIELD.sub(field, template)


def grid_name(ruleset: Ruleset, number: int) -> str:
    """A grid's name, such as 第五网格."""
    return ruleset.grid_name.replace("{ordinal}", ordinal(number)).replace("{number}", str(number))
