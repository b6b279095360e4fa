"""Notice boards 公示牌 and contact cards 联系卡: printed from the records, proven, and listed when out of date."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine

from api.messages import LANGUAGES, text
from api.services.plates import board_content
from api.services.plates.board_content import Content
from api.services.plates.plate_keys import barred, keys_for
from data.fonts import plate_font
from data.outputs import require_writable, unformulated, write_whole
from data.postgres import events
from data.postgres.imported import territories
from data.postgres.imported.territories import Territory
from data.postgres.plans import publications
from data.postgres.plates import boards as records
from data.postgres.plates import plates as plate_store
from data.postgres.plates.boards import Duty, Premise, Printed
from data.postgres.unit_of_work import UnitOfWork
from gis.addressing import codes
from gis.addressing.boards import document
from gis.addressing.boards.changes import Change, changes
from gis.addressing.boards.model import Card
from gis.addressing.plates.proof import Proof
from gis.errors import ConflictError, InputError, NotFoundError
from gis.progress import Progress, silent

#: Boards and cards printed at once: more are several files (by community).
MOST: Final = 20_000


@dataclass(frozen=True)
class Scope:
    """Which boards or cards: of a community (code or name), of a grid (its code), or of one address code.

    ``outdated``: only those printed before that say something else by now. ``as_of``: a day other than today.
    """

    community: str | None = None
    grid: str | None = None
    code: str | None = None
    outdated: bool = False
    as_of: date | None = None


@dataclass(frozen=True)
class Made:
    """A printed file: how many boards or cards it has, how many QR were read back (all, or it is refused)."""

    territory: str
    count: int
    verified: int
    day: date
    pdf: bytes


@dataclass(frozen=True)
class Outdated:
    """A board or card that says something else by now: where or whose it is, and every reason."""

    kind: str
    what: str
    printed_for: date
    changes: tuple[Change, ...]
    building: int | None = None
    person: int | None = None
    post: int | None = None


def print_boards(
    engine: Engine,
    name: str,
    file: Path,
    scope: Scope | None = None,
    *,
    paper: str = "A4",
    language: str = "zh-CN",
    actor: str = "",
    progress: Progress = silent,
) -> Made:
    """Write a PDF with a board for every building in scope; every QR is read back before the file is written.

    Raises InputError for an unknown paper or a character the font lacks, NotFoundError where there is nothing to
    print, ConflictError ``boards.unread`` when a QR does not read back; nothing is written or kept then.
    """
    scope = scope or Scope()
    if paper not in document.PAPERS:
        raise InputError("boards.paper", paper=paper, known=", ".join(document.PAPERS))
    require_writable(file)
    with UnitOfWork(engine) as work:
        connection = work.connection
        territory, content = _open(connection, name, scope, language)
        chosen = _premises(connection, content, scope)
        keys = keys_for(connection, content.host, [p.address for p in chosen], purpose="quote", actor=actor)
        outlines = records.building_shapes(connection, [p.building for p in chosen])
        shapes = {
            g: board_content.shapes_of(connection, territory, content.grids[g])
            for g in dict.fromkeys(p.grid_id for p in chosen)
        }
        made = [
            board_content.notice(content, p, keys.of(p.address), shapes[p.grid_id], outlines.get(p.building))
            for p in chosen
        ]
        notices = [n for n, _ in made]
        fonts = document.fonts_of(plate_font(), notices)
        pdf = document.boards(notices, fonts, paper=paper, progress=progress)
        proof = document.prove_boards(pdf, notices, paper=paper, progress=progress)
        prints = [({"building_id": p.building}, said) for p, (_, said) in zip(chosen, made, strict=True)]
        _keep(connection, content, "board", prints, proof, paper=paper, copies=1, actor=actor)
        write_whole(file, pdf)
        work.commit()
    return Made(territory.name, len(notices), proof.verified, content.day, pdf)


def print_cards(
    engine: Engine,
    name: str,
    file: Path,
    scope: Scope | None = None,
    *,
    copies: int = 1,
    language: str = "zh-CN",
    actor: str = "",
    progress: Progress = silent,
) -> Made:
    """Write A4 sheets with the card of every person on a post in scope, each ``copies`` times. Raises as above."""
    scope = scope or Scope()
    require_writable(file)
    with UnitOfWork(engine) as work:
        connection = work.connection
        territory, content = _open(connection, name, scope, language)
        chosen = _duties(connection, content, scope)
        made = [board_content.card(content, d) for d in chosen]
        cards: list[Card] = [c for c, _ in made for _ in range(copies)]
        if len(cards) > MOST:
            raise InputError("boards.too_many", count=len(cards), most=MOST)
        fonts = document.fonts_of(plate_font(), cards)
        pdf = document.card_sheets(cards, fonts, progress=progress)
        proof = document.prove_cards(pdf, cards, progress=progress)
        prints = [
            ({"person_id": d.person, "post_id": d.post}, said) for d, (_, said) in zip(chosen, made, strict=True)
        ]
        _keep(connection, content, "card", prints, proof, paper="A4", copies=copies, actor=actor)
        write_whole(file, pdf)
        work.commit()
    return Made(territory.name, len(cards), proof.verified, content.day, pdf)


def outdated(engine: Engine, name: str, *, as_of: date | None = None) -> tuple[Outdated, ...]:
    """Every printed board and card that would say something else on a day (None: today), with its reasons."""
    with UnitOfWork(engine, read_only=True) as work:
        territory = territories.get(work.connection, name)
        contents = _Contents(work.connection, territory, as_of)
        return tuple(_outdated(work.connection, territory, "board", contents)) + tuple(
            _outdated(work.connection, territory, "card", contents)
        )


def table(found: Sequence[Outdated], language: str) -> bytes:
    """A reprint list as CSV: one row a reason."""
    out = io.StringIO()
    writer = csv.writer(out)
    columns = ("kind", "what", "printed_for", "reason", "before", "now")
    writer.writerow([text(f"boards.column_{c}", language) for c in columns])
    for item in found:
        for change in item.changes:
            kind, reason = (
                text(f"boards.kind_{item.kind}", language),
                text(f"boards.reason_{change.reason}", language),
            )
            row = (kind, item.what, str(item.printed_for), reason, change.before, change.now)
            writer.writerow([unformulated(v) for v in row])
    return out.getvalue().encode("utf-8-sig")


def write_table(file: Path, found: Sequence[Outdated], language: str) -> None:
    """Write a reprint list, whole or not at all."""
    write_whole(file, table(found, language))


def _open(connection: Connection, name: str, scope: Scope, language: str) -> tuple[Territory, Content]:
    if language not in LANGUAGES:
        raise InputError("boards.language", language=language, known=", ".join(LANGUAGES))
    territory = territories.get(connection, name)
    return territory, _Contents(connection, territory, scope.as_of)(language)


class _Contents:
    """What a territory's boards say on a day, read once a language."""

    def __init__(self, connection: Connection, territory: Territory, as_of: date | None) -> None:
        self._day = as_of or publications.today(territory)
        publication = publications.active(connection, territory.id, self._day)
        if publication is None:
            raise NotFoundError("boards.nothing_published", territory=territory.name, day=self._day)
        host = codes.normal_host(plate_store.host(connection))
        self._read: Callable[[str], Content] = lambda language: board_content.gather(
            connection, territory, publication.id, self._day, host, language
        )
        self._held: dict[str, Content] = {}

    def __call__(self, language: str) -> Content:
        if language not in self._held:
            self._held[language] = self._read(language)
        return self._held[language]


