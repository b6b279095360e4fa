"""Any order of publications gives the same days as a list a child could keep."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from data.postgres.imported import territories
from data.postgres.plans import publications
from gis.errors import ConflictError

pytestmark = pytest.mark.database

DAY = date(2026, 1, 1)
HORIZON = 40  # days looked at
FIRST_TODAY = 10


@pytest.fixture
def versions(engine, territory):
    """Ids of twenty plan versions of a territory that was never published."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO plan_version"
                " (plan_id, number, atom_set_id, ruleset, seed, grid_of_atom, report, certificate)"
                " SELECT plan_id, number + n, atom_set_id, ruleset, seed, grid_of_atom, report, certificate"
                " FROM plan_version, generate_series(1, 19) n WHERE number = 1 AND plan_id ="
                " (SELECT p.id FROM plan p JOIN territory t ON t.id = p.territory_id WHERE t.name = :name)"
            ),
            {"name": territory},
        )
        plan = connection.execute(text("SELECT max(plan_id) FROM plan_version")).scalar_one()
        ids = connection.execute(text("SELECT id FROM plan_version WHERE plan_id = :p ORDER BY id"), {"p": plan})
        return list(ids.scalars())


#: Each step: so many days pass, then a version is published from so many days after (or before) that day on.
STEPS = st.lists(st.tuples(st.integers(0, 6), st.integers(-6, 12)), min_size=1, max_size=12)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=STEPS)
def test_every_day_has_the_plan_that_was_last_published_for_it(engine, territory, versions, steps):
    with engine.connect() as connection:
        of = territories.get(connection, territory)
        expected = [None] * HORIZON  # day -> version
        starts = {}  # first day -> version
        now = FIRST_TODAY
        for version, (passed, ahead) in zip(versions, steps, strict=False):
            now = min(now + passed, HORIZON - 14)
            since = now + ahead
            first, today = DAY + timedelta(days=since), DAY + timedelta(days=now)
            if since < now and expected[since] is not None:
                with pytest.raises(ConflictError):
                    publications.open_from(connection, of, version, first, today, actor="")
                continue
            publications.open_from(connection, of, version, first, today, actor="")
            starts[since] = version
            following = min((s for s in starts if s > since), default=HORIZON)
            expected[since:following] = [version] * (following - since)
        found = []
        for k in range(HORIZON):
            active = publications.active(connection, of.id, DAY + timedelta(days=k))
            found.append(None if active is None else active.plan_version_id)
        assert found == expected
        days = publications.timeline(connection, of.id)
        assert [p.valid_to for p in days] == [*[p.valid_from for p in days[1:]], None]
        connection.rollback()
