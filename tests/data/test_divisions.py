"""Divisions have dates; communities lie under their town; a jurisdiction is a set, not a prefix."""

from datetime import date

import pytest
from sqlalchemy import text

from data.postgres.imported import divisions, territories
from data.staff import Division

pytestmark = pytest.mark.database

COUNTY = Division("430104", "岳麓区", "county", "")
TOWN = Division("430104007", "西湖街道", "town", "430104")
EARLY, LATE = date(2020, 1, 1), date(2024, 1, 1)


@pytest.fixture
def connection(engine):
    """A transaction that is undone."""
    with engine.connect() as connection:
        yield connection
        connection.rollback()


def found(connection):
    rows = connection.execute(text("SELECT code, name, valid_from, valid_to FROM division ORDER BY code, valid_from"))
    return [(code, name, since if since != divisions.EVER else None, until) for code, name, since, until in rows]


def test_a_renamed_division_keeps_its_past(connection):
    divisions.save(connection, [COUNTY, TOWN], EARLY)
    divisions.save(connection, [Division("430104007", "新西湖街道", "town", "430104")], LATE)
    assert found(connection) == [
        ("430104", "岳麓区", None, None),
        ("430104007", "西湖街道", None, LATE),
        ("430104007", "新西湖街道", LATE, None),
    ]
    parents = connection.execute(text("SELECT count(*) FROM division WHERE code = '430104007' AND parent_id IS NULL"))
    assert parents.scalar_one() == 0


def test_saving_the_same_again_changes_nothing(connection):
    divisions.save(connection, [COUNTY, TOWN], EARLY)
    before = found(connection)
    divisions.save(connection, [COUNTY, TOWN], LATE)
    assert found(connection) == before


def test_communities_become_divisions_of_their_town(connection, territory, engine):
    with engine.connect() as fresh:
        divisions.save(fresh, [COUNTY, TOWN], EARLY)
        of = territories.get(fresh, territory)
        assert divisions.place_communities(fresh, of, EARLY) == 2
        rows = fresh.execute(
            text(
                "SELECT d.code, p.code FROM community c JOIN division d ON d.id = c.division_id"
                " JOIN division p ON p.id = d.parent_id WHERE c.territory_id = :t ORDER BY d.code"
            ),
            {"t": of.id},
        ).all()
        assert rows == [("430104007001", "430104007"), ("430104007002", "430104007")]
        members = fresh.execute(
            text(
                "SELECT d.name FROM territory t JOIN jurisdiction_division j ON j.jurisdiction_id = t.jurisdiction_id"
                " JOIN division d ON d.id = j.division_id WHERE t.id = :t AND j.valid_to IS NULL"
            ),
            {"t": of.id},
        ).scalars()
        assert list(members) == ["西湖街道"]
        fresh.rollback()
