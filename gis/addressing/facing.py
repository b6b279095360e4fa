"""Which street does a building face?

Every named street within reach is a candidate. Its score in metres (smaller is better): distance from the
outline, plus what of the line of sight lies in other buildings, plus a penalty where the nearest point is the
end of the carriageway, less a bonus when the narrow side looks at it (houses in a row show the street their
narrow side) and less what a main street draws to itself. Then the row votes: neighbours that face a street make
it likelier for a building between them. Where the second street comes near the first, the answer is marked as not
sure. The weights were set on the real house numbers of Queens (30,000 buildings), those of classes and sizes on
central Helsinki and Lujiazui too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gis.addressing import sight
from gis.addressing.thoroughfares import Thoroughfares
from gis.territory.model import Bools, Floats, Geometries, Ints

#: A street further than this from the outline is not faced.
REACH_M: Final = 70.0
SIGHT_WEIGHT: Final = 2.0
END_PENALTY_M: Final = 10.0
NARROW_BONUS_M: Final = 12.0
#: Houses up to this size stand in rows with their narrow side to the street; of larger ones it tells less and less.
ROW_HOUSE_M2: Final = 150.0
#: Scores turn into likelihoods by ``exp(-score / SOFTNESS_M)``.
SOFTNESS_M: Final = 6.0
NEIGHBOURS: Final = 6
ROW_REACH_M: Final = 60.0
VOTE_M: Final = 25.0
VOTES: Final = 3
SURE_MARGIN: Final = 0.92
#: Larger buildings look at several streets: their scores tell less, up to half as much.
DOUBTED_M2: Final = 300.0
DOUBTED_MOST: Final = 2.0
#: Doors this far beyond a street's end still keep their order.
BEYOND_M: Final = 300.0


@dataclass(frozen=True)
class Facing:
    """For each of n items: the thoroughfare it faces or -1, whether that is sure, and metres to its carriageway."""

    thoroughfare: Ints
    sure: Bools
    distance: Floats


@dataclass(frozen=True)
class _Pairs:
    """Candidate pairs, sorted by item, then street: the best carriageway of that street for the item."""

    item: Ints
    street: Ints
    distance: Floats
    score: Floats


def face(
    items: Geometries,
    centrelines: Geometries,
    thoroughfares: Thoroughfares,
    *,
    obstacles: Geometries | None = None,
    owner: Ints | None = None,
    row_votes: bool = True,
) -> Facing:
    """Choose a thoroughfare for each item (footprints or compounds, in the centrelines' metre CRS).

    ``obstacles`` block the line of sight, except for the item named by ``owner`` (default: the items
    themselves). ``row_votes`` false: neighbours say nothing, as for doors.
    """
    if not len(items):
        return Facing(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool), np.zeros(0))
    if obstacles is None or owner is None:
        obstacles, owner = items, np.arange(len(items), dtype=np.int64)
    pairs = _candidates(items, centrelines, thoroughfares, obstacles, owner)
    if not row_votes:
        return _chosen(pairs, pairs.score, len(items))
    doubt = np.clip(np.sqrt(shapely.area(items) / DOUBTED_M2), 1.0, DOUBTED_MOST)
    score = _voted(pairs, shapely.get_coordinates(shapely.centroid(items)), len(thoroughfares))
    return _chosen(pairs, score / doubt[pairs.item], len(items))


def _candidates(
    items: Geometries, centrelines: Geometries, streets: Thoroughfares, obstacles: Geometries, owner: Ints
) -> _Pairs:
    ways = np.flatnonzero(streets.way_of >= 0)
    lines = centrelines[ways]
    edges = sight.edges_of(items)
    centre = shapely.get_coordinates(shapely.centroid(items))
    if len(centre) < len(items):  # an empty shape has no centre
        known = ~shapely.is_empty(items)
        every = np.full((len(items), 2), np.nan)
        every[known] = centre
        centre = every
    near = sight.near(edges, centre, lines, streets.way_of[ways], REACH_M)
    at_end = (near.along < 0.5) | (near.along > shapely.length(lines)[near.way] - 0.5)
    walls = edges if obstacles is items else sight.edges_of(obstacles)
    row_house = np.minimum(1.0, ROW_HOUSE_M2 / np.maximum(shapely.area(items), 1.0))[near.item]
    score = (
        near.distance
        + SIGHT_WEIGHT * _hidden(centre[near.item], near, walls, owner)
        + END_PENALTY_M * at_end
        - streets.draws[ways][near.way]
        - NARROW_BONUS_M * row_house * _narrow_front(items, near.item, near.foot - centre[near.item])
    )
    return _Pairs(near.item, near.street, near.distance, np.asarray(score, dtype=np.float64))


def _hidden(centre: Floats, near: sight.Near, walls: sight.Edges, owner: Ints) -> Floats:
    """Metres of the line from centre to carriageway inside other buildings; only where there is a choice."""
    hidden = np.zeros(len(near.item))
    if len(hidden) == 0:
        return hidden
    rival = np.bincount(near.item)[near.item] > 1
    best = np.full(near.item.max() + 1, np.inf)
    np.minimum.at(best, near.item, near.distance)
    asked = np.flatnonzero(rival & (near.distance < best[near.item] + REACH_M / 2))
    hidden[asked] = sight.hidden(np.hstack([centre[asked], near.foot[asked]]), near.item[asked], walls, owner)
    return hidden


def _narrow_front(items: Geometries, item: Ints, toward: Floats) -> Floats:
    """0 to 1: how far a long narrow item turns its narrow side to the street."""
    boxes = shapely.oriented_envelope(items)
    corners = np.zeros((len(items), 3, 2))
    boxed = np.flatnonzero(shapely.get_type_id(boxes) == shapely.GeometryType.POLYGON)
    xy, of = shapely.get_coordinates(boxes[boxed], return_index=True)
    starts = np.searchsorted(of, np.arange(len(boxed)))
    corners[boxed] = xy[starts[:, None] + np.arange(3)]
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 1]
    a, b = np.hypot(*one.T), np.hypot(*two.T)
    long, longest = np.where((a > b)[:, None], one, two), np.maximum(np.maximum(a, b), 0.01)
    slender = 1 - np.minimum(a, b) / longest
    cosine = np.abs((long[item] * toward).sum(axis=1)) / longest[item] / np.maximum(np.hypot(*toward.T), 0.01)
    return np.asarray(cosine * slender[item], dtype=np.float64)


def _voted(pairs: _Pairs, centres: Floats, n_streets: int) -> Floats:
    """Scores after the neighbours in the row have voted."""
    score = pairs.score
    if len(score) == 0 or len(centres) < 2:
        return score
    key = pairs.item * n_streets + pairs.street
    near, other = cKDTree(centres).query(
        centres[pairs.item], k=min(NEIGHBOURS + 1, len(centres)), distance_upper_bound=ROW_REACH_M
    )
    there = np.isfinite(near) & (other != pairs.item[:, None])
    wanted = np.where(there, other * n_streets + pairs.street[:, None], -1)
    found = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    has = there & (key[found] == wanted)
    row = np.exp(-np.abs(pairs.distance[found] - pairs.distance[:, None]) / 8.0)
    weight = np.where(there, np.exp(-np.where(there, near, 0.0) / 25.0), 0.0)
    total = np.maximum(weight.sum(axis=1), 1e-9)
    for _ in range(VOTES):
        likely = _likelihood(pairs.item, score)
        vote = (np.where(has, likely[found] * row, 0.0) * weight).sum(axis=1) / total
        score = pairs.score - VOTE_M * vote
    return score


def _likelihood(item: Ints, score: Floats) -> Floats:
    """Softmax of the negative scores within each item."""
    best = np.full(int(item.max()) + 1, np.inf)
    np.minimum.at(best, item, score)
    weight = np.exp(-(score - best[item]) / SOFTNESS_M)
    return np.asarray(weight / np.bincount(item, weights=weight)[item], dtype=np.float64)


def _chosen(pairs: _Pairs, score: Floats, count: int) -> Facing:
    street = np.full(count, -1, dtype=np.int64)
    sure = np.zeros(count, dtype=bool)
    distance = np.full(count, np.inf)
    if len(score):
        likely = _likelihood(pairs.item, score)
        order = np.lexsort((pairs.street, score, pairs.item))
        item = pairs.item[order]
        first = np.r_[True, item[1:] != item[:-1]]
        top = order[first]
        second = np.zeros(count)
        later = np.flatnonzero(~first & np.r_[False, first[:-1]])
        second[item[later]] = likely[order[later]]
        at = pairs.item[top]
        street[at], distance[at] = pairs.street[top], pairs.distance[top]
        sure[at] = likely[top] - second[at] >= SURE_MARGIN
    return Facing(street, sure, distance)


def locate(streets: Thoroughfares, points: Geometries, street: NDArray[np.int64]) -> tuple[Floats, Bools]:
    """Metre along its thoroughfare of each point, and whether it lies right of the counting direction.

    ``street`` must name a thoroughfare (no -1). A point is put on the nearest piece of it; beyond the street's
    own ends the line goes straight on, so that doors round a street's head (and where a map's edge cuts it) keep
    their order: metres before the start are negative.
    """
    order = np.argsort(streets.piece_of, kind="stable")
    first = np.searchsorted(streets.piece_of[order], np.arange(len(streets) + 1))
    count = (first[1:] - first[:-1])[street]
    row = np.repeat(np.arange(len(points)), count)
    step = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    piece = order[first[street[row]] + step]
    distance = shapely.distance(points[row], streets.piece[piece])
    best = np.lexsort((piece, distance, row))
    best = best[np.r_[True, row[best][1:] != row[best][:-1]]] if len(best) else best
    line = streets.piece[piece[best]]
    along = shapely.line_locate_point(line, points)
    length = shapely.length(line)
    reach = np.minimum(2.0, length / 4)
    before = shapely.get_coordinates(shapely.line_interpolate_point(line, np.maximum(along - reach, 0)))
    after = shapely.get_coordinates(shapely.line_interpolate_point(line, np.minimum(along + reach, length)))
    run, out = after - before, shapely.get_coordinates(points) - (before + after) / 2
    right = run[:, 0] * out[:, 1] - run[:, 1] * out[:, 0] < 0
    station = streets.station[piece[best]] + along + _beyond(streets, piece[best], along, length, run, out)
    return np.asarray(station, dtype=np.float64), np.asarray(right, dtype=bool)


def _beyond(
    streets: Thoroughfares, piece: Ints, along: Floats, length: Floats, run: Floats, out: Floats
) -> NDArray[np.float64]:
    """Metres by which points lie before the first piece's start (below 0) or past the last one's end."""
    head, tail = np.zeros(len(streets.piece), dtype=bool), np.zeros(len(streets.piece), dtype=bool)
    first = np.r_[True, streets.piece_of[1:] != streets.piece_of[:-1]] if len(head) else head
    head |= first
    tail |= np.r_[first[1:], True] if len(head) else tail
    ahead = (run * out).sum(axis=1) / np.maximum(np.hypot(*run.T), 1e-9)
    short = np.where((along <= 0) & head[piece], np.minimum(ahead, 0.0), 0.0)
    far = np.where((along >= length) & tail[piece], np.maximum(ahead, 0.0), 0.0)
    return np.asarray(np.clip(short + far, -BEYOND_M, BEYOND_M), dtype=np.float64)
