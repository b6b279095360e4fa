"""Adjusting published plans in a real PostGIS: ids and codes stay, the list of moves is right, all or nothing."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text

from api.services import importing
from api.services.addresses import addresses
from api.services.plans import partitioning, planning, publishing
from api.services.plans.adjusting import Change
from api.services.plans.adjusting_store import change_territory
from data.postgres.plans import grids
from gis.errors import InputError

pytestmark = pytest.mark.database

RULES = planning.ruleset_of("default")
JOB = planning.Job(RULES, seed=1, iterations=2)
LATER = date(2999, 1, 1)


def published(engine, publication):
    with engine.connect() as connection:
        return grids.published(connection, publication.id), grids.building_grids(connection, publication.id)


def sources_of(engine):
    with engine.connect() as connection:
        return dict(connection.execute(text("SELECT id, source_id FROM building")).all())


def grow(drawn, blocks, by):
    """The drawing with more households in the six buildings of some blocks."""
    sources = drawn(digest="grown")
    households = sources.buildings.households.copy()
    for k, own in enumerate(sources.buildings.source_id):
        if str(own)[1:3] in blocks:
            households[k] += by

    return replace(sources, buildings=replace(sources.buildings, households=households))


def test_publish_adjust_publish_keeps_ids_and_codes(engine, territory, drawn, tmp_path):
    first = publishing.publish(engine, territory).publication
    before, at = published(engine, first)
    grid_of_first = next(iter(before))
    blocks = {str(sources_of(engine)[b])[1:3] for b, g in at.items() if g == grid_of_first}
    importing.import_sources(engine, grow(drawn, sorted(blocks)[:1], 40), territory, ruleset=RULES, origin="grown")
    moves = tmp_path / "moves.csv"
    done = change_territory(engine, territory, JOB, Change(choose="least"), task="adjust", moves=moves, language="en")
    report = done.report
    assert report["at_fault"] == [before[grid_of_first][0]]
    assert report["excess"] == 120
    assert report["in_range_share"] == 1.0
    assert report["moved_households"] >= 120
    assert done.exit_status == 0
    second = publishing.publish(engine, territory, since=LATER).publication
    after, now_at = published(engine, second)
    assert {g: after[g][:2] for g in after} == {g: before[g][:2] for g in before}
    changed = {b for b in at if at[b] != now_at[b]}
    with moves.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    names = sources_of(engine)
    assert {r["source_id"] for r in rows} == {names[b] for b in changed}
    told = {r["source_id"]: (r["old_grid"], r["new_grid"]) for r in rows}
    assert told == {names[b]: (before[at[b]][0], after[now_at[b]][0]) for b in changed}
    assert report["moved_households"] == sum(int(r["households"]) for r in rows)


def test_a_locked_grid_stays_and_an_unknown_one_is_named(engine, territory, drawn):
    first = publishing.publish(engine, territory).publication
    before, _ = published(engine, first)
    codes = sorted(code for code, _, _ in before.values())
    importing.import_sources(engine, grow(drawn, ["00"], 40), territory, ruleset=RULES, origin="grown")
    done = change_territory(engine, territory, JOB, Change(locked=codes), task="adjust")
    assert done.report["moved_households"] == 0
    assert done.exit_status == 3
    assert {e["reason"] for e in done.report["exceptions"]} == {"locked"}
    with pytest.raises(InputError, match=r"drawn\.unknown_locked"):
        change_territory(engine, territory, JOB, Change(locked=["nowhere"]), task="adjust")


def test_a_rebase_reports_buildings_new_and_gone_and_moves_none(engine, territory, drawn):
    publishing.publish(engine, territory)
    importing.import_sources(engine, drawn(skip=("b000",), digest="less"), territory, ruleset=RULES, origin="less")
    done = change_territory(engine, territory, JOB, Change(mend=False), task="rebase")
    assert done.report["buildings"] == {"moved": 0, "new": 0, "gone": 1}
    assert "options" not in done.report


def test_a_repair_begins_from_the_newest_version(engine, territory):
    first = partitioning.partition(engine, territory, JOB)
    done = change_territory(engine, territory, JOB, Change(), task="repair")
    assert done.report["moved_households"] == 0
    assert done.report["plan_version"] == first.number + 1


def test_every_door_of_a_moved_building_has_its_row(engine, territory, drawn):
    first = publishing.publish(engine, territory).publication
    addresses.assign_territory(engine, territory)
    before, at = published(engine, first)
    own = next(iter(before))
    blocks = {str(sources_of(engine)[b])[1:3] for b, g in at.items() if g == own}
    importing.import_sources(engine, grow(drawn, sorted(blocks)[:1], 40), territory, ruleset=RULES, origin="grown")
    done = change_territory(engine, territory, JOB, Change(choose="least"), task="adjust")
    with engine.connect() as connection:
        doors = connection.execute(
            text(
                "SELECT b.source_id, a.text FROM address a JOIN building b ON b.id = a.building_id"
                " JOIN territory t ON t.id = a.territory_id"
                " WHERE t.name = :n AND a.status = 'issued' AND a.valid_to IS NULL"
            ),
            {"n": territory},
        ).all()
    moved = {m.source_id for m in done.moves}
    assert moved
    expected = sorted((s, t) for s, t in doors if s in moved)
    assert expected
    assert sorted((m.source_id, m.address) for m in done.moves if m.address) == expected
    assert done.report["doors"] == len(expected)
