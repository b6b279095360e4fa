"""Territories whose addresses are kept for matching: a base, and what changed since it was made."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from api.services.addresses.library_bases import BEHIND, Base
from data.postgres.addresses import address_library
from data.postgres.addresses.address_library import Read
from data.postgres.imported.territories import Territory
from gis.addressing.matching.segment import Entries, Segment, pack

#: So many changed addresses let a base be made anew.
RENEW: Final = 5_000


@dataclass(frozen=True)
class Stand:
    """A territory as it is at one moment: ``read`` stands in place of the rows of the base with ids ``replaced``.

    ``streets`` is another number after every change of its lines.
    """

    shelf: Shelf
    territory: Territory
    base: Base
    day: date
    read: Read | None
    replaced: frozenset[int]
    streets: int


@dataclass
class Shelf:
    """One territory. ``drawn``: what was made of a base and of its lines, for the next one who asks."""

    territory: Territory
    base: Base
    day: date
    known: set[int] = field(default_factory=set)
    replaced: set[int] = field(default_factory=set)
    read: Read | None = None
    streets: int = 0
    drawn: tuple[Base, int, Any, Any] | None = None

    def state(self) -> tuple[Any, ...]:
        """Another one after every change."""
        return self.territory, id(self.base), self.day, len(self.known)

    def stand(self) -> Stand:
        """What it is now, for those who go on with it."""
        return Stand(self, self.territory, self.base, self.day, self.read, frozenset(self.replaced), self.streets)

    def follow(self, connection: Connection, territory: Territory, on: date) -> bool:
        """Read what changed; False where the base is of no use any more."""
        self.territory = territory
        if on < self.base.day or not address_library.kept(connection, self.base.stamp):
            return False
        touched: set[int] = set()
        if on != self.day or not self.known:
            self.known, self.replaced, self.read, self.day = set(), set(), None, on
            touched = self.base.turned(on)
        changed = address_library.changes(connection, territory.id, self.base.stamp, self.known)
        for change in changed:
            touched.update(change.addresses)
        if len(touched) > BEHIND:
            return False
        self.known.update(c.id for c in changed)
        self.streets += any(c.streets for c in changed)
        if touched:
            self._replace(connection, set(address_library.with_parts(connection, touched)))
        return True

    def _replace(self, connection: Connection, ids: set[int]) -> None:
        """Read some addresses anew."""
        read = address_library.read(connection, self.territory.id, self.day, ids)
        self.read = read if self.read is None else _over(self.read, read, ids)
        self.replaced |= ids


def added(stands: Sequence[Stand]) -> tuple[Segment | None, Collection[int]]:
    """What changed in some territories as one segment, in their order; and the ids it stands for."""
    reads = [s.read for s in stands if s.read is not None]
    replaced = frozenset[int]().union(*(s.replaced for s in stands))
    if not any(len(r.id) for r in reads):
        return None, replaced
    whole = reads[0] if len(reads) == 1 else _joined(reads)
    return Segment(pack(whole.entries, whole.id, whole.texts)), replaced


def _over(before: Read, after: Read, replaced: Collection[int]) -> Read:
    """Addresses read earlier, but for those that were read anew."""
    keep = np.array([i not in replaced for i in before.id.tolist()], dtype=bool)
    at = np.cumsum(keep) - 1
    texts = tuple((t, int(at[r])) for t, r in before.texts if keep[r])
    columns = {f.name: getattr(before.entries, f.name)[keep] for f in fields(Entries)}
    return _joined([Read(Entries(**columns), before.id[keep], texts), after])


def _joined(reads: Sequence[Read]) -> Read:
    columns = {f.name: np.concatenate([getattr(r.entries, f.name) for r in reads]) for f in fields(Entries)}
    starts = np.cumsum([0, *(len(r.id) for r in reads)]).tolist()
    texts = tuple((t, r + start) for read, start in zip(reads, starts, strict=False) for t, r in read.texts)
    return Read(Entries(**columns), np.concatenate([r.id for r in reads]), texts)
