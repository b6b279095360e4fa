"""Standard addresses of a territory: number what has no address yet, leave every other one alone."""

from __future__ import annotations

import csv
import io
import json
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine

from api.services.addresses.address_rows import NO_MESS, building_rows, door_rows, home_rows, known_doors, new_doors
from data import numbering
from data.outputs import require_writable, unformulated, write_whole
from data.postgres import events, generations
from data.postgres.addresses import addresses as store
from data.postgres.addresses.addresses import Issued, Layers, Row
from data.postgres.imported import territories
from data.postgres.imported.territories import Territory
from data.postgres.plans import publications
from data.postgres.unit_of_work import UnitOfWork
from gis.addressing import codes, gates
from gis.addressing.assign import Addresses, Known, assign, nothing_known
from gis.addressing.codes import Lots
from gis.addressing.homes import homes, places
from gis.addressing.rules import Rule
from gis.errors import InputError
from gis.locate import datums
from gis.progress import Progress, silent


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
    ruleset: str = ""
    unverified: bool = False  # 未核对: something of the ruleset was not checked against its source's own text

    @property
    def by_kind(self) -> dict[str, int]:
        """Breaks by class of mess."""
        return dict(Counter(f.kind for f in self.faults))


@dataclass(frozen=True)
class Proposal:
    """Addresses as they would be: what they are made from, what is there, what was found, by which rule."""

    territory: Territory
    layers: Layers
    before: Issued
    found: Addresses
    rule: Rule


def propose(
    connection: Connection, territory: Territory, rule: Rule | None = None, progress: Progress = silent
) -> Proposal:
    """Find every address that is missing, and check it at the gates.

    Raises ``InputError`` (``addresses.gates``) when a number that would be issued breaks one.
    """
    rule = rule or numbering.load()
    layers, before = store.layers(connection, territory), store.issued(connection, territory)
    found = assign(
        layers.streets, layers.buildings, layers.compounds, layers.groups, layers.communities,
        rule=rule, known=_known(layers, before), community=layers.community, compound=layers.compound,
        doors=known_doors(layers, before), centre=_centre(territory, rule), progress=progress,
    )  # fmt: skip
    broken = gates.check(found, consecutive=rule.one_sided == "consecutive")
    if broken:
        first, street = broken[0], [*found.thoroughfares.name, ""][broken[0].street]
        raise InputError("addresses.gates", count=len(broken), gate=first.gate, street=street, number=first.number)
    return Proposal(territory, layers, before, found, rule)


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
    """Give every building, gate, unit and room of a territory without an address its own, in one transaction.

    Addresses in force, their numbers and codes stay as they are, so a second run issues nothing. ``rule``: the
    numbering ruleset (default: the shipped one). ``write`` false only says what would be done. ``rng`` draws the
    codes (default: the system's randomness).
    """
    with UnitOfWork(engine) as work:
        connection = work.connection
        territory = territories.get(connection, name)
        territories.lock(connection, territory.id)
        made = propose(connection, territory, rule, progress)
        today = publications.today(territory)
        fresh = 0
        if write:
            fresh = _write(connection, made, rng or secrets.SystemRandom(), today)
            store.follow_communities(connection, territory)
            progress("addresses_store", 1.0)
        done = _summary(made, fresh, store.counts(connection, territory))
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


def rule_of(name: str) -> Rule:
    """A numbering ruleset by name or file; ``InputError`` says what is wrong with it."""
    return numbering.load(name)


def rules() -> list[Rule]:
    """The shipped numbering rulesets."""
    return [numbering.load(name) for name in numbering.names()]


def require_place(file: Path) -> None:
    """Raise ``InputError`` when a file cannot be written where it is asked for."""
    require_writable(file)


def preview_territory(
    engine: Engine, name: str, *, rule: Rule | None = None, progress: Progress = silent
) -> tuple[Assigned, Proposal]:
    """What an assignment would do, for people to look at: nothing is written."""
    with UnitOfWork(engine, read_only=True) as work:
        made = propose(work.connection, territories.get(work.connection, name), rule, progress)
        return _summary(made, 0, store.counts(work.connection, made.territory)), made


def listing(
    engine: Engine, name: str, *, community: str = "", mess: bool = False, limit: int | None = None
) -> list[Row]:
    """Addresses of a territory as people read them."""
    with UnitOfWork(engine, read_only=True) as work:
        territory = territories.get(work.connection, name)
        return store.listing(work.connection, territory, community=community, mess=mess, limit=limit)


