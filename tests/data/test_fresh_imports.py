"""An import changes the versions of just the tiles its changes touch; streets that are the same keep their ids."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import text

from api.services import importing
from api.services.plans import planning
from gis.territory.model import Streets

pytestmark = pytest.mark.database

RULES = planning.ruleset_of("default")


@pytest.fixture
def imported(engine, request, drawn):
    name = request.node.name

    def run(sources):
        importing.import_sources(engine, sources, name, ruleset=RULES, origin="drawn")
        with engine.connect() as connection:
            marked = connection.execute(
                text(
                    "SELECT layer, x, y, version FROM tile_version v JOIN territory t ON t.id = v.territory_id"
                    " WHERE t.name = :n AND z = 16 AND layer <> 'publication'"
                ),
                {"n": name},
            )
            streets = connection.execute(
                text(
                    "SELECT s.id, s.position, s.name FROM street s JOIN territory t ON t.id = s.territory_id"
                    " WHERE t.name = :n ORDER BY s.position"
                ),
                {"n": name},
            )
            return {tuple(row[:3]): row[3] for row in marked}, list(map(tuple, streets))

    return run


def changed(before, after):
    return {key for key, version in after.items() if before.get(key) != version}


def test_the_same_sources_again_change_nothing(imported, drawn):
    first, streets = imported(drawn())
    assert first
    again, same = imported(drawn(digest="two"))
    assert again == first
    assert same == streets


def test_one_renamed_street_changes_its_own_tiles(imported, drawn):
    first, streets = imported(drawn())
    town = drawn(digest="two")
    names = town.streets.name.copy()
    names[0] = "新路"
    after, now = imported(replace(town, streets=replace(town.streets, name=names)))
    touched = changed(first, after)
    assert touched
    assert {layer for layer, *_ in touched} == {"street"}
    assert touched < {key for key in first if key[0] == "street"}
    assert [s[0] for s in now][1:] == [s[0] for s in streets][1:]
    assert now[0][2] == "新路"


def test_streets_in_another_order_are_the_same_streets(imported, drawn):
    first, streets = imported(drawn())
    town = drawn(digest="two")
    order = np.arange(len(town.streets))[::-1]
    turned = Streets(**{f: getattr(town.streets, f)[order] for f in Streets.__dataclass_fields__})
    after, now = imported(replace(town, streets=turned))
    assert after == first
    assert [s[0] for s in now] == [s[0] for s in streets][::-1]
    assert [s[1] for s in now] == list(range(len(now)))


def test_a_building_that_goes_changes_its_own_tiles(imported, drawn):
    first, _ = imported(drawn())
    after, _ = imported(drawn(skip=("b000",), digest="two"))
    touched = changed(first, after)
    assert touched
    assert {layer for layer, *_ in touched} == {"building"}
    assert touched < {key for key in first if key[0] == "building"}


def test_all_streets_gone(imported, drawn):
    imported(drawn())
    town = drawn(digest="two")
    kept = np.zeros(len(town.streets), dtype=bool)
    kept[:2] = True
    fewer = Streets(**{f: getattr(town.streets, f)[kept] for f in Streets.__dataclass_fields__})
    _, now = imported(replace(town, streets=fewer))
    assert [s[1] for s in now] == [0, 1]
