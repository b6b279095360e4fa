"""Which key signs what is printed: never one whose link already names a plate that was lost, replaced or revoked.

A link is the same for every plate of one address and key. So the plate printed for a lost one is signed by the key of
the next series: whoever finds the lost plate and hangs it up somewhere is told that it was lost, for ever. And plates
of two sizes never share a key: a small plate that is lost says nothing about the large one beside it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Connection

from data.postgres import events
from data.postgres.plates import plates as store
from data.postgres.plates.plates import Key
from gis.addressing import codes

#: What is printed: plates that are new, plates in place of others, or something that only quotes a plate's link.
Purpose = Literal["new", "reprint", "quote"]
_VOID = ("lost", "replaced", "revoked")


@dataclass
class Keys:
    """The keys of a host, made as they are needed. ``barred``: by address, keys that must not sign for it."""

    connection: Connection
    host: str
    barred: Mapping[int, set[str]]
    actor: str = ""
    _made: list[Key] = field(default_factory=list)

    def of(self, address: int) -> Key:
        """The key that signs for an address: of the first series that is not barred."""
        barred = self.barred.get(address, ())
        series = 0
        while (key := self._series(series)).key_id in barred:
            series += 1
        return key

    def _series(self, number: int) -> Key:
        while len(self._made) <= number:
            series = len(self._made)
            secret = secrets.token_bytes(codes.KEY_BYTES)
            key = store.key_of_series(self.connection, self.host, series, secret)
            if key.secret == secret:
                events.record(
                    self.connection, "plate_key_made", f"plate_key:{key.key_id}", actor=self.actor,
                    body={"host": self.host, "series": series},
                )  # fmt: skip
            self._made.append(key)
        return self._made[number]


def keys_for(
    connection: Connection,
    host: str,
    addresses: Iterable[int],
    *,
    purpose: Purpose = "new",
    actor: str = "",
    size: str = "",
) -> Keys:
    """Keys for what is printed of some addresses, as plates of a ``size``.

    A reprint takes no key that any plate of its address carries: the one it stands in for may still hang. What only
    quotes a link (a board) may take any that a scan does not find void.
    """
    return Keys(connection, host, barred(connection, addresses, purpose, size), actor)


def barred(connection: Connection, addresses: Iterable[int], purpose: Purpose, size: str = "") -> dict[int, set[str]]:
    """Keys that must not sign for an address, by address."""
    found: dict[int, set[str]] = {}
    good: dict[int, set[str]] = {}
    for used in store.used_keys(connection, list(addresses)):
        if purpose == "quote":
            void = used.status in _VOID
        else:
            void = purpose == "reprint" or used.voided or used.size != (size or used.size)
        (found if void else good).setdefault(used.address, set()).add(used.key_id)
    if purpose == "quote":  # of two sizes printed with one link, in days when that was done, one is enough
        return {address: keys - good.get(address, set()) for address, keys in found.items()}
    return found
