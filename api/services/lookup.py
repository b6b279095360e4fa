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

from api.answers import Candidate, Lookup, Person
from api.services.published import Published, Snapshot
from data.postgres import read_published
from data.postgres.read_published import Contact, InForce
from gis.errors import InputError
from gis.locate import datums
from gis.locate.datums import Datum
from gis.territory.model import Bools, Floats, Ints, Texts

#: A position this far from every grid whose swapped form lies in one has its coordinates the wrong way round.
_FAR_METRES: Final = 20_000.0
_NEAREST: Final = 3


@dataclass(frozen=True)
class Answers:
    """Lookups as columns. ``place`` and ``row`` say which grid of which snapshot, -1 outside.

    ``edge`` metres (NaN outside), ``unsure`` where another grid or the outside lies within the accuracy.
    """

    lon: Floats
    lat: Floats
    place: Ints
    row: Ints
    edge: Floats
    unsure: Bools

    def __len__(self) -> int:
        return len(self.lon)


@dataclass(frozen=True)
class _Place:
    """A territory in force with its snapshot, and the positions in its CRS."""

    info: InForce
    snapshot: Snapshot
    x: Floats
    y: Floats


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
    datum = datums.parse(crs)
    xy = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    with published.reading() as connection:
        infos = published.in_force(connection, as_of)
        snapshots = [published.snapshot(connection, i.publication, i.crs) for i in infos]
        answers, places = _answer(infos, snapshots, xy[:, 0], xy[:, 1], datum, accuracy)
        people: dict[tuple[int, str], list[Contact]] = {}
        for k, place in enumerate(places):
            rows = np.unique(answers.row[answers.place == k])
            grids = place.snapshot.grids.grid_id[rows].tolist()
            found = read_published.people(connection, place.info.day, grids) if grids else {}
            people |= {(k, g): contacts for g, contacts in found.items()}
    return [_lookup(t, answers, places, people, datum, accuracy, as_of) for t in range(len(answers))]


def columns(
    published: Published, x: Floats, y: Floats, crs: str | None, accuracy: float = 0.0, as_of: date | None = None
) -> dict[str, Texts | Floats]:
    """Answers as columns for files: ``status, grid_id, code, name, community, edge_m, candidates, lon, lat``.

    ``candidates`` are the codes of the other grids within the accuracy, or the nearest outside, separated by ``;``.
    """
    datum = datums.parse(crs)
    with published.reading() as connection:
        infos = published.in_force(connection, as_of)
        snapshots = [published.snapshot(connection, i.publication, i.crs) for i in infos]
    answers, places = _answer(infos, snapshots, np.asarray(x, float), np.asarray(y, float), datum, accuracy)
    made: dict[str, Texts | Floats] = {
        name: np.full(len(answers), "", dtype=object)
        for name in ("grid_id", "code", "name", "community", "candidates")
    }
    for k, place in enumerate(places):
        here = np.flatnonzero(answers.place == k)
        grids = place.snapshot.grids
        for name in ("grid_id", "code", "name", "community"):
            made[name][here] = getattr(grids, name)[answers.row[here]]
    for t in np.flatnonzero(answers.unsure | (answers.place < 0)):
        made["candidates"][t] = ";".join(c.code for c in _candidates(int(t), answers, places, accuracy))
    status = np.where(answers.place < 0, "outside", np.where(answers.unsure, "uncertain", "certain")).astype(object)
    return {"status": status, **made, "edge_m": answers.edge, "wgs84_lon": answers.lon, "wgs84_lat": answers.lat}


def _answer(
    infos: Sequence[InForce], snapshots: Sequence[Snapshot], x: Floats, y: Floats, datum: Datum, accuracy: float
) -> tuple[Answers, list[_Place]]:
    lon, lat = datums.to_wgs84(x, y, datum)
    places = [_Place(i, s, *_metres(x, y, lon, lat, datum, i.crs)) for i, s in zip(infos, snapshots, strict=True)]
    _refuse_impossible(places, x, y, lon, datum)
    answers = _locate(lon, lat, places)
    _refuse_swapped(answers, places, x, y, datum)
    return replace(answers, unsure=(answers.place >= 0) & (answers.edge <= accuracy)), places


def _metres(x: Floats, y: Floats, lon: Floats, lat: Floats, datum: Datum, crs: str) -> tuple[Floats, Floats]:
    """Positions in a territory's CRS; untouched when they came in it, so that a border point stays on its border."""
    return (x, y) if datum.name == crs else datums.project(lon, lat, crs)


