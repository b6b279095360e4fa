"""Which street does a building face?

Every named street within reach is a candidate. Its score in metres (smaller is better): how far the outline
stands off the street's building line (建筑控制线: a house belongs to the street in whose row it stands, and a wide
street's row is further from its middle), plus what of the line of sight lies in other buildings, plus a penalty
where the nearest point is the end of the carriageway, less a bonus when the narrow side looks at it (houses in a
row show the street their narrow side); large buildings at a corner are drawn by the larger and the longer street.
Then the row votes: neighbours that face a street, or are known to, make it likelier for a building between them.
Where the second street comes near the first, where others stand between, or far behind the line, the answer is
marked as not sure. The weights were set on the real house numbers of Queens (30,000 buildings), those of classes
and sizes on central Helsinki and Lujiazui too.
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
#: The vote of one who does not vote: few neighbours, far away, say less than a row.
LONELY: Final = 0.2
SURE_MARGIN: Final = 0.85
#: Nobody is sure of a house that stands further than this off its street's building line,
SURE_OFF_M: Final = 15.0
#: nor of one whose line of sight passes through more of its neighbours.
SURE_HIDDEN_M: Final = 1.0
#: Larger buildings look at several streets: their scores tell less, down to a third.
DOUBTED_M2: Final = 150.0
DOUBTED_MOST: Final = 3.0
#: Where this many buildings say their street, they show which margin is right so often; no margin below the least.
SHOWN_BY: Final = 200
SHOWN_RIGHT: Final = 0.995
SHOWN_LEAST: Final = 0.6
#: A street's building line: so many of the outlines in sight stand nearer to its middle; from how many it is known,
#: what it may be, and what is taken for it else.
LINE_SHARE: Final = 0.2
LINE_FROM_M2: Final = 30.0
LINE_LEAST: Final = 5
LINE_M: Final = (3.0, 25.0)
LINE_USUAL_M: Final = 7.0
#: A large building at a corner is drawn by the street that is e times as long; what longer ones count as.
LENGTH_BONUS_M: Final = 3.0
LENGTHS_M: Final = (50.0, 1500.0)
#: Doors this far beyond a street's end still keep their order.
BEYOND_M: Final = 300.0


@dataclass(frozen=True)
class Facing:
    """For each of n items: the thoroughfare it faces or -1, whether that is sure, and metres to its carriageway.

    ``second`` is the one it would face else, or -1.
    """

    thoroughfare: Ints
    sure: Bools
    distance: Floats
    second: Ints


@dataclass(frozen=True)
class _Pairs:
    """Candidate pairs, sorted by item, then street: the best carriageway of that street for the item.

    ``off``: metres off the street's building line, ``hidden``: metres of the line of sight in other buildings.
    """

    item: Ints
    street: Ints
    distance: Floats
    off: Floats
    hidden: Floats
    score: Floats


def face(
    items: Geometries,
    centrelines: Geometries,
    thoroughfares: Thoroughfares,
    *,
    obstacles: Geometries | None = None,
    owner: Ints | None = None,
    row_votes: bool = True,
    known: Ints | None = None,
    name_of: Ints | None = None,
) -> Facing:
    """Choose a thoroughfare for each item (footprints or compounds, in the centrelines' metre CRS).

    ``obstacles`` block the line of sight, except for the item named by ``owner`` (default: the items
    themselves). ``row_votes`` false: neighbours say nothing, as for doors. ``known`` is the name that an item's own
    street is known to have (-1: not known), ``name_of`` that of each thoroughfare: they say what neighbours face
    and how sure one may be here. They do not decide the item's own street.
    """
    if not len(items):
        return Facing(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool), np.zeros(0), np.zeros(0, dtype=np.int64))
    if obstacles is None or owner is None:
        obstacles, owner = items, np.arange(len(items), dtype=np.int64)
    pairs = _candidates(items, centrelines, thoroughfares, obstacles, owner, in_rows=row_votes)
    if not row_votes:
        return _chosen(pairs, pairs.score, len(items))
    told = None
    if known is not None and name_of is not None:
        told = np.where(known[pairs.item] >= 0, name_of[pairs.street] == known[pairs.item], -1).astype(np.int64)
    doubt = np.clip(np.sqrt(shapely.area(items) / DOUBTED_M2), 1.0, DOUBTED_MOST)
    score = _voted(pairs, shapely.get_coordinates(shapely.centroid(items)), len(thoroughfares), told)
    return _chosen(pairs, score / doubt[pairs.item], len(items), told)


def _candidates(
    items: Geometries, centrelines: Geometries, streets: Thoroughfares, obstacles: Geometries, owner: Ints,
    *, in_rows: bool,
) -> _Pairs:  # fmt: skip
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
    area = shapely.area(items)
    row_house = np.minimum(1.0, ROW_HOUSE_M2 / np.maximum(area, 1.0))[near.item]
    hidden = _hidden(centre[near.item], near, walls, owner)
    draws = streets.draws[ways][near.way]
    off = near.distance
    if in_rows:
        off = _off_line(near, (hidden < SURE_HIDDEN_M) & ~at_end & (area >= LINE_FROM_M2)[near.item], len(streets))
        length = np.log(np.clip(streets.length, *LENGTHS_M))[near.street]
        draws = np.minimum(draws, 0.0) + (1.0 - row_house) * (np.maximum(draws, 0.0) + LENGTH_BONUS_M * length)
    score = (
        off
        + SIGHT_WEIGHT * hidden
        + END_PENALTY_M * at_end
        - draws
        - NARROW_BONUS_M * row_house * _narrow_front(items, near.item, near.foot - centre[near.item])
    )
    return _Pairs(near.item, near.street, near.distance, off, hidden, np.asarray(score, dtype=np.float64))


def _off_line(near: sight.Near, clear: Bools, n_streets: int) -> Floats:
    """Metres by which outlines stand off their street's building line, before or behind it.

    The line is read from the ``clear`` pairs. Of a street that shows none all that is known is how near one stands:
    there, before the usual line, metres are negative.
    """
    rows = np.flatnonzero(clear)
    rows = rows[np.lexsort((near.distance[rows], near.street[rows]))]
    first = np.searchsorted(near.street[rows], np.arange(n_streets + 1))
    count = np.diff(first)
    shown = np.flatnonzero(count >= LINE_LEAST)
    line = np.full(n_streets, np.nan)
    line[shown] = np.clip(
        near.distance[rows[first[shown] + (LINE_SHARE * (count[shown] - 1)).astype(np.int64)]], *LINE_M
    )
    behind = near.distance - line[near.street]
    return np.asarray(np.where(np.isnan(behind), near.distance - LINE_USUAL_M, np.abs(behind)), dtype=np.float64)


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


def _voted(pairs: _Pairs, centres: Floats, n_streets: int, told: Ints | None) -> Floats:
    """Scores after the neighbours in the row have voted.

    ``told``: whether the pair's item is known to belong to the pair's street (1, 0; -1: not known).
    """
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
    total = weight.sum(axis=1) + LONELY
    for _ in range(VOTES):
        likely = _likelihood(pairs.item, score)
        if told is not None:
            likely = np.where(told >= 0, told, likely)
        vote = (np.where(has, likely[found] * row, 0.0) * weight).sum(axis=1) / total
        score = pairs.score - VOTE_M * vote
    return score


def _likelihood(item: Ints, score: Floats) -> Floats:
    """Softmax of the negative scores within each item."""
    best = np.full(int(item.max()) + 1, np.inf)
    np.minimum.at(best, item, score)
    weight = np.exp(-(score - best[item]) / SOFTNESS_M)
    return np.asarray(weight / np.bincount(item, weights=weight)[item], dtype=np.float64)


def _chosen(pairs: _Pairs, score: Floats, count: int, told: Ints | None = None) -> Facing:
    street, next_ = np.full(count, -1, dtype=np.int64), np.full(count, -1, dtype=np.int64)
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
        next_[item[later]] = pairs.street[order[later]]
        at = pairs.item[top]
        street[at], distance[at] = pairs.street[top], pairs.distance[top]
        placed = (pairs.off[top] <= SURE_OFF_M) & (pairs.hidden[top] < SURE_HIDDEN_M)
        margin = np.where(placed, likely[top] - second[at], 0.0)
        sure[at] = margin >= (SURE_MARGIN if told is None else _margin_shown(margin, told[top]))
    return Facing(street, sure, distance, next_)


def _margin_shown(margin: Floats, told: Ints) -> float:
    """The margin from which the buildings that say their street are right often enough; the usual one if too few
    do. ``told``: whether the chosen street is theirs (1, 0; -1: not known)."""
    asked = np.flatnonzero((told >= 0) & (margin >= SHOWN_LEAST))
    if len(asked) < SHOWN_BY:
        return SURE_MARGIN
    falling = asked[np.argsort(-margin[asked], kind="stable")]
    share = np.cumsum(told[falling]) / np.arange(1, len(falling) + 1)
    enough = np.flatnonzero(share[SHOWN_BY // 2 :] >= SHOWN_RIGHT) + SHOWN_BY // 2
    return float(margin[falling[enough[-1]]]) if len(enough) else 2.0


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
