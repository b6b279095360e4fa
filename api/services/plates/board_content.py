"""What a notice board or a contact card says, made from the records of a day, in one language."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import shapely
from sqlalchemy import Connection

from api.messages import text
from api.services.wording import bounds_sentence
from data.postgres.imported.territories import Territory
from data.postgres.plans import ledgers
from data.postgres.plates import boards as records
from data.postgres.plates.boards import Duty, Grid, Premise, Shapes
from data.postgres.plates.plates import Key
from gis.addressing import codes
from gis.addressing.boards.model import Card, Contact, Notice, RangeMap, Street
from gis.addressing.boards.notice import MOST_PEOPLE
from gis.addressing.boards.range_map import window_of
from gis.addressing.ranges import Door, Range, ranges

HOTLINE: Final = "12345"
#: Drawn width of streets in metres by class; all others are narrow.
_WIDTHS: Final = {"motorway": 16, "trunk": 16, "primary": 14, "secondary": 12, "tertiary": 10, "residential": 7}
_NARROW: Final = 4.0
#: Footways and the like only make a small map dark.
_LEFT_OUT: Final = frozenset(
    {"footway", "path", "steps", "corridor", "cycleway", "track", "proposed", "construction"}
)
#: With more grids than these a card names their number, not each.
_FEW_GRIDS: Final = 3
_MOST_STREETS: Final = 6
#: Shorter parts of streets, in metres, come of lines that touch: nobody would look for them.
_SHORTEST: Final = 10.0
#: Two streets of one name are told apart by this and their number, which nobody sees.
_MARK: Final = "\0"

Said = dict[str, Any]


@dataclass(frozen=True)
class Content:
    """The records of one territory on one day, in one language."""

    territory: Territory
    day: date
    language: str
    host: str
    grids: dict[str, Grid]
    premises: dict[int, Premise]  # one a building
    of_grid: dict[str, list[Duty]]
    of_building: dict[int, list[Duty]]
    duties: tuple[Duty, ...]
    ranges: dict[str, str]
    streets: dict[str, str]
    fictitious: bool = False

    def word(self, code: str, **values: object) -> str:
        """A message of the catalogue in this content's language."""
        return text(f"boards.{code}", self.language, **values)


def gather(
    connection: Connection, territory: Territory, publication: int, day: date, host: str, language: str
) -> Content:
    """Read everything that boards and cards of a territory say on a day."""
    held = records.premises(connection, territory, publication, day)
    staff = records.duties(connection, territory, day)
    of_grid: dict[str, list[Duty]] = defaultdict(list)
    of_building: dict[int, list[Duty]] = defaultdict(list)
    for duty in staff:
        for grid in duty.grids:
            of_grid[grid].append(duty)
        for building in duty.buildings:
            of_building[building].append(duty)
    one: dict[int, Premise] = {}
    for premise in sorted(held, key=lambda p: not p.compound):  # people say the compound's branch
        one.setdefault(premise.building, premise)
    metres = ledgers.duties(connection, publication)
    return Content(
        territory, day, language, host,
        {g.grid_id: g for g in records.grids(connection, publication)},
        {p.building: one[p.building] for p in held},
        of_grid, of_building, tuple(staff),
        {grid: _ranges(found, language) for grid, found in ranges(list(_doors(held))).items()},
        {grid: _streets(found, language) for grid, found in metres.items()},
        records.fictitious(connection, territory),
    )  # fmt: skip


def notice(content: Content, premise: Premise, key: Key, shapes: Shapes | None, here: Any) -> tuple[Notice, Said]:
    """The board of a building, and what it says as plain values. ``here`` is the building's outline."""
    grid, word = content.grids[premise.grid_id], content.word
    staff = [*content.of_grid.get(grid.grid_id, []), *content.of_building.get(premise.building, [])]
    people = _contacts(content, staff)
    facts = [
        (word("bounds"), bounds_sentence(grid.bounds, content.language)),
        (word("range"), content.ranges.get(grid.grid_id, "")),
        (word("streets"), content.streets.get(grid.grid_id, "")),
    ]
    made_up = content.fictitious or any(d.fictitious for d in staff)
    about = [content.territory.attribution, word("fictitious") if made_up else ""]
    made = Notice(
        key=codes.printed(premise.code),
        title=word("title"),
        place=_place(content, grid),
        address=premise.text,
        grid=_named(grid),
        facts=tuple((label, value) for label, value in facts if value),
        people=tuple(people),
        link=codes.plate_url(key.host, premise.code, key.key_id, key.secret),
        code=codes.printed(premise.code),
        host=key.host,
        scan=word("scan"),
        hotline=(HOTLINE, word("hotline")),
        heads=(word("head_post"), word("head_name"), word("head_phone"), word("head_duties")),
        here=word("here"),
        foot=(word("as_of", day=content.day), "    ".join(a for a in about if a)),
        more_people=word("more", count=len(people) - MOST_PEOPLE) if len(people) > MOST_PEOPLE else "",
        range_map=None if shapes is None or here is None else _map(grid, shapes, here),
    )
    return made, {**said_of_board(content, premise), "key": key.key_id}


def said_of_board(content: Content, premise: Premise) -> Said:
    """What a building's board says that may change, as plain values."""
    grid = content.grids[premise.grid_id]
    staff = [*content.of_grid.get(grid.grid_id, []), *content.of_building.get(premise.building, [])]
    return {
        "language": content.language,
        "address": premise.text,
        "code": premise.code,
        "place": _place(content, grid),
        "grid": _named(grid),
        "range": content.ranges.get(grid.grid_id, ""),
        "outline": _outline(grid.shape),
        "host": content.host,
        "people": [[p.name, p.post, p.phone, p.duties] for p in _contacts(content, staff)],
    }