def write_faults(file: Path, done: Assigned, explain: Callable[[str], str]) -> None:
    """Every break of numbering, as JSON where the file is called so, else as CSV.

    CSV is UTF-8 with a byte order mark, so that office programs show Chinese. ``explain`` gives the words for a
    reason code.
    """
    columns = ("building", "kind", "reason", "explanation", "value", "address")
    rows = [(f.building, f.kind, f.reason, explain(f.reason), f.value, f.address) for f in done.faults]
    if file.suffix.lower() == ".json":
        said = {
            "territory": done.territory,
            "ruleset": done.ruleset,
            "by_class": done.by_kind,
            "breaks": [dict(zip(columns, row, strict=True)) for row in rows],
        }
        write_whole(file, (json.dumps(said, ensure_ascii=False, indent=1) + "\n").encode())
        return
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([unformulated(v) for v in row] for row in rows)
    write_whole(file, out.getvalue().encode("utf-8-sig"))


def _centre(territory: Territory, rule: Rule) -> tuple[float, float] | None:
    """The ruleset's centre in the territory's CRS."""
    if rule.centre is None:
        return None
    datum, lon, lat = rule.centre
    at = datums.to_wgs84(np.array([lon]), np.array([lat]), datums.parse(datum))
    x, y = datums.project(*at, territory.crs)
    return float(x[0]), float(y[0])


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


def _write(connection: Connection, made: Proposal, rng: Lots, on: date) -> int:
    """Write what is new: buildings first, then doors and what hangs below them. Returns how many rows."""
    territory, layers, before, found = made.territory, made.layers, made.before, made.found
    roads = store.save_thoroughfares(connection, territory, found.thoroughfares, on)
    have = {
        int(b): int(i)
        for b, i, level in zip(before.building_id, before.id, before.level, strict=True)
        if level in ("premise", "building")
    }
    gone = np.isin(layers.building_id, store.merged(connection, territory))
    bare = np.array([int(b) not in have for b in layers.building_id], dtype=bool) & (found.text != "") & ~gone
    rows = np.flatnonzero(bare)
    above = building_rows(layers, found, roads, rows)
    above.code.extend(_draw(connection, len(rows), rng))
    ids = store.save(connection, territory, above, on)
    have |= {int(b): int(i) for b, i in zip(layers.building_id[rows], ids, strict=True)}
    doors = new_doors(layers, before, found)
    doors = doors[~gone[found.doors.building[doors]]]
    more = door_rows(layers, found, roads, doors, have)
    more.code.extend(_draw(connection, len(doors), rng))
    store.save(connection, territory, more, on)
    return len(rows) + len(doors) + _write_homes(connection, made, have, rng, on)


def _draw(connection: Connection, count: int, rng: Lots) -> list[str]:
    """New codes that no territory has."""
    drawn = codes.new_codes(count, rng)
    while clash := store.taken(connection, drawn):
        kept = [c for c in drawn if c not in clash]
        drawn = kept + codes.new_codes(len(clash), rng, set(drawn) | clash)
    return drawn


def _write_homes(connection: Connection, made: Proposal, have: dict[int, int], rng: Lots, on: date) -> int:
    """Units, then rooms, below the addresses of buildings; those there already are left alone."""
    territory, layers, before, found = made.territory, made.layers, made.before, made.found
    b = layers.buildings
    below = homes(found.text, b.units, b.floors, b.dwellings, found.style, made.rule.patterns)
    place = places(b.geometry, b.units, below, made.rule.patterns)
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
        new = home_rows(layers, found, below.building[rows], level, np.array(parent, dtype=np.int64))
        new.unit[:], new.floor[:], new.room[:] = below.unit[rows], below.floor[rows], below.room[rows]
        new.text[:], new.point[:] = below.text[rows], place[rows]
        new.code.extend(_draw(connection, len(rows), rng))
        ids = store.save(connection, territory, new, on)
        parents |= {keys[k][:2]: int(i) for k, i in zip(rows, ids, strict=True)} if level == "unit" else {}
        written += len(rows)
    return written


def _summary(made: Proposal, fresh: int, total: dict[str, int]) -> Assigned:
    layers, found = made.layers, made.found
    source = layers.buildings.source_id
    faults = tuple(
        Fault(str(source[b.item]), b.kind, b.reason, b.value, str(found.text[b.item]))
        for b in found.breaks
        if b.reason not in NO_MESS
    )
    return Assigned(
        territory=made.territory.name,
        thoroughfares=len(found.thoroughfares),
        buildings=len(layers.buildings),
        outbuildings=int((found.text == "").sum()),
        kept=int((found.kept & (layers.buildings.housenumber != "")).sum()),
        issued=fresh,
        total=total,
        unsure=int((~found.sure & (found.thoroughfare >= 0)).sum()),
        faults=faults,
        ruleset=made.rule.name,
        unverified=not made.rule.verified,
    )
