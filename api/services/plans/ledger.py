"""The ledger of grids 网格台账: one row a grid, from a plan file or from what is published on a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
from sqlalchemy import Engine

from api.messages import text
from api.services.wording import BOUNDS_COLUMNS, bounds_sentence
from data.ledger_files import Sheet, write_workbook
from data.outputs import require_writable
from data.plan_files import Frame, PlanFile, read_plan
from data.postgres.imported import territories
from data.postgres.plans import grids, ledgers, publications, read_published
from data.postgres.plans.grids import IssuedCode
from data.postgres.plans.ledgers import Duty
from data.postgres.unit_of_work import UnitOfWork
from gis.districting.holdings import Holding, holdings
from gis.errors import NotFoundError

#: Columns of the ledger and their widths in characters; headings are ``ledger.<column>`` of the catalogues.
COLUMNS: Final[dict[str, float]] = {
    "code": 19, "name": 16, "kind": 7, "community": 14, "households": 7, "counted": 7, "buildings": 7, "hectares": 8,
    "bounds": 38, "holdings": 32, "streets": 30, "people": 22, "valid_from": 11, "note": 14,
}  # fmt: skip
#: Columns of the third sheet, of what is published: every code ever issued and the days it was in force.
CODE_COLUMNS: Final[dict[str, float]] = {
    "code": 24,
    "kind": 8,
    "issued_for": 12,
    "valid_from": 12,
    "valid_to": 12,
    "state": 9,
}
#: Columns of the second sheet: every street section on a border and who answers for it.
DUTY_COLUMNS: Final[dict[str, float]] = {"code": 19, "name": 16, "street": 24, "class": 14, "metres_column": 9}


@dataclass(frozen=True)
class Entry:
    """One grid of a ledger; ``bounds`` in the language of the ledger, ``people`` as printed."""

    code: str
    name: str
    kind: str
    community: str
    households: int
    counted: int
    buildings: int
    area: float  # square metres
    bounds: str
    held: tuple[Holding, ...]
    duties: tuple[Duty, ...]
    people: tuple[str, ...] = ()
    valid_from: date | None = None
    note: str = ""


@dataclass(frozen=True)
class Ledger:
    """A ledger: what it is of, from which day (None: a plan file), and its grids by code."""

    title: str
    day: date | None
    entries: tuple[Entry, ...]
    codes: tuple[IssuedCode, ...] = ()  # of what is published


def of_plan_file(path: Path, language: str = "zh-CN") -> Ledger:
    """The ledger of a plan file; raises :class:`InputError` where it is none."""
    plan = read_plan(path)
    table = plan.layers["grids"]
    held = _held(plan)
    duties = _duties(plan)
    column = next((c for c, known in BOUNDS_COLUMNS.items() if known == language), "bounds")
    bounds = table[column] if column in table else [""] * len(table)
    area = table.geometry.area.to_numpy()
    if table.crs is None or not table.crs.is_projected:  # a re-projected copy: its degrees are no metres
        area = np.full(len(table), np.nan)
    communities = table.get("community_name", table["community"])
    entries = [
        Entry(
            str(row.code), str(row.name_), str(row.kind), str(community), int(row.households), int(row.counted),
            int(row.buildings), float(size), str(said or ""), tuple(held.get(str(row.code), ())),
            tuple(duties.get(str(row.code), ())), note=str(getattr(row, "note", "") or ""),
        )
        for row, community, size, said in zip(
            table.rename(columns={"name": "name_"}).itertuples(), communities, area, bounds, strict=True
        )
    ]  # fmt: skip
    return Ledger(path.stem, None, tuple(sorted(entries, key=lambda e: e.code)))


def _held(plan: PlanFile) -> dict[str, list[Holding]]:
    b = plan.layers["buildings"]
    blank = [""] * len(b)
    return holdings(
        [str(g) for g in b["grid"]],
        [_said(c) for c in b.get("compound", blank)],
        [_said(n) for n in b.get("name", blank)],
    )


def _duties(plan: PlanFile) -> dict[str, list[Duty]]:
    table: Frame = plan.layers.get("responsibilities")
    found: dict[str, list[Duty]] = defaultdict(list)
    if table is not None:
        for grid, street, kind, metres in zip(
            table["grid"], table["street"], table["class"], table["metres"], strict=True
        ):
            found[str(grid)].append(Duty(_said(street), _said(kind), float(metres)))
    return {g: sorted(rows, key=lambda d: -d.metres) for g, rows in found.items()}


def _said(value: object) -> str:
    return value if isinstance(value, str) else ""


def of_published(engine: Engine, name: str, *, as_of: date | None = None, language: str = "zh-CN") -> Ledger:
    """The ledger of what is in force in a territory on a day (None: today), with the people of that day."""
    with UnitOfWork(engine, read_only=True) as work:
        c = work.connection
        territory = territories.get(c, name)
        day = as_of or publications.today(territory)
        publication = publications.active(c, territory.id, day)
        if publication is None:
            raise NotFoundError("ledger.nothing_published", territory=name, day=day)
        rows = ledgers.grid_rows(c, publication.id)
        people = read_published.people(c, day, grids=[r["grid_id"] for r in rows])
        duties = ledgers.duties(c, publication.id)
        held = holdings(*(list(column) for column in zip(*ledgers.buildings(c, publication.id), strict=True)))
        issued = tuple(grids.register(c, territory.id))
    first = {code.code: code.valid_from for code in issued}
    entries = [
        Entry(
            code=r["code"], name=r["name"], kind=r["kind"], community=r["community"], households=r["households"],
            counted=r["counted"], buildings=r["buildings"], area=float(r["area"]),
            bounds=bounds_sentence(r["bounds"], language), held=tuple(held.get(r["grid_id"], ())),
            duties=tuple(duties.get(r["grid_id"], ())),
            people=tuple(" ".join(filter(None, (p.post, p.name, p.phone))) for p in people.get(r["grid_id"], [])),
            valid_from=first.get(r["code"]), note=r["note"],
        )
        for r in rows
    ]  # fmt: skip
    return Ledger(territory.title or territory.name, day, tuple(entries), issued)


def write(ledger: Ledger, path: Path, language: str = "zh-CN") -> int:
    """Write a ledger as XLSX, whole or not at all; the number of grids."""
    require_writable(path)

    def t(code: str, **values: object) -> str:
        return text(code, language, **values)

    title = t("ledger.title", name=ledger.title, day=ledger.day or "")
    sheets = [
        Sheet(
            t("ledger.sheet"),
            [t(f"ledger.{c}") for c in COLUMNS],
            list(COLUMNS.values()),
            [_row(e, language) for e in ledger.entries],
        ),
        Sheet(
            t("ledger.duty_sheet"),
            [t(f"ledger.{c}") for c in DUTY_COLUMNS],
            list(DUTY_COLUMNS.values()),
            [
                (e.code, e.name, d.street or t("bounds.street_unnamed"), d.street_class, round(d.metres, 1))
                for e in ledger.entries
                for d in e.duties
            ],
        ),
    ]
    if ledger.codes:
        headings = [t(f"ledger.{c}") for c in CODE_COLUMNS]
        rows = [_code_row(c, ledger.day, language) for c in ledger.codes]
        sheets.append(Sheet(t("ledger.code_sheet"), headings, list(CODE_COLUMNS.values()), rows))
    write_workbook(path, sheets, header=title.strip(), page=t("ledger.page"))
    return len(ledger.entries)


def _row(e: Entry, language: str) -> Sequence[str | int | float | None]:
    return (
        e.code,
        e.name,
        text(f"ledger.kind_{e.kind}", language),
        e.community,
        e.households,
        e.counted,
        e.buildings,
        round(e.area / 10_000, 2) if np.isfinite(e.area) else None,
        e.bounds,
        said_holdings(e.held, language),
        _streets(e.duties, language),
        "\n".join(e.people),
        "" if e.valid_from is None else e.valid_from.isoformat(),
        text(f"exception_{e.note}", language) if e.note else "",
    )


def _code_row(c: IssuedCode, day: date | None, language: str) -> Sequence[str]:
    """A code of the register: in force on the day, yet to come, retired (never used again), or withdrawn."""
    state = "retired"
    if c.valid_from is None:
        state = "withdrawn"
    elif day is not None and c.valid_from > day:
        state = "coming"
    elif c.valid_to is None or (day is not None and day < c.valid_to):
        state = "in_force"
    days = ("" if d is None else d.isoformat() for d in (c.issued_for, c.valid_from, c.valid_to))
    kind = text("ledger.kind_dedicated" if c.dedicated else "ledger.kind_residential", language)
    return (c.code, kind, *days, text(f"ledger.{state}", language))


def said_holdings(held: Sequence[Holding], language: str) -> str:
    """Compounds and ranges of building numbers: 和顺二期64-85栋."""

    def t(code: str, **values: object) -> str:
        return text(code, language, **values)

    parts: list[str] = []
    for h in held:
        if h.whole:
            parts.append(t("ledger.whole", compound=h.compound))
            continue
        for low, high in h.ranges:
            word = "ledger.one" if low == high else "ledger.range"
            parts.append(t(word, compound=h.compound, first=low, last=high))
        parts += [t("ledger.one", compound=h.compound, first=letter) for letter in h.letters]
        if h.others:
            parts.append(t("ledger.others" if h.compound else "ledger.loose", compound=h.compound, count=h.others))
    return t("ledger.join").join(parts)


def _streets(duties: Sequence[Duty], language: str) -> str:
    metres: dict[str, float] = defaultdict(float)
    for d in duties:
        metres[d.street or text("bounds.street_unnamed", language)] += d.metres
    longest = sorted(metres.items(), key=lambda m: (-m[1], m[0]))
    said = [text("ledger.metres", language, street=s, metres=f"{m:,.0f}") for s, m in longest]
    return text("ledger.join", language).join(said)


def with_title(ledger: Ledger, title: str | None) -> Ledger:
    """The same ledger under another title."""
    return ledger if not title else replace(ledger, title=title)
