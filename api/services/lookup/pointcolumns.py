"""Lookups of many positions as columns: NumPy arrays for programs and CSV, an Arrow table for other programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from api.services.lookup import lookup
from api.services.lookup.lookup import Answers
from api.services.published import Published
from gis.territory.model import Floats, Ints, Texts

#: Columns of an answer, in the order of the tables.
NAMES: Final = ("status", "grid_id", "code", "name", "community", "edge_m", "candidates", "people",
                "wgs84_lon", "wgs84_lat")  # fmt: skip
_GRID: Final = ("grid_id", "code", "name", "community")
_STATUS: Final = np.array(["certain", "uncertain", "outside"], dtype=object)


@dataclass(frozen=True)
class _Known:
    """Every grid in force, of all places one after the other; ``first`` is each place's first."""

    first: Ints
    columns: dict[str, Texts]

    def at(self, place: Ints, row: Ints) -> Ints:
        """Positions of grids; meaningless where ``place`` is -1."""
        return self.first[place] + row


def columns(
    published: Published, x: Floats, y: Floats, crs: str | None, accuracy: float = 0.0, as_of: date | None = None
) -> dict[str, Texts | Floats]:
    """Answers as arrays by the names of ``NAMES``, in the order of the positions.

    ``candidates`` are the codes of the other grids within the accuracy, or of the nearest one outside; ``people`` are
    name, post and phone; both are separated by ``;``. Texts are "" and numbers NaN where there is nothing.
    """
    answers = lookup.ask(published, x, y, crs, accuracy, as_of)
    known = _known(answers)
    found = np.flatnonzero(answers.place >= 0)
    grid = known.at(answers.place[found], answers.row[found])
    people = np.full(len(known.columns["grid_id"]), "", dtype=object)
    for (k, grid_id), row in _people_rows(published, answers, known):
        contacts = answers.standing.people[k, grid_id]
        people[row] = ";".join(" ".join(filter(None, (c.name, c.post, c.phone))) for c in contacts)
    texts = {name: _spread(len(answers), found, known.columns[name][grid]) for name in _GRID}
    made: dict[str, Texts | Floats] = {
        "status": _STATUS[_status(answers)],
        **texts,
        "edge_m": answers.edge,
        "candidates": _candidates(answers, known),
        "people": _spread(len(answers), found, people[grid]),
        "wgs84_lon": answers.lon,
        "wgs84_lat": answers.lat,
    }
    return {name: made[name] for name in NAMES}


def table(
    published: Published, x: Floats, y: Floats, crs: str | None, accuracy: float = 0.0, as_of: date | None = None
) -> pa.Table:
    """The same as an Arrow table; texts are dictionary-encoded, ``candidates`` and ``people`` lists of structs."""
    answers = lookup.ask(published, x, y, crs, accuracy, as_of)
    known = _known(answers)
    outside = answers.place < 0
    grid = known.at(answers.place, answers.row) if len(known.first) else np.zeros(len(answers), dtype=np.int64)
    indices = pa.array(grid, pa.int32(), mask=outside)
    words = {
        name: pa.DictionaryArray.from_arrays(indices, pa.array(known.columns[name], pa.string())) for name in _GRID
    }
    people: list[list[dict[str, str]]] = [[] for _ in known.columns["grid_id"]]
    for (k, grid_id), row in _people_rows(published, answers, known):
        contacts = answers.standing.people[k, grid_id]
        people[row] = [{"name": c.name, "post": c.post, "phone": c.phone} for c in contacts]
    person = pa.struct([(name, pa.string()) for name in ("name", "post", "phone")])
    made = {
        "status": pa.DictionaryArray.from_arrays(_status(answers), pa.array(_STATUS, pa.string())),
        **words,
        "edge_m": pa.array(answers.edge, from_pandas=True),
        "candidates": _candidate_lists(answers, known),
        "people": pa.array(people, pa.list_(person)).take(indices),
        "wgs84_lon": pa.array(answers.lon),
        "wgs84_lat": pa.array(answers.lat),
    }
    return pa.table({name: made[name] for name in NAMES})


def _status(answers: Answers) -> NDArray[np.int8]:
    return np.where(answers.place < 0, 2, answers.unsure.astype(np.int64)).astype(np.int8)


def _known(answers: Answers) -> _Known:
    grids = [s.grids for s in answers.standing.snapshots]
    first = np.cumsum([0, *(len(g) for g in grids)])[:-1].astype(np.int64)
    none = np.empty(0, dtype=object)
    return _Known(first, {name: np.concatenate([none, *(getattr(g, name) for g in grids)]) for name in _GRID})


def _people_rows(published: Published, answers: Answers, known: _Known) -> list[tuple[tuple[int, str], int]]:
    """Grids that were found, by place and id, with their row in ``known``; their people are in the standing."""
    lookup.responsible(published, answers)
    made = []
    for k in range(len(known.first)):
        for row in np.unique(answers.row[answers.place == k]):
            at = int(known.first[k] + row)
            made.append(((k, str(known.columns["grid_id"][at])), at))
    return made


def _spread(n: int, rows: Ints, values: Texts) -> Texts:
    made = np.full(n, "", dtype=object)
    made[rows] = values
    return made


def _candidates(answers: Answers, known: _Known) -> Texts:
    near = answers.near
    made = np.full(len(answers), "", dtype=object)
    if not len(near.point):
        return made
    codes = known.columns["code"][known.at(near.place, near.row)]
    point, start = np.unique(near.point, return_index=True)
    for t, a, b in zip(point, start, np.append(start[1:], len(near.point)), strict=True):
        made[t] = ";".join(codes[a:b])
    return made


def _candidate_lists(answers: Answers, known: _Known) -> Any:
    near = answers.near
    grid = known.at(near.place, near.row) if len(near.point) else np.empty(0, dtype=np.int64)
    offsets = np.searchsorted(near.point, np.arange(len(answers) + 1)).astype(np.int32)
    values = pa.StructArray.from_arrays(
        [*(pa.array(known.columns[n][grid], pa.string()) for n in ("grid_id", "code")), pa.array(near.metres)],
        ["grid_id", "code", "distance_m"],
    )
    return pa.ListArray.from_arrays(offsets, values)
