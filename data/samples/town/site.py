"""What the makers of single quarters share: the town being written, its lots, its names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from data.samples.town.frame import HALF_WIDTH, Frame
from data.samples.town.model import Town
from data.samples.town.names import Names


@dataclass
class Front:
    """A door or gate that wants a number on the street it faces. ``row`` is its building's row, or None."""

    point: tuple[float, float]
    row: dict[str, Any] | None
    compound: str = ""
    numbered: bool = True


@dataclass
class Site:
    """The town under construction."""

    town: Town
    frame: Frame
    names: Names
    rng: np.random.Generator
    fronts: list[Front] = field(default_factory=list)
    reserved: list[Any] = field(default_factory=list)  # land that no hamlet may take

    def street(self, shape: Any, highway: str, name: str = "", **more: Any) -> dict[str, Any]:
        """Add one street piece."""
        return self.town["streets"].add(shape, highway=highway, name=name, **more)

    def building(self, shape: Any, use: str, *, levels: int, **more: Any) -> dict[str, Any]:
        """Add one footprint; height follows from the storeys."""
        storey = 3.0 if more.get("households") else 3.8
        return self.town["buildings"].add(
            shape, use=use, levels=levels, height=round(levels * storey + 0.6, 1), **more
        )

    def dwellings(self, number: int, *, settled: float) -> dict[str, int]:
        """Households of a building with so many dwellings, and how many of them live there (``settled``: share)."""
        if number == 0:
            return {"dwellings": 0, "households": 0, "occupied_households": 0}
        households = max(1, number - int(self.rng.binomial(number, 0.03)))
        occupied = int(self.rng.binomial(households, settled))
        return {"dwellings": number, "households": households, "occupied_households": occupied}


class StreetLand:
    """Finds the land that streets take from a piece of ground."""

    def __init__(self, shapes: list[Any], highways: list[str]) -> None:
        self._shapes = np.array(shapes, dtype=object)
        self._tree = shapely.STRtree(self._shapes)
        self._highways = np.array(highways, dtype=object)
        self._half = np.array([HALF_WIDTH[h] for h in highways])
        self._main = np.isin(highways, ["primary", "secondary"])

    def ground(self, face: Any, more: float = 0.0) -> Any:
        """``face`` without its streets and ``more`` metres beside each."""
        near = self._tree.query(face, predicate="intersects")
        taken = shapely.buffer(self._shapes[near], self._half[near] + more, quad_segs=2)
        return face.difference(shapely.union_all(taken))

    def main_streets(self, face: Any) -> Any:
        """Primary and secondary pieces on the edge of ``face``."""
        near = self._tree.query(face, predicate="intersects")
        return shapely.line_merge(shapely.union_all(self._shapes[near[self._main[near]]]))

    def around(self, face: Any) -> list[Any]:
        """Shapes of the streets that touch ``face``, in a fixed order."""
        return list(self._shapes[np.sort(self._tree.query(face, predicate="intersects"))])

    def classes(self, face: Any) -> list[str]:
        """Classes of the streets that touch ``face``, in the order of ``around``."""
        return list(self._highways[np.sort(self._tree.query(face, predicate="intersects"))])
