"""Staff, their posts, and who is responsible for which grid on which days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import shapely
from geoalchemy2.shape import from_shape
from sqlalchemy import Connection, insert, text
from sqlalchemy.dialects.postgresql import insert as upsert

from data.postgres import schema
from data.postgres.imported.territories import Territory
from data.postgres.plans.publications import Publication

#: Roles that answer for every grid of their community; workers answer for the grids they are given.
WHOLE_COMMUNITY: Final = ("leader", "cadre", "supervisor")
#: Duty phone of made-up people: an area code that no place has.
NO_PHONE: Final = "000-0000-{number:04d}"


@dataclass(frozen=True)
class Member:
    """One member of staff on one post. ``community`` is a community's code, ``place`` a point in the metre CRS."""

    staff_id: str
    name: str
    organisation: str
    phone: str
    post: str  # the post's own id
    title: str
    role: str
    community: str
    since: date
    place: Any = None
    fictitious: bool = False


def save_staff(connection: Connection, territory: Territory, staff: Iterable[Member]) -> int:
    """Write people and posts, and assign everyone to their community; how many were written.

    People and posts known by their id are overwritten; assignments they have are kept.
    """
    rows = connection.execute(
        text("SELECT code, id FROM community WHERE territory_id = :t AND code <> ''"), {"t": territory.id}
    )
    community: dict[str, int] = dict(rows.all())
    written = 0
    for member in staff:
        home = community.get(member.community)
        person, post = _save_person(connection, territory, member), _save_post(connection, territory, member, home)
        if home is not None:
            _assign(connection, person, post, member.since, community_id=home)
        written += 1
    return written


def _save_person(connection: Connection, territory: Territory, member: Member) -> int:
    values = {
        "name": member.name,
        "organisation": member.organisation,
        "public_phone": member.phone,
        "fictitious": member.fictitious,
        "geom": None if member.place is None else from_shape(member.place, srid=territory.srid, extended=True),
    }
    table = schema.person
    add = upsert(table).values(territory_id=territory.id, staff_id=member.staff_id, **values)
    again = add.on_conflict_do_update(index_elements=["territory_id", "staff_id"], set_=values)
    number: int = connection.execute(again.returning(table.c.id)).scalar_one()
    return number


def _save_post(connection: Connection, territory: Territory, member: Member, community: int | None) -> int:
    values = {
        "title": member.title,
        "role": member.role,
        "public_phone": member.phone,
        "community_id": community,
    }
    table = schema.post
    add = upsert(table).values(territory_id=territory.id, code=member.post, **values)
    again = add.on_conflict_do_update(index_elements=["territory_id", "code"], set_=values)
    number: int = connection.execute(again.returning(table.c.id)).scalar_one()
    return number


def _assign(connection: Connection, person: int, post: int, since: date, **target: Any) -> None:
    """Assign unless the person already has this target on or after that day."""
    ((column, value),) = target.items()
    known = connection.execute(
        text(
            f"SELECT 1 FROM assignment WHERE person_id = :person AND post_id = :post AND {column} = :value"  # noqa: S608
            " AND (valid_to IS NULL OR valid_to > :since)"
        ),
        {"person": person, "post": post, "value": value, "since": since},
    ).first()
    if known is None:
        connection.execute(
            insert(schema.assignment).values(person_id=person, post_id=post, valid_from=since, **target)
        )


def vacant(connection: Connection, publication: Publication, on: date | None = None) -> list[str]:
    """Codes of grids nobody is responsible for on a day (the publication's first, where it is None)."""
    rows = connection.execute(
        text(
            "SELECT g.code FROM grid_version g WHERE g.publication_id = :publication AND NOT EXISTS"
            " (SELECT 1 FROM assignment a WHERE a.grid_id = g.grid_id AND a.valid_from <= :day"
            "  AND (a.valid_to IS NULL OR a.valid_to > :day)) ORDER BY g.code"
        ),
        {"publication": publication.id, "day": on or publication.valid_from},
    )
    return list(rows.scalars())


def close_vanished(connection: Connection, territory_id: int, publication: Publication) -> int:
    """End, on the publication's first day, what people were assigned to in grids that go out of force that day."""
    values = {"publication": publication.id, "territory": territory_id, "day": publication.valid_from}
    gone = (
        "a.grid_id IN (SELECT grid_id FROM grid WHERE territory_id = :territory) AND a.grid_id NOT IN"
        " (SELECT grid_id FROM grid_version WHERE publication_id = :publication)"
    )
    # what would have begun later never begins
    connection.execute(text(f"DELETE FROM assignment a WHERE a.valid_from >= :day AND {gone}"), values)  # noqa: S608
    ended = connection.execute(
        text(
            f"UPDATE assignment a SET valid_to = :day WHERE a.valid_from < :day AND {gone}"  # noqa: S608
            " AND (a.valid_to IS NULL OR a.valid_to > :day)"
        ),
        values,
    )
    return ended.rowcount


