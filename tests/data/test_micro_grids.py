"""Micro-grids in the database: published with the plan, read back, stewards go on."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
import shapely

from api.services import importing
from api.services.plans import partitioning, planning, publishing
from data.postgres.imported import territories
from data.postgres.plans import micro_grids, publications
from data.postgres.unit_of_work import UnitOfWork

pytestmark = pytest.mark.database

RULES = planning.ruleset_of("default", micro=True)
JOB = planning.Job(RULES, seed=1, iterations=1)


@pytest.fixture
def town(engine, drawn, request):
    """Twelve blocks of six buildings, 40 households each on three storeys of one stair."""
    name = request.node.name
    importing.import_sources(engine, drawn(), name, ruleset=RULES, origin="drawn")
    partitioning.partition(engine, name, JOB)
    return name


def read(engine, publication):
    with engine.connect() as connection:
        return micro_grids.read(connection, publication.id)


def test_every_household_is_in_one_micro_grid_of_its_own_grid(engine, town, rows, one):
    done = publishing.publish(engine, town)
    found = read(engine, done.publication)
    assert len(found) > 0
    assert found.households.sum() == 72 * 40
    assert one(
        "SELECT sum(s.households) FROM slice s JOIN micro_grid m ON m.id = s.micro_grid_id"
        " WHERE m.publication_id = :p", p=done.publication.id,
    ) == 72 * 40  # fmt: skip
    strays = one(
        "SELECT count(*) FROM slice s JOIN micro_grid m ON m.id = s.micro_grid_id JOIN building_grid b"
        " ON b.publication_id = m.publication_id AND b.building_id = s.building_id"
        " WHERE m.publication_id = :p AND b.grid_id <> m.grid_id",
        p=done.publication.id,
    )
    assert strays == 0
    codes = dict(rows("SELECT grid_id, code FROM grid_version WHERE publication_id = :p", p=done.publication.id))
    assert all(str(code).startswith(codes[grid]) for code, grid in zip(found.code, found.grid_id, strict=True))
    # shapes lie in their grids and beside one another
    assert shapely.area(found.geometry).sum() == pytest.approx(shapely.area(shapely.union_all(found.geometry)))


def test_floors_of_fourteen_at_most_fit_and_are_listed_by_building(engine, town, one):
    done = publishing.publish(engine, town)
    found = read(engine, done.publication)
    assert set(found.note) <= {""}
    assert 10 <= found.counted.min() <= found.counted.max() <= 15
    building = one(
        "SELECT b.id FROM building b JOIN territory t ON t.id = b.territory_id WHERE t.name = :n"
        " AND b.source_id = 'b000'",
        n=town,
    )
    with engine.connect() as connection:
        parts = micro_grids.of_building(connection, done.publication.id, building)
    assert sum(p["households"] for p in parts) == 40
    assert {p["steward"] for p in parts} == {""}


def test_a_steward_goes_on_and_a_withdrawn_day_leaves_nothing_behind(engine, town, one):
    first = publishing.publish(engine, town)
    before = read(engine, first.publication)
    with UnitOfWork(engine) as work:
        territory = territories.get(work.connection, town)
        work.connection.exec_driver_sql(
            f"INSERT INTO person (territory_id, staff_id, name) VALUES ({territory.id}, 'w1', '王芳')"
        )
        person = work.connection.exec_driver_sql("SELECT max(id) FROM person").scalar_one()
        assert micro_grids.set_steward(work.connection, before.code[3], first.publication.id, person)
        assert not micro_grids.set_steward(work.connection, "none", first.publication.id, person)
        work.commit()
    again = publishing.publish(engine, town)  # the same day: the first is withdrawn
    after = read(engine, again.publication)
    assert np.flatnonzero(after.steward == "王芳").tolist() == [3]
    assert one("SELECT count(*) FROM micro_grid WHERE publication_id = :p", p=first.publication.id) == 0
    with engine.connect() as connection:
        today = publications.today(territories.get(connection, town))
    later = publishing.publish(engine, town, since=today + timedelta(days=1))
    assert read(engine, later.publication).steward.tolist() == after.steward.tolist()


def test_rules_without_micro_grids_make_none(engine, territory):
    done = publishing.publish(engine, territory)
    assert len(read(engine, done.publication)) == 0


def test_versions_in_the_database_are_explained_and_compared(engine, town):
    from api.services.plans.comparing_page import render
    from api.services.plans.stored_plans import compare_versions, explain_version

    smaller = planning.Job(planning.ruleset_of("default", 200, 300, 240), seed=2, iterations=1)
    publishing.publish(engine, town)
    partitioning.partition(engine, town, smaller)
    found = explain_version(engine, town, None, "en")
    assert found.borders
    assert all("号路" in row["text"] for row in found.borders)  # every border of the drawn town follows a street
    same = compare_versions(engine, town, 1, 1)
    assert len(same.found.moved) == 0
    both = compare_versions(engine, town, 1, 2)
    said = both.as_json()
    assert said["moved"]["households"] == 72 * 40 - sum(g["shared"] for g in said["grids"]) > 0
    assert both.a.name in render(both, "en")