def _premises(connection: Connection, content: Content, scope: Scope) -> list[Premise]:
    """Buildings in scope, one premise each, in the order of streets and compounds."""
    wanted = _grids(content, scope)
    chosen = [p for p in content.premises.values() if p.grid_id in wanted]
    if scope.code is not None:
        link = codes.parse(scope.code)
        chosen = [p for p in chosen if link is not None and p.code == link.code]
        if not chosen:
            raise NotFoundError("boards.no_code", value=scope.code[:40])
    if scope.outdated:
        stale = {o.building for o in _stale(connection, content, "board", scope)}
        chosen = [p for p in chosen if p.building in stale]
    if not chosen:
        raise NotFoundError(
            "boards.up_to_date" if scope.outdated else "boards.none", territory=content.territory.name
        )
    if len(chosen) > MOST:
        raise InputError("boards.too_many", count=len(chosen), most=MOST)
    return chosen


def _duties(connection: Connection, content: Content, scope: Scope) -> list[Duty]:
    """People on posts in scope: those who answer for a grid of it, or for a building in one."""
    wanted = _grids(content, scope)
    chosen = [
        d
        for d in content.duties
        if wanted.intersection(d.grids)
        or any(b in content.premises and content.premises[b].grid_id in wanted for b in d.buildings)
    ]
    if scope.outdated:
        stale = {(o.person, o.post) for o in _stale(connection, content, "card", scope)}
        chosen = [d for d in chosen if (d.person, d.post) in stale]
    if not chosen:
        raise NotFoundError(
            "boards.up_to_date" if scope.outdated else "boards.nobody", territory=content.territory.name
        )
    return chosen


