"""Codes of published grids on a real PostGIS: appended, never reused; bounds, duties and ledger of a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import openpyxl
import pytest
from sqlalchemy import text

from api.services.plans import ledger, partitioning, planning, publishing
from data.postgres.imported import territories
from data.postgres.plans import grids, ledgers, publications
from data.postgres.unit_of_work import UnitOfWork
from gis.errors import NotFoundError

pytestmark = pytest.mark.database

SMALL = planning.ruleset_of("default")
LARGE = SMALL.with_bounds(minimum=700, maximum=1500, target=1000)


@pytest.fixture
def plan(engine, territory):
    """Plan and publish under some rules from a day on; the codes in force then."""

    def publish(rules, since, seed=1):
        job = planning.Job(replace(rules), seed=seed, iterations=1)
        made = partitioning.partition(engine, territory, job)
        done = publishing.publish(engine, territory, since=since, number=made.number)
        with engine.connect() as connection:
            return {code: grid for grid, (code, _, _) in grids.published(connection, done.publication.id).items()}

    return publish


@pytest.fixture
def register(engine, territory):
    def read():
        with UnitOfWork(engine, read_only=True) as work:
            found = grids.register(work.connection, territories.get(work.connection, territory).id)
        return {issued.code: issued for issued in found}

    return read


def today(engine, territory) -> date:
    with UnitOfWork(engine, read_only=True) as work:
        return publications.today(territories.get(work.connection, territory))


def test_a_number_that_was_removed_never_comes_back(engine, territory, plan, register):
    now = today(engine, territory)
    first = plan(SMALL, now)
    second = plan(LARGE, now + timedelta(days=30))
    gone = set(first) - set(second)
    assert gone, "the larger grids must leave some numbers behind"
    third = plan(SMALL, now + timedelta(days=60), seed=2)
    new = set(third) - set(second)
    assert new
    assert not new & set(first)
    assert all(third[code] == second[code] for code in set(third) & set(second))  # who goes on keeps id and code
    found = register()
    assert set(found) == set(first) | set(second) | set(third)
    for code in gone:
        assert (found[code].valid_from, found[code].valid_to) == (now, now + timedelta(days=30))
    for code in new:
        assert (found[code].valid_from, found[code].valid_to) == (now + timedelta(days=60), None)
    # new numbers go on after the highest ever issued in their community
    for code in new:
        rivals = [int(c[-3:]) for c in set(first) | set(second) if c[:-3] == code[:-3]]
        assert int(code[-3:]) > max(rivals, default=0)


def test_a_withdrawn_publication_s_numbers_stay_issued(engine, territory, plan, register):
    now = today(engine, territory)
    plan(LARGE, now)
    withdrawn = plan(SMALL, now + timedelta(days=30))
    kept = plan(SMALL, now + timedelta(days=30), seed=3)  # takes the place of the one before, same day
    lost = set(withdrawn) - set(kept)
    found = register()
    assert set(withdrawn) <= set(found)
    for code in lost:
        assert (found[code].valid_from, found[code].valid_to) == (None, None)
        assert found[code].issued_for == now + timedelta(days=30)


def test_every_street_on_a_border_has_one_grid_and_every_grid_its_bounds(engine, territory, plan):
    plan(SMALL, today(engine, territory))
    with engine.connect() as connection:
        (publication,) = connection.execute(text("SELECT max(id) FROM publication")).one()
        rows = connection.execute(
            text(
                "SELECT grid_id, other_id, metres, ST_Length(geom) FROM street_responsibility"
                " WHERE publication_id = :p"
            ),
            {"p": publication},
        ).all()
        bounds = connection.execute(
            text("SELECT bounds FROM grid_version WHERE publication_id = :p"), {"p": publication}
        ).scalars()
        assert rows
        assert all(a != b and metres == pytest.approx(length, abs=0.01) for a, b, metres, length in rows)
        assert all(set(b) == {"east", "south", "west", "north"} and all(b.values()) for b in bounds)
        mine = ledgers.duties(connection, publication)
        one = next(iter(mine))
        assert ledgers.duties(connection, publication, one) == {one: mine[one]}


def test_the_ledger_of_what_is_in_force_on_a_day(engine, territory, plan, tmp_path):
    now = today(engine, territory)
    first = plan(SMALL, now)
    later = plan(LARGE, now + timedelta(days=30))
    with engine.connect() as connection:
        people = connection.execute(text("SELECT count(*) FROM assignment")).scalar_one()
    assert people == 0
    before, after = (ledger.of_published(engine, territory, as_of=now + timedelta(days=d)) for d in (0, 30))
    assert [e.code for e in before.entries] == sorted(first)
    assert [e.code for e in after.entries] == sorted(later)
    assert sum(e.households for e in before.entries) == sum(e.households for e in after.entries)
    for e in after.entries:
        assert e.valid_from == (now if e.code in first else now + timedelta(days=30))
        assert e.bounds.startswith("东至")
    assert ledger.write(before, tmp_path / "l.xlsx") == len(first)
    sheet = openpyxl.load_workbook(tmp_path / "l.xlsx")["网格台账"]
    assert sheet.max_row == len(first) + 1
    register = openpyxl.load_workbook(tmp_path / "l.xlsx")["编码登记"].iter_rows(min_row=2, values_only=True)
    states = {row[0]: row[-1] for row in register}
    assert {code for code, state in states.items() if state == "在用"} == set(first)
    assert {code for code, state in states.items() if state == "待启用"} == set(later) - set(first)
    ledger.write(after, tmp_path / "m.xlsx")
    register = openpyxl.load_workbook(tmp_path / "m.xlsx")["编码登记"].iter_rows(min_row=2, values_only=True)
    assert {row[0] for row in register if row[-1] == "停用"} == set(first) - set(later)
    with pytest.raises(NotFoundError, match="nothing_published"):
        ledger.of_published(engine, territory, as_of=now - timedelta(days=1))
