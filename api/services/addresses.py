"""Standard addresses of a territory: number what has no address yet, leave every other one alone."""

from __future__ import annotations

import csv
import io
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, Engine

from data.outputs import unformulated, write_whole
from data.postgres import addresses as store
from data.postgres import events, generations, publications, territories
from data.postgres.addresses import Issued, Layers, NewAddresses, Row
from data.postgres.territories import Territory
from data.postgres.unit_of_work import UnitOfWork
from gis.addressing import codes
from gis.addressing.assign import Addresses, Known, assign, nothing_known
from gis.addressing.codes import Lots
from gis.addressing.homes import homes
from gis.addressing.numbering import MISMATCH, NO_NUMBER, NO_PLACE, SEVERAL, SHARED, Rule
from gis.progress import Progress, silent
from gis.territory.model import Ints, Texts

#: Which class of mess an address shows when it has several.
_WORST_FIRST: Final = (NO_PLACE, SHARED, MISMATCH, SEVERAL, NO_NUMBER)
#: An alley without a name is no fault of the address that hangs on a compound or village group instead.
_NO_MESS: Final = frozenset({"no_street"})


@dataclass(frozen=True)
class Fault:
    """One break of numbering: its class, a reason code, the building and what it says."""

    building: str
    kind: str
    reason: str
    value: str
    address: str


@dataclass(frozen=True)
class Assigned:
    """What an assignment did; ``total`` counts addresses in force afterwards by level."""

    territory: str
    thoroughfares: int
    buildings: int
    outbuildings: int
    kept: int
    issued: int
    total: dict[str, int]
    unsure: int
    faults: tuple[Fault, ...]

    @property
    def by_kind(self) -> dict[str, int]:
        """Breaks by class of mess."""
        return dict(Counter(f.kind for f in self.faults))


def assign_territory(
    engine: Engine,
    name: str,
    *,
    rule: Rule | None = None,
    write: bool = True,
    rng: Lots | None = None,
    actor: str = "",
    progress: Progress = silent,
) -> Assigned:
    """Give every building, unit and room of a territory without an address its own, in one transaction.

    Addresses in force, their numbers and codes stay as they are, so a second run issues nothing. ``write``
    false only says what would be done. ``rng`` draws the codes (default: the system's randomness).
    """
    with UnitOfWork(engine) as work:
        connection = work.connection
        territory = territories.get(connection, name)
        territories.lock(connection, territory.id)
        layers, before = store.layers(connection, territory), store.issued(connection, territory)
        found = assign(
            layers.streets, layers.buildings, layers.compounds, layers.groups, layers.communities,
            rule=rule, known=_known(layers, before), community=layers.community, compound=layers.compound,
            progress=progress,
        )  # fmt: skip
        today = publications.today(territory)
        fresh = 0
        if write:
            fresh = _write(connection, territory, layers, before, found, rng or secrets.SystemRandom(), today)
            store.follow_communities(connection, territory)
            progress("addresses_store", 1.0)
        done = _summary(territory, layers, before, found, fresh, store.counts(connection, territory))
        if write and fresh:
            generations.bump(connection, territory.id, ["addresses"])
            body: dict[str, Any] = asdict(done) | {"faults": done.by_kind}
            subject = f"territory:{territory.id}"
            events.record(
                connection, "addresses_assigned", subject, actor=actor, territory_id=territory.id, body=body
            )
        if write:
            work.commit()
    return done


def listing(
    engine: Engine, name: str, *, community: str = "", mess: bool = False, limit: int | None = None
) -> list[Row]:
    """Addresses of a territory as people read them."""
    with UnitOfWork(engine, read_only=True) as work:
        territory = territories.get(work.connection, name)
        return store.listing(work.connection, territory, community=community, mess=mess, limit=limit)


