"""What stands in the blocks of a synthetic city: land use, buildings and their households."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from data.samples.city.streets import Land, area_of
from gis.territory.model import Floats, Ints

VILLA, WALK_UP, TOWER, PARK, WATER, GATED = range(6)

#: Square metres of block a building, by use; most buildings in a block.
ROOM: Final = np.array([700.0, 2300.0, 3300.0, np.inf, np.inf, 3600.0])
MOST: Final = 40
RIVER_WIDTH: Final = 90.0


@dataclass(frozen=True)
class Homes:
    """Buildings: block, place and households of each. A park or a stretch of river counts as one of none."""

    block: Ints
    place: Floats  # (n, 2)
    households: Ints
    use: Ints  # by block


def settle(blocks: list[Land], rng: np.random.Generator) -> Homes:
    """Buildings for every block."""
    centre = np.array([b.ring.mean(axis=0) for b in blocks])
    use = _uses(blocks, centre, rng)
    count = np.array([area_of(b.ring) for b in blocks]) / ROOM[use] * rng.uniform(0.75, 1.25, len(blocks))
    count = np.clip(np.rint(count), 1, MOST).astype(np.int64)
    block = np.repeat(np.arange(len(blocks)), count)
    place = np.concatenate([spread_points(b.ring, int(n), rng) for b, n in zip(blocks, count, strict=True)])
    return Homes(block, place, _households(use[block], rng), use)


def _uses(blocks: list[Land], centre: Floats, rng: np.random.Generator) -> Ints:
    """Dense where one smooth field is high, villas where it is low; a river from south to north; some parks."""
    dense = _field(centre, 900.0, rng) + 0.45 * rng.normal(size=len(centre))
    use = np.full(len(blocks), WALK_UP)
    use[dense < np.quantile(dense, 0.17)] = VILLA
    use[dense > np.quantile(dense, 0.92)] = TOWER
    use[[b.gated for b in blocks]] = GATED
    green = _field(centre, 350.0, rng)
    use[green < np.quantile(green, 0.045)] = PARK
    if len(blocks) >= 400:
        bend = 0.06 * np.ptp(centre[:, 0])
        middle = centre[:, 0].mean() + bend * np.sin(centre[:, 1] / 700.0 + rng.uniform(0, 6))
        use[np.abs(centre[:, 0] - middle) < RIVER_WIDTH / 2] = WATER
    return use


def _field(places: Floats, wave: float, rng: np.random.Generator) -> Floats:
    """A smooth random value of mean 0 and deviation about 1 at every place."""
    direction = rng.normal(0.0, 2 * np.pi / wave / 2, (10, 2))
    phase = rng.uniform(0, 2 * np.pi, 10)
    return np.asarray(np.cos(places @ direction.T + phase).sum(axis=1) / np.sqrt(5), np.float64)


def _households(use: Ints, rng: np.random.Generator) -> Ints:
    n = len(use)
    drawn = [
        rng.integers(1, 3, n),
        12 * rng.integers(2, 6, n),  # stairs of six floors, two doors a floor
        rng.integers(80, 240, n),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.clip(rng.normal(125.0, 45.0, n), 50, 300).astype(np.int64),
    ]
    return np.asarray(np.choose(use, drawn), np.int64)


def spread_points(ring: Floats, count: int, rng: np.random.Generator) -> Floats:
    """``count`` points well apart in a convex ring: the means of drawn points nearest to each, three times."""
    drawn = _draw(ring, 24 * count, rng)
    points = drawn[:count].copy()
    for _ in range(3 if count > 1 else 0):
        near = ((drawn[:, None] - points[None]) ** 2).sum(axis=2).argmin(axis=1)
        size = np.maximum(np.bincount(near, minlength=count), 1)
        points = np.stack([np.bincount(near, drawn[:, i], minlength=count) / size for i in (0, 1)], axis=1)
    return points


def _draw(ring: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Points drawn evenly from a convex ring."""
    a, b, c = ring[0], ring[1:-1], ring[2:]
    size = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])
    which = rng.choice(len(size), count, p=size / size.sum())
    u, v = rng.random((2, count, 1))
    flip = u + v > 1
    u, v = np.where(flip, 1 - u, u), np.where(flip, 1 - v, v)
    return np.asarray(a + u * (b[which] - a) + v * (c[which] - a), np.float64)
