"""Streets of a synthetic city: a square of land cut in two until the pieces are blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from gis.territory.model import Floats, Ints

#: Street classes, in the order of the columns of ``City.metres``; 0 is no street.
RESIDENTIAL: Final = 1
SECONDARY: Final = 2
PRIMARY: Final = 3

#: Land above these areas (square metres) is cut by a primary, by a secondary street; what is left is a block.
BY_PRIMARY: Final = 800.0**2
BY_SECONDARY: Final = 330.0**2
BLOCK: Final = 9_500.0
#: A gated superblock: land that no street enters although it is larger than a block.
GATED: Final = 52_000.0
GATED_SHARE: Final = 0.08


@dataclass(frozen=True)
class Land:
    """A convex piece of land. ``ring``: (n, 2) corners anticlockwise; ``line[i]``: street from corner i to i + 1."""

    ring: Floats
    line: Ints
    gated: bool = False


@dataclass(frozen=True)
class Streets:
    """Blocks, and the class of every line; the first four lines are the city's edge and no streets."""

    blocks: list[Land]
    line_class: Ints


def lay_streets(area: float, rng: np.random.Generator) -> Streets:
    """Cut a square of ``area`` square metres into blocks."""
    side = float(np.sqrt(area))
    corners = np.array([[0.0, 0.0], [side, 0.0], [side, side], [0.0, side]])
    todo = [Land(corners, np.arange(4))]
    classes = [0, 0, 0, 0]
    blocks: list[Land] = []
    while todo:
        land = todo.pop()
        size = area_of(land.ring)
        if size <= BLOCK * rng.uniform(0.6, 1.6):
            blocks.append(land)
        elif size <= GATED and rng.random() < GATED_SHARE:
            blocks.append(Land(land.ring, land.line, gated=True))
        else:
            todo += cut_in_two(land, len(classes), rng)
            classes.append(PRIMARY if size > BY_PRIMARY else SECONDARY if size > BY_SECONDARY else RESIDENTIAL)
    return Streets(blocks, np.array(classes, np.int64))


def cut_in_two(land: Land, line: int, rng: np.random.Generator) -> list[Land]:
    """Two parts of a piece of land, left and right of a new line across its longer direction."""
    centre = land.ring.mean(axis=0)
    spread = np.linalg.svd(land.ring - centre)[2][0]  # the longer direction
    angle = np.arctan2(spread[1], spread[0]) + rng.normal(0.0, 0.10)
    normal = np.array([np.cos(angle), np.sin(angle)])
    along = land.ring @ normal
    at = along.min() + float(rng.uniform(0.36, 0.64)) * (along.max() - along.min())
    return [half(land, normal, at, line), half(land, -normal, -at, line)]


def half(land: Land, normal: Floats, at: float, line: int) -> Land:
    """What of a convex ring lies where ``ring @ normal <= at``; the new side carries ``line``."""
    away = land.ring @ normal - at
    ring: list[Floats] = []
    lines: list[int] = []
    n = len(away)
    for i in range(n):
        j = (i + 1) % n
        if away[i] <= 0:
            ring.append(land.ring[i])
            lines.append(int(land.line[i]))
        if (away[i] <= 0) != (away[j] <= 0):
            share = away[i] / (away[i] - away[j])
            ring.append(land.ring[i] + share * (land.ring[j] - land.ring[i]))
            lines.append(line if away[i] <= 0 else int(land.line[i]))
    return Land(np.array(ring).reshape(-1, 2), np.array(lines, np.int64), land.gated)


def area_of(ring: Floats) -> float:
    """Area of an anticlockwise ring in square metres."""
    x, y = ring[:, 0], ring[:, 1]
    return 0.5 * float(x @ np.roll(y, -1) - y @ np.roll(x, -1))
