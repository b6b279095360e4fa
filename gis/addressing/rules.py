"""Numbering rulesets 门牌编号规则: one place's practice of numbering doors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gis.addressing.doornumbers import LARGEST, Infill
from gis.addressing.thoroughfares import Start

#: How numbers follow each other: one after the other, with numbers left for empty frontage, or metres from the start.
Mode = Literal["sequential", "gaps", "metric"]


@dataclass(frozen=True)
class Rule:
    """One place's practice. ``odd_right``: odd numbers on the right in counting direction."""

    name: str = "beijing2012"
    start: Start = "east_north"
    odd_right: bool = True
    infill: Infill = "attached"
    skip: frozenset[int] = frozenset()
    mode: Mode = "sequential"
    first: int = 1
    largest: int = LARGEST
    unit_m: float = 1.0
    reserve: int = 0
    frontage_m: float = 0.0
    one_sided: Literal["parity", "consecutive"] = "parity"
