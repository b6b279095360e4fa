"""Codes and names of grids and communities.

Grids are numbered within their community from west to east, row by row from north to south, at first issue
(从西向东、从北向南); afterwards numbers are appended and none is ever used again. Dedicated grids have a range
of their own. A community without an official 12-digit code gets a local one: ``000000`` (no county of GB/T
2260 has it) and a running number of six digits. One joined from several communities, whose ``code`` lists theirs, is
numbered from 601 in the place of the community (CJ/T 349).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.districting.rulesets import CODE_FIELD, Ruleset
from gis.territory.model import Floats, Geometries

DIGITS: Final = "零一二三四五六七八九"
LOCAL_PREFIX: Final = "000000"
#: Codes of 12 digits in a list of them.
CODES_12: Final = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")


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


def community_codes(codes: list[str], areas: Geometries | None = None, merged_from: int = 601) -> list[str]:
    """The 12 digits that stand for each community in grid codes: its own, or a local code where it has none.

    A code that is not 12 digits, or that stood there before, is not official. One that lists several codes of 12
    digits is a joined community: county and street of the first, then a number from ``merged_from`` on, in reading
    order of the ``areas`` (order of the list where there are none).
    """
    listed = [CODES_12.findall(code) for code in codes]
    joined = [i for i, found in enumerate(listed) if len(found) > 1]
    if areas is not None and joined:
        middle = shapely.centroid(areas[joined])
        row = float(np.sqrt(np.median(np.maximum(shapely.area(areas[joined]), 1.0))))
        joined = [joined[i] for i in reading_order(shapely.get_x(middle), shapely.get_y(middle), row)]
    counts: dict[str, int] = {}
    made: dict[int, str] = {}
    for i in joined:
        town = listed[i][0][:9]
        made[i] = f"{town}{merged_from + counts.get(town, 0):03d}"
        counts[town] = counts.get(town, 0) + 1
    out: list[str] = []
    seen: set[str] = set(made.values())
    local = 0
    for i, code in enumerate(codes):
        if i in made:
            out.append(made[i])
        elif len(code) == 12 and code.isascii() and code.isdigit() and code not in seen:
            seen.add(code)
            out.append(code)
        else:
            local += 1
            out.append(f"{LOCAL_PREFIX}{local:06d}")
    return out


def code_form(ruleset: Ruleset, code12: str, most: int = 0) -> str:
    """The codes of a community's grids with the running number left open: ``439901001001{number:3}``.

    The running number is wider than the template says only where ``most`` needs it.
    """
    parts = {
        "object:6": ruleset.object_code,
        "county:6": code12[:6],
        "street:3": code12[6:9],
        "community:3": code12[9:12],
        "division:12": code12,
    }

    def field(match: re.Match[str]) -> str:
        word = match.group(1)
        if word in parts:
            return parts[word]
        return f"{{number:{max(int(word.split(':')[1]), len(str(most)))}}}"

    return CODE_FIELD.sub(field, ruleset.code)


def code_of(form: str, number: int) -> str:
    """The code with a running number, from :func:`code_form`."""
    return re.sub(r"\{number:([0-9]+)\}", lambda m: f"{number:0{int(m[1])}d}", form)


def grid_code(ruleset: Ruleset, code12: str, number: int, most: int) -> str:
    """A grid's code in a community whose highest running number is ``most``."""
    return code_of(code_form(ruleset, code12, most), number)


def name_form(ruleset: Ruleset, *, site: str | None = None) -> str:
    """The name of a grid with its number left open: 第{ordinal}网格; ``site``: of that place's dedicated grid."""
    if site and ruleset.dedicated_name:
        return ruleset.dedicated_name.replace("{site}", site.replace("{", "").replace("}", ""))
    return ruleset.grid_name


def name_of(form: str, number: int) -> str:
    """A grid's name with its running number, such as 第五网格."""
    return form.replace("{ordinal}", ordinal(number)).replace("{number}", str(number))


def next_numbers(issued: Iterable[tuple[str, bool, int]], wanted: Iterable[tuple[str, bool, int]]) -> list[int]:
    """Running numbers for new grids, as (code form, dedicated, number): none that was ever ``issued`` comes back.

    A community and range that never issued any takes the numbers of the plan, which are in reading order; else new
    grids are appended after the highest number issued.
    """
    highest: dict[tuple[str, bool], int] = {}
    taken: set[tuple[str, int]] = set()
    for form, dedicated, number in issued:
        highest[form, dedicated] = max(highest.get((form, dedicated), 0), number)
        taken.add((form, number))
    begun = set(highest)
    out: list[int] = []
    for form, dedicated, own in wanted:
        number = highest[form, dedicated] + 1 if (form, dedicated) in begun else own
        while (form, number) in taken:
            number += 1
        highest[form, dedicated] = max(highest.get((form, dedicated), 0), number)
        taken.add((form, number))
        out.append(number)
    return out
