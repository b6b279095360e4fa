"""Doors open and close on days; what has not changed is left alone."""

from datetime import date

import pytest
import shapely
from sqlalchemy import text

from data.postgres.imported import entrances, territories
from data.staff import Entrance, read_entrances
from gis.territory.layers import make_doors

pytestmark = pytest.mark.database

FIRST, SECOND, THIRD = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)


def door(building, name="", x=500_030.0):
    return Entrance(building, name, shapely.Point(x, 3_000_040.0))


def days(connection):
    rows = connection.execute(
        text(
            "SELECT b.source_id, e.name, e.valid_from, e.valid_to FROM entrance e JOIN building b"
            " ON b.id = e.building_id ORDER BY 1, 2, 3"
        )
    )
    return [tuple(row) for row in rows]


def test_doors_have_days(engine, territory):
    with engine.connect() as connection:
        of = territories.get(connection, territory)
        doors = [door("b000", "1单元"), door("b000", "2单元", 500_050.0), door("none")]
        assert entrances.save(connection, of, doors, FIRST) == 2
        assert entrances.save(connection, of, doors, SECOND) == 0
        moved = [door("b000", "1单元"), door("b000", "2单元", 500_055.0)]
        assert entrances.save(connection, of, moved, SECOND) == 1
        assert entrances.save(connection, of, moved[:1], THIRD) == 0
        assert days(connection) == [
            ("b000", "1单元", FIRST, None),
            ("b000", "2单元", FIRST, SECOND),
            ("b000", "2单元", SECOND, THIRD),
        ]
        connection.rollback()


def test_a_door_gone_on_the_day_it_came_was_never_there(engine, territory):
    with engine.connect() as connection:
        of = territories.get(connection, territory)
        entrances.save(connection, of, [door("b000")], FIRST)
        entrances.save(connection, of, [door("b000", x=500_033.0)], FIRST)
        assert days(connection) == [("b000", "", FIRST, None)]
        connection.rollback()


def test_doors_of_a_map_are_named_by_their_numbers(engine, territory):
    spots = [shapely.Point(500_030.0 + k, 3_000_040.0) for k in range(4)]
    numbers = ["", "12", "12", "14"]
    doors = make_doors(spots, building=["b000"] * 4, street=["", "新街", "人民路", "新街"], housenumber=numbers)
    given = entrances.of_map(doors)
    assert [(e.name, e.housenumber) for e in given] == [("", ""), ("12", "12"), ("12 (2)", "12"), ("14", "14")]
    with engine.connect() as connection:
        of = territories.get(connection, territory)
        assert entrances.save(connection, of, given, FIRST) == 4
        assert entrances.save(connection, of, given, SECOND) == 0
        connection.rollback()


def test_the_towns_doors_are_read():
    from data.samples import shipped

    found = read_entrances(shipped.path_of("town"), "EPSG:4547")
    assert len(found) > 500
    doors = [e for e in found if e.building]
    assert len({(e.building, e.name) for e in doors}) == len(doors)
    gates = [e for e in found if not e.building]
    assert len(gates) == 42
    assert all(e.compound and e.street and e.housenumber for e in gates), "gates carry their compound's number"
    assert {e.name for e in found} >= {"", "1单元"}


def test_gates_belong_to_the_nearest_compound_of_their_name(engine, territory):
    with engine.connect() as connection:
        of = territories.get(connection, territory)
        name = connection.execute(
            text("SELECT name FROM compound WHERE territory_id = :t ORDER BY id LIMIT 1"), {"t": of.id}
        ).scalar_one()
        gate = Entrance("", "东门", shapely.Point(500_000.0, 3_000_000.0), name, "人民路", "8号")
        nowhere = Entrance("", "", shapely.Point(500_000.0, 3_000_000.0), "没有的小区")
        assert entrances.save(connection, of, [gate, nowhere], FIRST) == 1
        assert entrances.save(connection, of, [gate], SECOND) == 0
        stored = connection.execute(
            text(
                "SELECT c.name, e.name, e.street, e.housenumber FROM entrance e"
                " JOIN compound c ON c.id = e.compound_id WHERE c.territory_id = :t"
            ),
            {"t": of.id},
        ).one()
        assert tuple(stored) == (name, "东门", "人民路", "8号")
        connection.rollback()