def write_faults(file: Path, done: Assigned, explain: Callable[[str], str]) -> None:
    """Every break of numbering as CSV; UTF-8 with a byte order mark, so that office programs show Chinese.

    ``explain`` gives the words for a reason code.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["building", "kind", "reason", "explanation", "value", "address"])
    for f in done.faults:
        row = (f.building, f.kind, f.reason, explain(f.reason), f.value, f.address)
        writer.writerow([unformulated(v) for v in row])
    write_whole(file, out.getvalue().encode("utf-8-sig"))


def _known(layers: Layers, before: Issued) -> Known:
    """Numbers that were issued or registered: of buildings on their own, of compounds, and inside compounds."""
    known = nothing_known(len(layers.buildings), len(layers.compounds))
    at = {int(i): k for k, i in enumerate(layers.building_id)}
    compound_at = {int(i): k for k, i in enumerate(layers.compound_id)}
    own_number = (layers.buildings.housenumber != "") & (layers.buildings.street != "")
    for k in np.flatnonzero(np.isin(before.level.astype(str), ("premise", "building"))):
        row, compound = at.get(int(before.building_id[k])), compound_at.get(int(before.compound_id[k]))
        if row is None:
            continue
        known.block[row] = before.building_no[k]
        if not before.road[k]:
            continue  # no number, or one on a street that is not there: the sources say it again
        if compound is None or own_number[row]:
            known.road[row], known.number[row] = before.road[k], before.number[k]
        else:
            known.compound_road[compound], known.compound_number[compound] = before.road[k], before.number[k]
    return known


def _write(
    connection: Connection,
    territory: Territory,
    layers: Layers,
    before: Issued,
    found: Addresses,
    rng: Lots,
    on: date,
) -> int:
    """Write what is new: buildings first, then what hangs below them. Returns how many rows."""
    roads = store.save_thoroughfares(connection, territory, found.thoroughfares, on)
    have = {
        int(b): int(i)
        for b, i, level in zip(before.building_id, before.id, before.level, strict=True)
        if level in ("premise", "building")
    }
    bare = np.array([int(b) not in have for b in layers.building_id], dtype=bool) & (found.text != "")
    rows = np.flatnonzero(bare)
    above = _building_rows(layers, found, roads, rows)
    above.code.extend(_draw(connection, len(rows), rng))
    ids = store.save(connection, territory, above, on)
    have |= {int(b): int(i) for b, i in zip(layers.building_id[rows], ids, strict=True)}
    return len(rows) + _write_homes(connection, territory, layers, before, found, have, rng, on)


def _draw(connection: Connection, count: int, rng: Lots) -> list[str]:
    """New codes that no territory has."""
    drawn = codes.new_codes(count, rng)
    while clash := store.taken(connection, drawn):
        kept = [c for c in drawn if c not in clash]
        drawn = kept + codes.new_codes(len(clash), rng, set(drawn) | clash)
    return drawn


def _building_rows(layers: Layers, found: Addresses, roads: Ints, rows: Ints) -> NewAddresses:
    """Addresses of buildings; their codes are filled in by the caller."""
    street = found.thoroughfare[rows]
    on_street = street >= 0
    in_compound = found.compound[rows] >= 0
    none = np.array([""] * len(rows), dtype=object)
    kept = found.kept[rows] & ~in_compound
    return NewAddresses(
        code=[],
        level=np.where(in_compound, "building", "premise").astype(object),
        parent=np.zeros(len(rows), dtype=np.int64),
        building_id=layers.building_id[rows],
        community_id=_ids(layers.community_id, found.community[rows]),
        thoroughfare_id=_ids(roads, street),
        number=found.base[rows],
        number_text=found.number[rows],
        side=np.where(on_street, np.where(found.right[rows], "right", "left"), "").astype(object),
        station=np.where(on_street, found.station[rows], np.nan),
        compound_id=_ids(layers.compound_id, found.compound[rows]),
        building_no=found.block[rows],
        unit=none,
        floor=none,
        room=none,
        text=found.text[rows],
        other=found.other[rows],
        origin=np.where(kept, "existing", "issued").astype(object),
        mess=_mess(found)[rows],
        point=found.point[rows],
    )


def _write_homes(
    connection: Connection,
    territory: Territory,
    layers: Layers,
    before: Issued,
    found: Addresses,
    have: dict[int, int],
    rng: Lots,
    on: date,
) -> int:
    """Units, then rooms, below the addresses of buildings; those there already are left alone."""
    b = layers.buildings
    below = homes(found.text, b.units, b.floors, b.dwellings, found.style)
    keys = [
        (int(layers.building_id[k]), str(u), str(r))
        for k, u, r in zip(below.building, below.unit, below.room, strict=True)
    ]
    parents: dict[tuple[int, str], int] = {
        (int(k), str(u)): int(i)
        for k, u, i, level in zip(before.building_id, before.unit, before.id, before.level, strict=True)
        if level == "unit"
    }
    known = {
        (int(k), str(u), str(r))
        for k, u, r in zip(before.building_id, before.unit, before.room, strict=True)
        if u or r
    }
    fresh = np.array([k not in known and k[0] in have for k in keys], dtype=bool)
    written = 0
    for level, which in (("unit", below.room == ""), ("room", below.room != "")):
        rows = np.flatnonzero(fresh & which)
        parent = [parents.get(keys[k][:2], have[keys[k][0]]) for k in rows]
        new = _home_rows(layers, found, below.building[rows], level, np.array(parent, dtype=np.int64))
        new.unit[:], new.floor[:], new.room[:] = below.unit[rows], below.floor[rows], below.room[rows]
        new.text[:] = below.text[rows]
        new.code.extend(_draw(connection, len(rows), rng))
        ids = store.save(connection, territory, new, on)
        parents |= {keys[k][:2]: int(i) for k, i in zip(rows, ids, strict=True)} if level == "unit" else {}
        written += len(rows)
    return written


def _home_rows(layers: Layers, found: Addresses, building: Ints, level: str, parent: Ints) -> NewAddresses:
    """Rows below buildings: place and community are the building's, numbers are its own address's alone."""
    count = len(building)

    def blank() -> Texts:
        return np.array([""] * count, dtype=object)

    zero = np.zeros(count, dtype=np.int64)
    return NewAddresses(
        code=[], level=np.array([level] * count, dtype=object), parent=parent,
        building_id=layers.building_id[building],
        community_id=_ids(layers.community_id, found.community[building]),
        thoroughfare_id=zero, number=zero, number_text=blank(), side=blank(), station=np.full(count, np.nan),
        compound_id=zero, building_no=blank(), unit=blank(), floor=blank(), room=blank(), text=blank(), other=blank(),
        origin=np.array(["issued"] * count, dtype=object), mess=blank(), point=found.point[building],
    )  # fmt: skip


def _ids(ids: Ints, position: Ints) -> Ints:
    """Row ids at positions, 0 for -1."""
    return np.asarray(np.r_[ids, 0][position], dtype=np.int64)


def _mess(found: Addresses) -> Texts:
    """The worst class of mess of each building, "" for none."""
    worst = np.array([""] * len(found.text), dtype=object)
    for kind in reversed(_WORST_FIRST):
        for b in found.breaks:
            if b.kind == kind and b.reason not in _NO_MESS:
                worst[b.item] = kind
    return worst


def _summary(
    territory: Territory, layers: Layers, before: Issued, found: Addresses, fresh: int, total: dict[str, int]
) -> Assigned:
    return Assigned(
        territory=territory.name,
        thoroughfares=len(found.thoroughfares),
        buildings=len(layers.buildings),
        outbuildings=int((found.text == "").sum()),
        kept=int((found.kept & (layers.buildings.housenumber != "")).sum()),
        issued=fresh,
        total=total,
        unsure=int((~found.sure & (found.thoroughfare >= 0)).sum()),
        faults=_faults(layers, found),
    )


def _faults(layers: Layers, found: Addresses) -> tuple[Fault, ...]:
    source = layers.buildings.source_id
    return tuple(
        Fault(str(source[b.item]), b.kind, b.reason, b.value, str(found.text[b.item]))
        for b in found.breaks
        if b.reason not in _NO_MESS
    )
