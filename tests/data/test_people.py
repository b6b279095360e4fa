"""Somebody answers for every grid; what people had in grids that end, ends with them."""

from datetime import date

import pytest
import shapely
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from api.services.plans import planning, publishing
from data.postgres.imported import people, territories
from data.postgres.imported.people import Member
from data.postgres.plans import publications

pytestmark = pytest.mark.database

RULES = planning.ruleset_of("default")
SINCE = date(2024, 1, 1)
FAR = date(2999, 1, 1)
OF_GRIDS = (
    "SELECT p.name, count(*) FROM assignment a JOIN person p ON p.id = a.person_id JOIN territory t"
    " ON t.id = p.territory_id WHERE t.name = :n AND a.grid_id IS NOT NULL GROUP BY p.name ORDER BY p.name"
)


def member(number, role, community, place=None):
    return Member(
        staff_id=f"w{number}", name=f"{role}{number}", organisation="居委会", phone=f"0000-{number:07d}",
        post=f"p{number}", title=role, role=role, community=community, since=SINCE, place=place,
    )  # fmt: skip


@pytest.fixture
def staffed(engine, territory):
    """A leader and a worker for the first community, one worker for the second."""
    staff = [
        member(1, "leader", "430104007001"),
        member(2, "worker", "430104007001", shapely.Point(500_010, 3_000_010)),
        member(3, "worker", "430104007002", shapely.Point(500_790, 3_000_590)),
    ]
    with engine.begin() as connection:
        people.save_staff(connection, territories.get(connection, territory), staff)
    return territory


def test_without_staff_every_grid_is_vacant(engine, territory):
    done = publishing.publish(engine, territory)
    assert len(done.vacant) == done.grids


def test_staff_get_the_grids_of_their_community(engine, staffed, rows):
    done = publishing.publish(engine, staffed, staff=True)
    assert done.vacant == ()
    in_first = rows(
        "SELECT count(*) FROM grid_version g JOIN community c ON c.id = g.community_id"
        " WHERE g.publication_id = :p AND c.code = '430104007001'",
        p=done.publication.id,
    )[0][0]
    counts = dict(rows(OF_GRIDS, n=staffed))
    assert counts == {"leader1": in_first, "worker2": in_first, "worker3": done.grids - in_first}


def test_the_nearest_worker_gets_the_grid(engine, territory, rows):
    staff = [
        member(1, "worker", "430104007001", shapely.Point(500_010, 3_000_590)),
        member(2, "worker", "430104007001", shapely.Point(500_010, 3_000_010)),
    ]
    with engine.begin() as connection:
        people.save_staff(connection, territories.get(connection, territory), staff)
    publishing.publish(engine, territory, staff=True)
    far = rows(
        "SELECT ST_Distance(g.geom, p.geom) FROM assignment a JOIN person p ON p.id = a.person_id"
        " JOIN grid_version g ON g.grid_id = a.grid_id JOIN territory t ON t.id = p.territory_id WHERE t.name = :n"
        " ORDER BY 1",
        n=territory,
    )
    assert far[0] == far[1] == (0.0,)


def test_publishing_again_assigns_nobody_twice(engine, staffed, rows):
    publishing.publish(engine, staffed, staff=True)
    before = rows(OF_GRIDS, n=staffed)
    publishing.publish(engine, staffed, staff=True)
    assert rows(OF_GRIDS, n=staffed) == before


def test_made_up_people_are_marked(engine, territory, rows):
    done = publishing.publish(engine, territory, demo_people=True)
    assert done.vacant == ()
    names = rows(
        "SELECT p.name, p.fictitious FROM person p JOIN territory t ON t.id = territory_id WHERE t.name = :n",
        n=territory,
    )
    assert len(names) == done.grids
    assert all(marked and "Demo" in name for name, marked in names)


def test_what_ends_is_closed_and_what_goes_on_stays(engine, staffed, rows, one):
    publishing.publish(engine, staffed, staff=True)
    # half of the grids get another identity: the plan made for that day is another one
    tight = planning.ruleset_of("default", minimum=100, maximum=250, target=240)
    from api.services.plans import partitioning

    partitioning.partition(engine, staffed, planning.Job(tight, seed=1, iterations=2))
    done = publishing.publish(engine, staffed, since=FAR, staff=True)
    assert done.vacant == ()
    open_ended = one(
        "SELECT count(*) FROM assignment a JOIN person p ON p.id = a.person_id"
        " JOIN territory t ON t.id = p.territory_id WHERE t.name = :n AND a.valid_to IS NULL"
        " AND a.grid_id IS NOT NULL AND a.grid_id NOT IN"
        " (SELECT grid_id FROM grid_version WHERE publication_id = :p)",
        n=staffed, p=done.publication.id,
    )  # fmt: skip
    assert open_ended == 0
    with engine.connect() as connection:
        of = territories.get(connection, staffed)
        first = publications.active(connection, of.id, publications.today(of))
        assert people.vacant(connection, first) == []


def test_a_person_has_a_grid_once_at_a_time(engine, staffed):
    publishing.publish(engine, staffed, staff=True)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO assignment (person_id, post_id, grid_id, valid_from)"
                " SELECT person_id, post_id, grid_id, '2030-01-01' FROM assignment WHERE grid_id IS NOT NULL LIMIT 1"
            )
        )


def test_an_assignment_has_one_target(engine, staffed):
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO assignment (person_id, post_id, valid_from)"
                " SELECT person_id, post_id, '2030-01-01' FROM assignment LIMIT 1"
            )
        )


def test_staff_known_by_their_id_are_overwritten(engine, staffed, rows):
    with engine.begin() as connection:
        of = territories.get(connection, staffed)
        people.save_staff(connection, of, [member(1, "leader", "430104007001")])
    found = rows("SELECT count(*) FROM person p JOIN territory t ON t.id = territory_id WHERE t.name = :n", n=staffed)
    assert found == [(3,)]
