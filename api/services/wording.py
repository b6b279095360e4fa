"""Words for what the engine found: the four bounds 四至 of a grid as a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from api.messages import text
from gis.blocks.model import AtomSet
from gis.districting.model import Plan
from gis.districting.sides import four_bounds
from gis.territory.layers import texts
from gis.territory.model import Sources, Texts

#: Columns of ``grids`` in a plan file that say the four bounds, and their language.
BOUNDS_COLUMNS: Final = {"bounds": "zh-CN", "bounds_en": "en"}


def bounds_columns(sources: Sources, atom_set: AtomSet, plan: Plan) -> dict[str, Texts]:
    """The four bounds of every grid in words, one column a language, and the name of its community."""
    communities = np.array([c.name for c in plan.communities], dtype=object)
    found = four_bounds(atom_set, plan.assignment, plan.grids.name, communities[plan.grids.community], sources)
    return {"community_name": communities[plan.grids.community]} | {
        column: texts([bounds_sentence(sides, language) for sides in found])
        for column, language in BOUNDS_COLUMNS.items()
    }


def bounds_sentence(sides: Mapping[str, Sequence[Sequence[Any]]], language: str) -> str:
    """东至人民路；南至…: what gis.districting.sides found (or its JSON); "" where there is nothing."""
    if not sides:
        return ""
    join = text("bounds.join", language)
    said = {
        side: join.join(bound_words(str(kind), str(name), language) for kind, name in sides[side]) for side in sides
    }
    return text("bounds.sentence", language, **said)


def bound_words(kind: str, name: str, language: str) -> str:
    """One thing along a side: a street by its name, an unnamed one by what it is."""
    return text(f"bounds.{kind}" if name else f"bounds.{kind}_unnamed", language, name=name)
