"""Which grid is a position in? One position or millions, the same rules and the same code.

The position is transformed to each territory's metre CRS, never the grid. A tie on a border goes to the lowest
``grid_id``; within the accuracy every other grid it could be is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np
from msgspec.structs import replace as replace_field

from api import messages
from api.answers import Candidate, Lookup, Person
from api.services.published import Published, Snapshot, Standing
from data.postgres.plans.read_published import Contact, InForce
from gis.errors import InputError
from gis.locate import datums
from gis.locate.datums import Datum
from gis.territory.model import Bools, Floats, Ints

#: A position farther than this from every grid whose swapped form is nearer has its coordinates turned round.
_FAR_METRES: Final = 20_000.0
#: Candidates of all positions of one question together: a hundred kilometres of accuracy names every grid each time.
_MOST_CANDIDATES: Final = 500_000


@dataclass(frozen=True)
class Near:
    """Other grids that positions could be in: position, place and row of the grid, metres; nearest first for each.

    Within the accuracy; for a position outside at least the nearest grid there is.
    """

    point: Ints
    place: Ints
    row: Ints
    metres: Floats


@dataclass(frozen=True)
class Answers:
    """Lookups as columns. ``place`` and ``row`` say which grid of which snapshot of ``standing``, -1 outside.

    ``edge`` metres (NaN outside), ``unsure`` where another grid or the outside lies within the accuracy.
    """

    standing: Standing
    datum: Datum
    lon: Floats
    lat: Floats
    place: Ints
    row: Ints
    edge: Floats
    unsure: Bools
    near: Near

    def __len__(self) -> int:
        return len(self.lon)


@dataclass(frozen=True)
class _Place:
    """A territory in force with its snapshot, and the positions in its CRS."""

    info: InForce
    snapshot: Snapshot
    x: Floats
    y: Floats

    def only(self, rows: Ints) -> _Place:
        return replace(self, x=self.x[rows], y=self.y[rows])


def one(
    published: Published, x: float, y: float, crs: str | None, accuracy: float = 0.0, as_of: date | None = None
) -> Lookup:
    """The full answer for one position."""
    return many(published, [(x, y)], crs, accuracy, as_of)[0]


def many(
    published: Published,
    points: Sequence[tuple[float, float]],
    crs: str | None,
    accuracy: float = 0.0,
    as_of: date | None = None,
) -> list[Lookup]:
    """The full answer for every position, in order."""
    xy = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    return full(published, ask(published, xy[:, 0], xy[:, 1], crs, accuracy, as_of), as_of)


def full(published: Published, answers: Answers, as_of: date | None) -> list[Lookup]:
    """Answers with everything that is known, people included."""
    people = responsible(published, answers)
    candidates: dict[int, list[Candidate]] = {}
    near = answers.near
    for t, k, r, m in zip(*(c.tolist() for c in (near.point, near.place, near.row, near.metres)), strict=True):
        grids = answers.standing.snapshots[k].grids
        found = Candidate(str(grids.grid_id[r]), grids.code[r], m, grids.name[r], grids.community[r])
        candidates.setdefault(t, []).append(found)
    return [_lookup(t, answers, people, candidates.get(t, []), as_of) for t in range(len(answers))]


def responsible(published: Published, answers: Answers) -> dict[tuple[int, str], list[Contact]]:
    """Who answers for the grids that were found, by place and grid id."""
    found = [
        (k, str(snapshot.grids.grid_id[row]))
        for k, snapshot in enumerate(answers.standing.snapshots)
        for row in np.unique(answers.row[answers.place == k])
    ]
    return published.people(answers.standing, found)


def ask(
    published: Published, x: Floats, y: Floats, crs: str | None, accuracy: float = 0.0, as_of: date | None = None
) -> Answers:
    """Lookups of positions in ``crs``: longitude and latitude, or easting and northing. Raises InputError."""
    datum = datums.parse(crs)
    standing = published.standing(as_of)
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    lon, lat = datums.to_wgs84(x, y, datum)
    places = [
        _Place(i, s, *_metres(x, y, lon, lat, datum, i.crs))
        for i, s in zip(standing.infos, standing.snapshots, strict=True)
    ]
    _refuse_impossible(x, y, lon, datum)
    place, row, edge = _locate(len(x), places)
    _refuse_swapped(place, places, x, y, datum)
    unsure = (place >= 0) & (edge <= accuracy)
    near = _near(np.flatnonzero(unsure | (place < 0)), place, row, places, accuracy)
    return Answers(standing, datum, lon, lat, place, row, edge, unsure, near)


def _metres(x: Floats, y: Floats, lon: Floats, lat: Floats, datum: Datum, crs: str) -> tuple[Floats, Floats]:
    """Positions in a territory's CRS; untouched when they came in it, so that a border point stays on its border."""
    return (x, y) if datum.name == crs else datums.project(lon, lat, crs)


