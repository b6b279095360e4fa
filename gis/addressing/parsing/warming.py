"""Compiling: every loop once, on a parser trained on two addresses, with the types that real ones use."""

from __future__ import annotations

from gis.addressing.parsing.lexicon import build, entries
from gis.addressing.parsing.model import Parser
from gis.addressing.parsing.synthetic import Labelled
from gis.addressing.parsing.training import Recipe, train

_NAMES = [("宁江县", "district")]
_TAUGHT: list[Labelled] = [
    ("人民路12号", [(0, 3, "road"), (3, 6, "roadno")]),
    ("7-6-1046", [(0, 1, "houseno"), (2, 3, "cellno"), (4, 8, "roomno")]),
]


def warm() -> None:
    """Compile every inner loop into numba's cache, where it is not there yet."""
    model = train(_TAUGHT, build(entries(_NAMES)), Recipe(passes=2, rare=1))
    Parser(model, [("人民路", "road")]).parse("人民路12号3栋402室")