def _grids(content: Content, scope: Scope) -> set[str]:
    """Ids of the grids in scope."""
    found = list(content.grids.values())
    if scope.community is not None:
        found = [g for g in found if scope.community in (g.community, g.community_code)]
        if not found:
            known = sorted({f"{g.community_code} {g.community}".strip() for g in content.grids.values()})
            raise NotFoundError("plates.no_community", name=scope.community, known=", ".join(known[:30]) or "-")
    if scope.grid is not None:
        found = [g for g in found if scope.grid in (g.code, g.grid_id)]
        if not found:
            raise NotFoundError("boards.no_grid", grid=scope.grid)
    return {g.grid_id for g in found}


def _stale(connection: Connection, content: Content, kind: str, scope: Scope) -> list[Outdated]:
    contents = _Contents(connection, content.territory, scope.as_of)
    return _outdated(connection, content.territory, kind, contents)


def _outdated(connection: Connection, territory: Territory, kind: str, contents: _Contents) -> list[Outdated]:
    found = []
    newest = records.newest(connection, territory, kind)
    void = _void_links(connection, newest, contents)
    for printed in newest:
        content = contents(str(printed.content.get("language", LANGUAGES[0])))
        why = changes(printed.content, _now(content, printed, void))
        if why:
            what = " ".join(str(printed.content.get(k, "")) for k in ("address", "name", "post")).strip()
            found.append(
                Outdated(kind, what, printed.day, tuple(why), printed.building, printed.person, printed.post)
            )
    return found


def _void_links(connection: Connection, found: Sequence[Printed], contents: _Contents) -> dict[int, set[str]]:
    """By address, the keys whose link a scan finds to be that of a lost, replaced or revoked plate."""
    held = contents(LANGUAGES[0]).premises if found else {}
    addresses = [held[p.building].address for p in found if p.building in held]
    return barred(connection, addresses, "quote")


def _now(content: Content, printed: Printed, void: Mapping[int, set[str]]) -> dict[str, Any] | None:
    """What a print would say today; None where its building has no address or its person no post any more."""
    if printed.building is not None:
        premise = content.premises.get(printed.building)
        if premise is None:
            return None
        key = printed.content.get("key", "")
        gone = key in void.get(premise.address, ())
        return {**board_content.said_of_board(content, premise), "key": "" if gone else key}
    of = (printed.person, printed.post)
    duty = next((d for d in content.duties if (d.person, d.post) == of), None)
    return None if duty is None else board_content.card(content, duty)[1]


def _keep(
    connection: Connection,
    content: Content,
    kind: str,
    prints: Sequence[tuple[dict[str, int], dict[str, Any]]],
    proof: Proof,
    *,
    paper: str,
    copies: int,
    actor: str,
) -> None:
    """Refuse what does not read back; keep the rest as printed."""
    if proof.faults:
        named = ", ".join(f"{f.code or '-'} ({f.reason})" for f in proof.faults[:20])
        raise ConflictError("boards.unread", count=len(proof.faults), boards=named)
    records.save(
        connection, content.territory, kind, prints, day=content.day, paper=paper, copies=copies, printed_by=actor
    )
    events.record(
        connection, f"{kind}s_printed", f"territory:{content.territory.id}", actor=actor,
        territory_id=content.territory.id, body={"count": len(prints), "day": str(content.day), "copies": copies},
    )  # fmt: skip


__all__ = ["Made", "Outdated", "Scope", "outdated", "print_boards", "print_cards", "table", "write_table"]