def _locate(n: int, places: Sequence[_Place]) -> tuple[Ints, Ints, Floats]:
    """Place, row and metres to the border of every position: -1, -1 and NaN outside."""
    place, row = np.full(n, -1, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    edge = np.full(n, np.nan)
    for k, p in enumerate(places):
        found = p.snapshot.index.locate(p.x, p.y)
        inside = np.flatnonzero(found >= 0)
        better = inside[place[inside] < 0]
        # territories may overlap by mistake: then, too, the lowest grid_id answers
        twice = [t for t in inside[place[inside] >= 0] if _id(places, k, found[t]) < _id(places, place[t], row[t])]
        better = np.append(better, np.array(twice, dtype=np.int64))
        place[better], row[better] = k, found[better]
        edge[better] = p.snapshot.index.border_metres(p.x[better], p.y[better], found[better])
    return place, row, edge


def _id(places: Sequence[_Place], place: int, row: int) -> str:
    return str(places[place].snapshot.grids.grid_id[row])


def _refuse_impossible(x: Floats, y: Floats, lon: Floats, datum: Datum) -> None:
    """Coordinates that are no place on earth: swapped when the swapped ones are, nonsense otherwise."""
    bad = np.flatnonzero(~np.isfinite(lon))
    if not len(bad):
        return
    t = bad[0]
    swapped_lon, _ = datums.to_wgs84(y[t : t + 1], x[t : t + 1], datum)
    code = "lookup.swapped" if np.isfinite(swapped_lon[0]) else "lookup.impossible"
    raise InputError(code, row=int(t) + 1, x=float(x[t]), y=float(y[t]), crs=datum.name)


def _refuse_swapped(place: Ints, places: Sequence[_Place], x: Floats, y: Floats, datum: Datum) -> None:
    """Refuse when a position far from every grid would lie in or near one with its coordinates swapped."""
    outside = np.flatnonzero(place < 0)
    if not len(outside) or not places:
        return
    lon, lat = datums.to_wgs84(y[outside], x[outside], datum)
    turned = [replace(p, x=a, y=b) for p in places for a, b in [datums.project(lon, lat, p.info.crs)]]
    close = np.flatnonzero(np.any([p.snapshot.index.boxed(p.x, p.y, _FAR_METRES) for p in turned], axis=0))
    if not len(close):
        return
    doubtful = outside[close]
    far = _nearest_metres([p.only(doubtful) for p in places]) > _FAR_METRES
    near = _nearest_metres([p.only(close) for p in turned]) <= _FAR_METRES
    for t in doubtful[far & near]:
        raise InputError("lookup.swapped", row=int(t) + 1, x=float(x[t]), y=float(y[t]), crs=datum.name)


def _nearest_metres(places: Sequence[_Place]) -> Floats:
    """Metres from each position to the nearest grid of all places."""
    made: Floats = np.min([p.snapshot.index.nearest(p.x, p.y)[1] for p in places], axis=0)
    return made


def _near(points: Ints, place: Ints, row: Ints, places: Sequence[_Place], accuracy: float) -> Near:
    """Other grids within the accuracy of some positions, and the nearest one of those outside that have none."""
    found: list[tuple[Ints, Ints, Ints, Floats]] = []
    total = 0
    for k, p in enumerate(places):
        index = p.snapshot.index
        step = max(1, _MOST_CANDIDATES // max(1, len(index)))  # so that no step can hold more than all may
        for some in (points[i : i + step] for i in range(0, len(points), step)):
            at, grid, metres = index.within(p.x[some], p.y[some], accuracy)
            other = (place[some[at]] != k) | (row[some[at]] != grid)
            found.append((some[at[other]], np.full(int(other.sum()), k), grid[other], metres[other]))
            total += int(other.sum())
            if total > _MOST_CANDIDATES:
                raise InputError("lookup.too_many_candidates", limit=_MOST_CANDIDATES)
    lonely = points[place[points] < 0]
    lonely = np.setdiff1d(lonely, np.concatenate([f[0] for f in found])) if found else lonely
    if len(lonely) and places:
        nearest = [p.snapshot.index.nearest(p.x[lonely], p.y[lonely]) for p in places]
        k = np.argmin([metres for _, metres in nearest], axis=0)
        grid = np.array([g for g, _ in nearest])[k, np.arange(len(lonely))].astype(np.int64)
        metres = np.array([m for _, m in nearest])[k, np.arange(len(lonely))]
        some = np.flatnonzero(grid >= 0)
        found.append((lonely[some], k[some], grid[some], metres[some]))
    if not found:
        none = np.empty(0, dtype=np.int64)
        return Near(none, none, none, np.empty(0))
    point, of, grid, metres = (np.concatenate(c) for c in zip(*found, strict=True))
    metres = np.round(metres, 2)
    order = np.lexsort((grid, of, metres, point))
    return Near(point[order], of[order], grid[order], metres[order])


def _lookup(
    t: int,
    answers: Answers,
    people: dict[tuple[int, str], list[Contact]],
    near: list[Candidate],
    as_of: date | None,
) -> Lookup:
    k, row = int(answers.place[t]), int(answers.row[t])
    infos = answers.standing.infos
    day = as_of or (infos[max(k, 0)].day if infos else date.today())  # noqa: DTZ011  nothing is published
    common = (round(float(answers.lon[t]), 9), round(float(answers.lat[t]), 9)), day
    if k < 0:
        return Lookup("outside", None, None, None, None, None, near, [], *common, None, None, answers.datum.name)
    grids = answers.standing.snapshots[k].grids
    grid_id = str(grids.grid_id[row])
    return Lookup(
        "uncertain" if answers.unsure[t] else "certain",
        grid_id,
        grids.code[row],
        grids.name[row],
        grids.community[row],
        round(float(answers.edge[t]), 2),
        near,
        persons(people.get((k, grid_id), [])),
        *common,
        infos[k].publication,
        infos[k].territory,
        answers.datum.name,
    )


def noted(found: Lookup, language: str) -> Lookup:
    """The answer with what was converted said in words."""
    if found.datum not in ("gcj02", "bd09"):
        return found
    return replace_field(found, note=messages.text("lookup.converted", language, datum=found.datum))


def persons(contacts: Sequence[Contact]) -> list[Person]:
    """Contacts as they are answered."""
    return [Person(c.name, c.post, c.phone) for c in contacts]
