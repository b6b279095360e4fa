"""Named street pieces (街路巷) become ordered lines along which door numbers count.

Real named streets rarely are one clean line: they come in pieces, as pairs of carriageways, with branches,
loops and gaps, and one name may stand for two places. A thoroughfare is therefore a list of ordered pieces;
``station`` counts metres from its start over all pieces and the gaps between them. Why a thoroughfare is more
than one clean line is kept as its ``shape``, for a person to confirm.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import shapely

from gis.addressing import spines, starts
from gis.addressing.starts import Floats2, Start, Starting
from gis.addressing.street_names import alike, plain
from gis.territory.classes import LANE_RANK, STREET_RANK
from gis.territory.model import Bools, Floats, Geometries, Ints, Streets, Texts

#: No doors open on these, whatever their name.
NOT_NUMBERED: Final = frozenset({"motorway", "busway", *(c for c in STREET_RANK if c.endswith("_link"))})

#: Nor on what runs below or above the ground by its name.
NO_DOORS: Final = re.compile(r"(隧道|高架(路|桥|道路)?|立交桥?|匝道|\b[Tt]unnel|\b[Ff]lyover)$")
#: Metres by which a main street draws a building at a corner to itself, and a lane or pedestrian way does not.
DRAWS_M: Final = {"trunk": 8.0, "primary": 8.0, "secondary": 6.0, "tertiary": 4.0, "pedestrian": -8.0}
LANE_DRAWS_M: Final = -18.0

#: A service road with a street's name runs beside that street up to this far from it; further off it goes on as it.
BESIDE_M: Final = 30.0

#: A branch begins within this of the piece that it leaves.
LEAVES_M: Final = 20.0
#: Chains of one name further apart than this are different places.
SAME_PLACE_M: Final = 800.0

#: Ordered pieces of one street, the metre each begins at, and the counting direction.
_Row = tuple[list[shapely.LineString], list[float], Floats]


@dataclass(frozen=True)
class Thoroughfares:
    """Named streets; arrays of t rows a thoroughfare, p rows a piece, w rows an input centreline.

    ``place`` is 0 where the name is met once, else 1, 2, ... by falling length. ``shape``: ``line``,
    ``collapsed`` (parallel carriageways or short side parts taken in), ``joined`` (short gaps bridged),
    ``loop``, ``branches``, ``apart`` (ordered pieces with wide gaps). ``piece`` lines run in counting
    direction, ``station`` is the metre at which each begins. ``way_of`` is a thoroughfare or -1 for a
    centreline that carries no number; ``lane`` marks second-level ways (footpaths, service roads), ``draws`` is how
    much likelier, in metres, a way's class makes it that a building faces it. ``axis`` is the unit vector of the
    counting direction, ``begun`` why it starts where it does (``cardinal``, ``centre``, ``junction``,
    ``junction_inside``: that street crosses it in the middle, ``entrance`` of a dead end).
    """

    name: Texts
    place: Ints
    shape: Texts
    length: Floats
    piece: Geometries
    piece_of: Ints
    station: Floats
    way_of: Ints
    lane: Bools
    axis: Floats2
    begun: Texts
    draws: Floats

    def __len__(self) -> int:
        return len(self.name)


def trace(streets: Streets, *, start: Start = "east_north", starting: Starting | None = None) -> Thoroughfares:
    """Turn named centrelines (in a metre CRS) into thoroughfares, in order of name and place.

    ``starting`` says where counting begins (default: at the cardinal directions of ``start``).
    """
    starting = starting or Starting(start)
    groups = _by_name(streets)
    names: list[str] = []
    places: list[int] = []
    shapes: list[str] = []
    rows: list[_Row] = []
    way_of = np.full(len(streets), -1, dtype=np.int64)
    for name in sorted(groups):
        ways = np.array(groups[name])
        found = spines.of_lines(streets.geometry[ways])
        if not found:
            continue
        sets = _places(found)
        way_of[ways] = len(names) + _nearest_set(streets.geometry[ways], sets)
        for number, chains in enumerate(sets, start=1):
            rows.append(_in_order([c.line for c in chains], starting.cardinal))
            names.append(name)
            places.append(number if len(sets) > 1 else 0)
            shapes.append(_shape(chains))
    way_of[streets.tunnel] = -1  # nobody's door opens below the ground
    begun = starts.begin([r[0] for r in rows], names, streets.geometry, way_of, starting)
    rows = [_reversed(*row) if b.reverse else row for row, b in zip(rows, begun, strict=True)]
    rows = _entered(rows, streets.geometry, way_of)
    lines = np.array([line for ordered, _, _ in rows for line in ordered], dtype=object)
    of = np.array([t for t, (ordered, _, _) in enumerate(rows) for _ in ordered], dtype=np.int64)
    return Thoroughfares(
        name=np.array(names, dtype=object),
        place=np.array(places, dtype=np.int64),
        shape=np.array(shapes, dtype=object),
        length=np.bincount(of, weights=shapely.length(lines), minlength=len(names)).astype(np.float64),
        piece=lines,
        piece_of=of,
        station=np.array([at for _, stations, _ in rows for at in stations], dtype=np.float64),
        way_of=way_of,
        lane=np.isin(streets.highway.astype(str), list(LANE_RANK)),
        axis=np.array([axis for _, _, axis in rows], dtype=np.float64).reshape(-1, 2),
        begun=np.array([b.why for b in begun], dtype=object),
        draws=_draws(streets, groups),
    )


def _entered(rows: list[_Row], ways: Geometries, way_of: Ints) -> list[_Row]:
    """Streets of one ring begun where another way meets them, of several at the first in their direction."""
    found = []
    for t, row in enumerate(rows):
        pieces, stations, axis = row
        if len(pieces) > 1 or not pieces[0].is_ring:
            found.append(row)
            continue
        near = ways[(way_of != t) & (shapely.distance(ways, pieces[0]) <= starts.TOUCHES_M)]
        meets = sorted(
            (round(float(np.array(at[:2]) @ axis), 2), *at[:2])
            for at in (shapely.shortest_line(pieces[0], way).coords[0] for way in near)
        )
        found.append(([cut_ring(pieces[0], meets[0][1:])], stations, axis) if meets else row)
    return found


def _draws(streets: Streets, groups: dict[str, list[int]]) -> Floats:
    """Metres by which each way draws buildings to itself by its class; as what a street goes on it is no lane."""
    lane = np.isin(streets.highway.astype(str), list(LANE_RANK))
    for ways in groups.values():
        if not lane[ways].all():
            lane[ways] = False
    classes = streets.highway.astype(str)
    return np.array([LANE_DRAWS_M if low else DRAWS_M.get(h, 0.0) for h, low in zip(classes, lane, strict=True)])


def _by_name(streets: Streets) -> dict[str, list[int]]:
    """Rows of each name. A footpath counts only where no street proper carries its name, a service road also where
    the street goes on as one (as in a stretch for trams and deliveries only).

    Spellings that are one name (street_names.alike) go together, under the one that is used most.
    """
    proper: dict[str, list[int]] = defaultdict(list)
    lanes: dict[str, list[int]] = defaultdict(list)
    usable = ~shapely.is_empty(streets.geometry) & (shapely.length(streets.geometry) > 0)
    written: dict[str, Counter[str]] = defaultdict(Counter)
    for row in np.flatnonzero(usable):
        name, highway = plain(str(streets.name[row])), str(streets.highway[row])
        if name and highway not in NOT_NUMBERED and not NO_DOORS.search(name):
            key = alike(name)
            written[key][name] += 1
            (lanes if highway in LANE_RANK else proper)[key].append(int(row))
    rows = dict(lanes) | {key: ways + _going_on(streets, ways, lanes.get(key, [])) for key, ways in proper.items()}
    return {min(written[key], key=lambda n: (-written[key][n], n)): members for key, members in rows.items()}


def _going_on(streets: Streets, proper: list[int], lanes: list[int]) -> list[int]:
    """Service roads that do not run beside the street whose name they bear, but for it."""
    service = [row for row in lanes if streets.highway[row] == "service"]
    if not service:
        return []
    beside = shapely.buffer(shapely.union_all(streets.geometry[proper]), BESIDE_M)
    line = streets.geometry[service]
    along = shapely.length(shapely.intersection(line, beside))
    return [
        row for row, metres, whole in zip(service, along, shapely.length(line), strict=True) if metres < whole / 2
    ]


def _places(chains: list[spines.Chain]) -> list[list[spines.Chain]]:
    """Chains of one name, put together where they are near; the longest set first."""
    lines = np.array([c.line for c in chains], dtype=object)
    near = shapely.distance(lines[:, None], lines[None, :]) <= SAME_PLACE_M
    labels = spines.connected(len(lines), *np.nonzero(near))
    sets = [[chains[i] for i in np.flatnonzero(labels == k)] for k in range(labels.max() + 1)]
    return sorted(sets, key=lambda s: -sum(c.line.length for c in s))


def _nearest_set(ways: Geometries, sets: list[list[spines.Chain]]) -> Ints:
    distance = np.stack([shapely.distance(ways, shapely.union_all([c.line for c in s])) for s in sets])
    return np.asarray(np.argmin(distance, axis=0), dtype=np.int64)


def _shape(chains: list[spines.Chain]) -> str:
    if len(chains) > 1:
        return "branches" if any(c.branch for c in chains) else "apart"
    only = chains[0]
    return "loop" if only.loop else "joined" if only.gaps else "collapsed" if only.collapsed else "line"


def _in_order(lines: list[shapely.LineString], start: Start) -> tuple[list[shapely.LineString], list[float], Floats]:
    """Pieces turned into counting direction and put one after the other, the metre each begins at, the direction."""
    axis = _axis(lines, start)
    turned = [_turn(line, axis) for line in lines]
    turned.sort(key=lambda line: (round(float((shapely.get_coordinates(line) @ axis).min()), 3), line.length))
    turned = _outward(turned)
    return turned, _stations(turned), axis


def _outward(pieces: list[shapely.LineString]) -> list[shapely.LineString]:
    """The same pieces; a branch counts away from the longer piece that it leaves, a ring from where it is entered."""
    return [_leaving(piece, pieces) for piece in pieces]


def _leaving(piece: shapely.LineString, pieces: list[shapely.LineString]) -> shapely.LineString:
    # a stem leads into its ring, which is entered at the stem; other pieces leave a longer one
    longer = [p for p in pieces if p is not piece and not p.is_ring and (p.length > piece.length or piece.is_ring)]
    if not longer:
        return piece
    trunk = shapely.union_all(longer)
    first, last = shapely.Point(piece.coords[0]), shapely.Point(piece.coords[-1])
    if piece.is_ring and trunk.distance(piece) <= LEAVES_M:
        return cut_ring(piece, shapely.shortest_line(piece, trunk).coords[0])
    return shapely.reverse(piece) if trunk.distance(last) <= LEAVES_M < trunk.distance(first) else piece


def cut_ring(ring: shapely.LineString, place: tuple[float, ...]) -> shapely.LineString:
    """A closed line that begins and ends at its vertex nearest to a place, in the sense it had."""
    xy = shapely.get_coordinates(ring)[:-1]
    xy = np.roll(xy, -int(np.argmin(np.hypot(*(xy - np.array(place[:2])).T))), axis=0)
    return shapely.LineString(np.concatenate([xy, xy[:1]]))


def _stations(pieces: list[shapely.LineString]) -> list[float]:
    stations = [0.0]
    for before, after in pairwise(pieces):
        gap = float(np.hypot(*(np.array(after.coords[0]) - np.array(before.coords[-1])))) if before.length else 0.0
        stations.append(stations[-1] + before.length + gap)
    return stations


def _reversed(
    pieces: list[shapely.LineString], _: list[float], axis: Floats
) -> tuple[list[shapely.LineString], list[float], Floats]:
    """The same pieces counted from the other end."""
    turned = _outward([shapely.reverse(line) for line in reversed(pieces)])
    return turned, _stations(turned), -axis


def _axis(lines: list[shapely.LineString], start: Start) -> Floats:
    """Unit vector in which numbers grow: along the street's main run, away from the side where counting starts."""
    ends = np.concatenate([shapely.get_coordinates(line)[[0, -1]] for line in lines])
    longest = max(lines, key=lambda line: line.length)
    first, last = shapely.get_coordinates(longest)[[0, -1]]
    run = last - first
    if len(lines) > 1:
        spread = ends.max(axis=0) - ends.min(axis=0)
        run = spread * np.where(run < 0, -1.0, 1.0)
    if np.hypot(*run) < 0.2 * longest.length:  # a loop has no run: use its extent
        corner = shapely.bounds(longest)
        run = np.array([corner[2] - corner[0], 0.0]) if corner[2] - corner[0] >= corner[3] - corner[1] else run * 0
    if not run.any():
        run = np.array([0.0, 1.0])
    across, along = start.split("_")
    wanted = (
        np.array([-1.0 if across == "east" else 1.0, 0.0])
        if abs(run[0]) >= abs(run[1])
        else np.array([0.0, -1.0 if along == "north" else 1.0])
    )
    unit: Floats = run / np.hypot(*run)
    return unit if unit @ wanted > 0 else -unit


def _turn(line: shapely.LineString, axis: Floats) -> shapely.LineString:
    """The line in counting direction; a closed one is cut where counting starts, and keeps its sense."""
    xy = shapely.get_coordinates(line)
    if np.array_equal(xy[0], xy[-1]):
        ring = xy[:-1]
        ring = np.roll(ring, -int(np.argmin(ring @ axis)), axis=0)
        if not shapely.is_ccw(shapely.linearrings(ring)):
            ring = ring[::-1]
            ring = np.roll(ring, 1, axis=0)
        return shapely.LineString(np.concatenate([ring, ring[:1]]))
    forward = (xy[-1] - xy[0]) @ axis >= 0
    return line if forward else shapely.LineString(xy[::-1])