@dataclass(frozen=True)
class _Worker:
    person: int
    post: int
    place: Any


def staff_vacant(connection: Connection, territory_id: int, publication: Publication) -> int:
    """Give the staff of each community its grids; the number of assignments made.

    Leaders and cadres answer for every grid of their community. Workers without a grid take the vacant grid
    nearest to their place of work, then every grid still vacant goes to the nearest worker of its community.
    """
    grids = connection.execute(
        text(
            "SELECT grid_id, community_id, ST_AsBinary(geom) AS shape FROM grid_version"
            " WHERE publication_id = :p AND community_id IS NOT NULL ORDER BY code"
        ),
        {"p": publication.id},
    ).all()
    shapes: dict[int, dict[UUID, Any]] = defaultdict(dict)
    for grid, community, shape in grids:
        shapes[community][grid] = shapely.from_wkb(bytes(shape))
    workers, whole = _staff(connection, territory_id, publication.valid_from)
    made = 0
    for community, own in shapes.items():
        for member in whole[community]:
            for grid in own:
                _assign(connection, member.person, member.post, publication.valid_from, grid_id=grid)
                made += 1
        for grid, member in _share(connection, own, workers[community], publication.valid_from):
            _assign(connection, member.person, member.post, publication.valid_from, grid_id=grid)
            made += 1
    return made


def _staff(
    connection: Connection, territory_id: int, day: date
) -> tuple[dict[int, list[_Worker]], dict[int, list[_Worker]]]:
    """Workers, and those who answer for whole communities, by community."""
    rows = connection.execute(
        text(
            "SELECT a.community_id, a.person_id, a.post_id, o.role, ST_AsBinary(p.geom) FROM assignment a"
            " JOIN person p ON p.id = a.person_id JOIN post o ON o.id = a.post_id"
            " WHERE p.territory_id = :t AND a.community_id IS NOT NULL AND a.valid_from <= :day"
            " AND (a.valid_to IS NULL OR a.valid_to > :day) ORDER BY p.staff_id"
        ),
        {"t": territory_id, "day": day},
    )
    workers: dict[int, list[_Worker]] = defaultdict(list)
    whole: dict[int, list[_Worker]] = defaultdict(list)
    for community, person, post, role, place in rows:
        member = _Worker(person, post, None if place is None else shapely.from_wkb(bytes(place)))
        (whole if role in WHOLE_COMMUNITY else workers)[community].append(member)
    return workers, whole


def _share(
    connection: Connection, shapes: dict[UUID, Any], workers: list[_Worker], day: date
) -> list[tuple[UUID, _Worker]]:
    """New pairs of grid and worker inside one community, nearest first, until neither is left without."""
    if not workers:
        return []
    rows = connection.execute(
        text(
            "SELECT grid_id, person_id FROM assignment a JOIN post o ON o.id = a.post_id"
            " WHERE grid_id = ANY(:grids) AND o.role IN ('worker','steward') AND a.valid_from <= :day"
            " AND (a.valid_to IS NULL OR a.valid_to > :day)"
        ),
        {"grids": list(shapes), "day": day},
    ).all()
    served, busy = {g for g, _ in rows}, {p for _, p in rows}
    near = sorted(
        (shapes[grid].distance(w.place) if w.place is not None else 0.0, k, str(grid), grid, w)
        for grid in shapes
        for k, w in enumerate(workers)
        if shapes[grid] is not None
    )
    pairs: list[tuple[UUID, _Worker]] = []
    for both_free in (True, False):
        for _, _, _, grid, worker in near:
            free = (grid not in served, worker.person not in busy)
            if all(free) if both_free else any(free):
                pairs.append((grid, worker))
                served.add(grid)
                busy.add(worker.person)
    return pairs


def make_up_for_vacant(connection: Connection, territory: Territory, publication: Publication) -> int:
    """For demonstrations: one made-up person, marked as fictitious, for every grid that has nobody."""
    rows = connection.execute(
        text(
            "SELECT g.grid_id, coalesce(c.code, '') FROM grid_version g"
            " LEFT JOIN community c ON c.id = g.community_id"
            " WHERE g.publication_id = :p AND g.code = ANY(:codes) ORDER BY g.code"
        ),
        {"p": publication.id, "codes": vacant(connection, publication)},
    ).all()
    first = (
        1
        + connection.execute(
            text("SELECT count(*) FROM person WHERE territory_id = :t AND fictitious"), {"t": territory.id}
        ).scalar_one()
    )
    for number, (grid, community) in enumerate(rows, start=first):
        member = Member(
            staff_id=f"demo-{number}", name=f"示例 Demo {number}", organisation="",
            phone=NO_PHONE.format(number=number),
            post=f"demo-{number}", title="网格员 grid worker", role="worker", community=community,
            since=publication.valid_from, fictitious=True,
        )  # fmt: skip
        person, post = _save_person(connection, territory, member), _save_post(connection, territory, member, None)
        _assign(connection, person, post, publication.valid_from, grid_id=grid)
    return len(rows)