def _locate(lon: Floats, lat: Floats, places: Sequence[_Place]) -> Answers:
    n = len(lon)
    place, row = np.full(n, -1, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    edge = np.full(n, np.nan)
    lowest = np.full(n, "", dtype=object)
    for k, p in enumerate(places):
        found = p.snapshot.index.locate(p.x, p.y)
        inside = np.flatnonzero(found >= 0)
        ids = p.snapshot.grids.grid_id[found[inside]]
        # territories may overlap by mistake: then, too, the lowest grid_id answers
        better = inside[(place[inside] < 0) | (ids < lowest[inside])]
        place[better], row[better] = k, found[better]
        lowest[better] = p.snapshot.grids.grid_id[found[better]]
        edge[better] = p.snapshot.index.border_metres(p.x[better], p.y[better], found[better])
    return Answers(lon, lat, place, row, edge, np.zeros(n, dtype=bool))


def _refuse_impossible(places: Sequence[_Place], x: Floats, y: Floats, lon: Floats, datum: Datum) -> None:
    """Coordinates that are no place on earth: swapped when the swapped ones are, nonsense otherwise."""
    bad = np.flatnonzero(~np.isfinite(lon))
    if not len(bad):
        return
    t = bad[0]
    swapped_lon, _ = datums.to_wgs84(y[t : t + 1], x[t : t + 1], datum)
    code = "lookup.swapped" if np.isfinite(swapped_lon[0]) else "lookup.impossible"
    raise InputError(code, row=int(t) + 1, x=float(x[t]), y=float(y[t]), crs=datum.name)


def _refuse_swapped(answers: Answers, places: Sequence[_Place], x: Floats, y: Floats, datum: Datum) -> None:
    """Refuse when a position far from everything would lie in a grid with its coordinates swapped."""
    outside = np.flatnonzero(answers.place < 0)
    if not len(outside) or not places:
        return
    lon, lat = datums.to_wgs84(y[outside], x[outside], datum)
    turned = [(p, *datums.project(lon, lat, p.info.crs)) for p in places]
    there = _locate(lon, lat, [replace(p, x=a, y=b) for p, a, b in turned])
    for t in outside[there.place >= 0]:
        if all(p.snapshot.index.nearest(p.x[t], p.y[t], 1)[1].min(initial=np.inf) > _FAR_METRES for p in places):
            raise InputError("lookup.swapped", row=int(t) + 1, x=float(x[t]), y=float(y[t]), crs=datum.name)


def _candidates(t: int, answers: Answers, places: Sequence[_Place], accuracy: float) -> list[Candidate]:
    """Other grids within the accuracy; outside, at least the nearest one. Nearest first."""
    near: list[Candidate] = []
    own = (answers.place[t], answers.row[t])
    for k, p in enumerate(places):
        index, grids = p.snapshot.index, p.snapshot.grids
        rows, metres = index.within(p.x[t], p.y[t], accuracy)
        if own[0] < 0 and not len(rows):
            rows, metres = index.nearest(p.x[t], p.y[t], 1)
        near += [
            Candidate(grids.grid_id[r], grids.code[r], round(float(m), 2), grids.name[r], grids.community[r])
            for r, m in zip(rows.tolist(), metres.tolist(), strict=True)
            if (k, r) != own
        ]
    near.sort(key=lambda c: (c.distance_m, c.grid_id))
    if own[0] < 0:
        return [c for i, c in enumerate(near) if i == 0 or c.distance_m <= accuracy]
    return near


def _lookup(
    t: int,
    answers: Answers,
    places: Sequence[_Place],
    people: dict[tuple[int, str], list[Contact]],
    datum: Datum,
    accuracy: float,
    as_of: date | None,
) -> Lookup:
    k, row = int(answers.place[t]), int(answers.row[t])
    day = as_of or (places[max(k, 0)].info.day if places else date.today())  # noqa: DTZ011  nothing is published
    common = (round(float(answers.lon[t]), 9), round(float(answers.lat[t]), 9)), day
    unsure = bool(answers.unsure[t])
    near = _candidates(t, answers, places, accuracy) if unsure or k < 0 else []
    if k < 0:
        return Lookup("outside", None, None, None, None, None, near, [], *common, None, None, datum.name)
    place, grids = places[k], places[k].snapshot.grids
    grid_id = str(grids.grid_id[row])
    return Lookup(
        "uncertain" if unsure else "certain",
        grid_id,
        grids.code[row],
        grids.name[row],
        grids.community[row],
        round(float(answers.edge[t]), 2),
        near,
        persons(people.get((k, grid_id), [])),
        *common,
        place.info.publication,
        place.info.territory,
        datum.name,
    )


def persons(contacts: Sequence[Contact]) -> list[Person]:
    """Contacts as they are answered."""
    return [Person(c.name, c.post, c.phone) for c in contacts]