def card(content: Content, duty: Duty) -> tuple[Card, Said]:
    """The card of a person on a post, and what it says as plain values."""
    word, (contact,) = content.word, _contacts(content, [duty])
    grids = sorted((content.grids[g] for g in duty.grids if g in content.grids), key=lambda g: g.code)
    few = len(grids) <= _FEW_GRIDS
    join = word("join")
    named = join.join(_named(g) if len(grids) == 1 else g.name or g.code for g in grids) if few else ""
    named = named or (word("grids", count=len(grids)) if grids else "")
    held = [content.ranges.get(g.grid_id, "") for g in grids] if few else []
    held += [content.premises[b].text for b in duty.buildings if b in content.premises]
    communities = list(dict.fromkeys(g.community for g in grids if g.community))
    place = communities[0] if len(communities) == 1 else content.territory.title or content.territory.name
    area = join.join(h for h in held if h) or join.join(communities)
    facts = [(word("card_grid"), named), (word("card_range"), area), (word("card_duties"), contact.duties)]
    made = Card(
        key=f"{duty.name} {duty.title}",
        title=word("card_title"),
        name=contact.name,
        post=contact.post,
        place=place,
        phone=contact.phone or word("no_phone"),
        phone_label=word("head_phone"),
        facts=tuple((label, value) for label, value in facts if value),
        link=_dialled(contact.phone),
        scan=word("scan_card"),
        hotline=(HOTLINE, word("hotline_short")),
        foot=word("card_foot", day=content.day)
        + (f" {word('fictitious_short')}" if content.fictitious or duty.fictitious else ""),
    )
    said = {
        "language": content.language, "name": duty.name, "post": duty.title, "phone": duty.phone,
        "duties": contact.duties, "grid": named, "range": area, "place": place,
    }  # fmt: skip
    return made, said


def shapes_of(connection: Connection, territory: Territory, grid: Grid) -> Shapes:
    """What the map of a grid's boards shows."""
    return records.shapes(connection, territory, window_of(grid.shape))


def _place(content: Content, grid: Grid) -> str:
    title = content.territory.title or content.territory.name
    return " · ".join(dict.fromkeys(v for v in (title, grid.community) if v))


def _named(grid: Grid) -> str:
    return " ".join(dict.fromkeys(v for v in (grid.name, grid.code) if v))


def _contacts(content: Content, staff: Iterable[Duty]) -> list[Contact]:
    """Each person once a post; duties of the post, else what its role does everywhere."""
    found = {
        (d.person, d.post): Contact(d.name, d.title, d.phone, d.duties or content.word(f"duty_{d.role}"))
        for d in staff
    }
    return list(found.values())


def _outline(shape: Any) -> str:
    """A digest of a grid's outline, to the metre: a map drawn of another one is out of date."""
    rounded = shapely.normalize(shapely.set_precision(shape, 1.0))
    return hashlib.sha256(shapely.to_wkb(rounded)).hexdigest()[:16]


def _map(grid: Grid, shapes: Shapes, here: Any) -> RangeMap:
    streets = tuple(
        Street(name, shape, _WIDTHS.get(highway.removesuffix("_link"), _NARROW))
        for name, highway, shape in shapes.streets
        if highway not in _LEFT_OUT
    )
    return RangeMap(grid.shape, here, tuple(shapes.buildings.values()), streets, grid.grid_id)


def _doors(premises: Sequence[Premise]) -> Iterable[Door]:
    """Doors that have a number to order them by: buildings of compounds by theirs, all others by their street's."""
    for p in premises:
        if p.compound:
            digits = "".join(c for c in p.building_no if c.isdigit())
            yield Door("compound", p.compound, int(digits[:9] or 0), p.building_no, p.grid_id)
        elif p.road and p.number is not None:
            yield Door("road", f"{p.road}{_MARK}{p.road_place}", p.number, p.number_text, p.grid_id)


def _ranges(found: Sequence[Range], language: str) -> str:
    return text("boards.join", language).join(_range(r, language) for r in found)


def _range(r: Range, language: str) -> str:
    """人民路2-48号(双号), 和顺二期64-85栋, 和顺二期(全部)."""
    place = r.place.partition(_MARK)[0]
    first, last = (label.removesuffix("号") for label in (r.first, r.last))
    kind = "one" if first == last else "whole" if r.whole else r.side or "many"
    return text(f"boards.{r.kind}_{kind}", language, place=place, first=first, last=last)


def _streets(found: Sequence[ledgers.Duty], language: str) -> str:
    metres: dict[str, float] = defaultdict(float)
    for duty in found:
        if duty.street:
            metres[duty.street] += duty.metres
    known = ((street, length) for street, length in metres.items() if length >= _SHORTEST)
    longest = sorted(known, key=lambda item: (-item[1], item[0]))[:_MOST_STREETS]
    return text("boards.join", language).join(
        text("boards.street", language, street=street, metres=round(length)) for street, length in longest
    )


def _dialled(phone: str) -> str:
    """What a phone dials when the card is scanned; "" where there is no number."""
    digits = "".join(c for c in phone if c.isdigit())
    return f"tel:{'+' if phone.strip().startswith('+') else ''}{digits}" if 3 <= len(digits) <= 20 else ""
