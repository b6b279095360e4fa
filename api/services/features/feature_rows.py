"""Features kept in memory as columns of the database, for pages that ask for a box, a size and a place to go on from.

A collection has one sheet at a time: the keys and boxes of all that is in force, and those of its rows that were
asked for lately, text and links not yet made of them. A sheet is of one mark of the state: who has the mark may use
it, and with the first change it is of no use. It is read when some pages were asked for under one mark, so that
many edits do not read it many times.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
import shapely
from msgspec import Raw
from numpy.typing import NDArray

from api.services.features.feature_questions import Place
from data.postgres.features.read_features import Row, Scope, State

Ints = NDArray[np.int64]
#: Boxes of a scope: mark, keys in order, (n, 4) in EPSG:3857; None where there are more than so many features.
ReadBoxes = Callable[[Scope, int], tuple[str, list[Any], NDArray[np.float64]] | None]
#: Rows of some keys of a scope, with the mark ("" where there were none).
ReadRows = Callable[[Scope, list[Any]], tuple[str, list[Row]]]

#: Pages under one mark before a sheet is read: reading it costs about as much as a few pages do.
BEFORE: Final = 4
#: Most features of a sheet, on a page, and looked at one by one because the side of a box crosses theirs.
MOST: Final = 400_000
LARGEST: Final = 1_000
_MOST_CROSSED: Final = 4_000
#: Bytes of a key and a box with its order; of a row beside its geometry and properties.
_PLACE_BYTES: Final = 90
_ROW_BYTES: Final = 300


@dataclass(frozen=True)
class Found:
    """A page: how many there are in all, its rows with their territories, and whether more follow."""

    matched: int
    rows: list[tuple[Scope, Row]]
    more: bool


class Sheet:
    """The features of a collection under one mark; for many threads."""

    def __init__(self, state: State, parts: Sequence[tuple[list[Any], NDArray[np.float64]]], limit: int) -> None:
        from gis.features.boxes import Boxes  # with numba: a worker starts without waiting for it

        self.mark = state.mark
        self._scopes = state.scopes
        self._keys: list[Any] = [key for keys, _ in parts for key in keys]
        self._boxes = Boxes(np.concatenate([np.empty((0, 4)), *(b for _, b in parts)]))
        self._ends = np.cumsum([len(keys) for keys, _ in parts]).tolist()
        self._limit = limit - _PLACE_BYTES * len(self._keys)
        self._lock = threading.Lock()
        self._rows: OrderedDict[int, Row] = OrderedDict()
        self._bytes = 0

    @property
    def nbytes(self) -> int:
        """Memory taken, about."""
        return self._bytes + _PLACE_BYTES * len(self._keys)

    def page(
        self, places: Sequence[Place], after: tuple[int, Any] | None, limit: int, read: ReadRows
    ) -> Found | None:
        """The features that meet any of the places; None where the state moved on or too many are crossed."""
        first = self._place_after(after)
        if places:
            hits = self._meeting(places, read)
            if hits is None:
                return None
            first = int(np.searchsorted(hits, first))
            count, wanted = len(hits), hits[first : first + limit].tolist()
        else:
            count, wanted = len(self._keys), list(range(first, min(first + limit, len(self._keys))))
        rows = self._get(wanted, read)
        if rows is None:
            return None
        return Found(count, [(self._scope(k), rows[k]) for k in wanted], first + limit < count)

    def _scope(self, position: int) -> Scope:
        return self._scopes[bisect_right(self._ends, position)]

    def _place_after(self, after: tuple[int, Any] | None) -> int:
        """Position of the first feature after a territory and key."""
        begin = 0
        for scope, end in zip(self._scopes, self._ends, strict=True):
            if after is None or scope.territory > after[0]:
                return begin
            if scope.territory == after[0]:
                key = UUID(after[1]) if isinstance(after[1], str) else after[1]
                return bisect_right(self._keys, key, begin, end)
            begin = end
        return begin

    def _meeting(self, places: Sequence[Place], read: ReadRows) -> Ints | None:
        """Positions, in order, of what meets any place."""
        found: list[Ints] = []
        for place in places:
            positions, inside = self._boxes.meeting(place.bounds)
            sure = inside if place.rectangle else np.zeros_like(inside)
            crossed = positions[~sure].tolist()
            if crossed:
                rows = self._get(crossed, read) if len(crossed) <= _MOST_CROSSED else None
                if rows is None:
                    return None
                shapes = shapely.from_wkb([rows[k].wkb for k in crossed])
                sure[~sure] = shapely.intersects(place.geometry, shapes)
            found.append(positions[sure])
        return found[0] if len(found) == 1 else np.unique(np.concatenate(found))

    def _get(self, positions: list[int], read: ReadRows) -> dict[int, Row] | None:
        """Rows at positions, read where they are not held; None where that gave another state."""
        found: dict[int, Row] = {}
        with self._lock:
            for k in positions:
                row = self._rows.get(k)
                if row is not None:
                    self._rows.move_to_end(k)
                    found[k] = row
        missing = [k for k in positions if k not in found]
        for scope in dict.fromkeys(self._scope(k) for k in missing):
            places = {self._keys[k]: k for k in missing if self._scope(k) is scope}
            mark, rows = read(scope, list(places))
            if mark != self.mark or len(rows) != len(places):
                return None
            read_now = {places[row.key]: row for row in rows}
            self._keep(read_now)
            found |= read_now
        return found

    def _keep(self, rows: dict[int, Row]) -> None:
        with self._lock:
            for k, row in rows.items():
                if k not in self._rows:
                    self._bytes += size(row)
                self._rows[k] = row
            while self._bytes > self._limit and self._rows:
                self._bytes -= size(self._rows.popitem(last=False)[1])


class Sheets:
    """The sheets of the collections, each at most ``limit`` bytes; for many threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._sheets: dict[str, Sheet] = {}
        self._asked: Counter[tuple[str, str]] = Counter()

    def sheet(self, name: str, state: State, read: ReadBoxes) -> Sheet | None:
        """The sheet of a collection in a state; None as long as it is not worth while to have one."""
        held = self._sheets.get(name)
        if held is not None and held.mark == state.mark:
            return held
        with self._lock:
            if len(self._asked) > 100:  # nearly all of states that are gone
                self._asked.clear()
            self._asked[name, state.mark] += 1
            if self._asked[name, state.mark] != BEFORE:  # one reader reads it, the others go on without
                return None
        made = self._read(state, read)
        if made is not None:
            self._sheets[name] = made
        return made

    def held(self) -> dict[str, Sheet]:
        """What is in memory at the moment, by collection."""
        return dict(self._sheets)

    def _read(self, state: State, read: ReadBoxes) -> Sheet | None:
        room = min(MOST, self._limit // 2 // _PLACE_BYTES)
        parts = []
        for scope in state.scopes:
            found = read(scope, room)
            if found is None or found[0] != state.mark:
                return None
            parts.append(found[1:])
            room -= len(found[1])
        return Sheet(state, parts, self._limit)


def packed(row: Row) -> Row:
    """A row with its properties as text: a fraction of their size as objects."""
    from msgspec import json

    return Row(row.key, row.id, row.wkb, Raw(json.encode(row.properties)))


def size(row: Row) -> int:
    """Bytes that a packed row takes, about."""
    return _ROW_BYTES + len(row.wkb) + len(memoryview(row.properties))
