"""From sources to published grids on a real PostGIS: all or nothing, half-open days, exactly one grid a building."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from api.services import importing
from api.services.plans import partitioning, planning, publishing
from data.postgres.imported import territories
from data.postgres.plans import atom_sets, grids, plans, publications
from data.postgres.unit_of_work import UnitOfWork
from gis.errors import ConflictError, NotFoundError
from gis.territory.layers import make_atoms, make_sources

pytestmark = pytest.mark.database

RULES = planning.ruleset_of("default")
JOB = planning.Job(RULES, seed=1, iterations=2)
FAR = date(2999, 1, 1)
TODAY = datetime.now(ZoneInfo("Asia/Shanghai")).date()
BUILDINGS = "FROM building b JOIN territory t ON t.id = b.territory_id WHERE t.name = :n"


def grids_of(engine, publication):
    with engine.connect() as connection:
        return grids.published(connection, publication.id)


def test_every_building_has_exactly_one_grid_and_grids_cover_the_territory(engine, territory, rows, one):
    done = publishing.publish(engine, territory)
    assert (done.placed, done.outside) == (0, 0)
    counts = rows(
        "SELECT count(*), count(DISTINCT building_id) FROM building_grid WHERE publication_id = :p",
        p=done.publication.id,
    )
    assert counts == [(72, 72)]
    assert one(
        "SELECT sum(households) FROM grid_version WHERE publication_id = :p", p=done.publication.id,
    ) == 72 * 40  # fmt: skip
    gap, overlap = rows(
        "SELECT ST_Area(ST_SymDifference(ST_Union(g.geom), t.geom)), sum(ST_Area(g.geom)) - ST_Area(t.geom)"
        " FROM grid_version g JOIN publication p ON p.id = g.publication_id JOIN territory t ON t.id = p.territory_id"
        " WHERE p.id = :p GROUP BY t.geom",
        p=done.publication.id,
    )[0]
    assert gap == pytest.approx(0, abs=1e-6)
    assert overlap == pytest.approx(0, abs=1e-6)


def test_each_grid_of_a_building_holds_the_building(engine, territory, one):
    done = publishing.publish(engine, territory)
    strays = one(
        "SELECT count(*) FROM building_grid x JOIN building b ON b.id = x.building_id JOIN grid_version g"
        " ON g.publication_id = x.publication_id AND g.grid_id = x.grid_id"
        " WHERE x.publication_id = :p AND NOT ST_Intersects(g.geom, ST_PointOnSurface(b.geom))",
        p=done.publication.id,
    )
    assert strays == 0


def test_shapes_for_tiles_are_the_same_coverage(engine, territory, rows):
    done = publishing.publish(engine, territory)
    shapes = rows("SELECT ST_AsBinary(geom_3857) FROM grid_version WHERE publication_id = :p", p=done.publication.id)
    coverage = shapely.from_wkb([bytes(s) for (s,) in shapes])
    assert shapely.coverage_is_valid(coverage)


def test_a_later_publication_comes_into_force_by_itself(engine, territory):
    first = publishing.publish(engine, territory).publication
    second = publishing.publish(engine, territory, since=FAR).publication
    with engine.connect() as connection:
        of = territories.get(connection, territory).id
        day_before = publications.active(connection, of, FAR - timedelta(days=1))
        on_the_day = publications.active(connection, of, FAR)
    assert day_before.id == first.id
    assert day_before.valid_to == FAR
    assert on_the_day.id == second.id
    assert on_the_day.valid_to is None


def test_one_between_two_ends_when_the_later_begins(engine, territory):
    publishing.publish(engine, territory)
    publishing.publish(engine, territory, since=FAR)
    between = publishing.publish(engine, territory, since=FAR - timedelta(days=30)).publication
    assert between.valid_to == FAR
    with engine.connect() as connection:
        days = publications.timeline(connection, territories.get(connection, territory).id)
    assert [p.valid_to for p in days] == [p.valid_from for p in days[1:]] + [None]


def test_publishing_again_for_the_same_day_takes_its_place(engine, territory, rows):
    first = publishing.publish(engine, territory)
    again = publishing.publish(engine, territory)
    with engine.connect() as connection:
        days = publications.timeline(connection, territories.get(connection, territory).id)
    assert [p.id for p in days] == [again.publication.id]
    assert grids_of(engine, again.publication).keys() == _grid_ids(rows, territory)
    assert first.grids == again.kept


def _grid_ids(rows, territory):
    found = rows("SELECT grid_id FROM grid JOIN territory t ON t.id = territory_id WHERE t.name = :n", n=territory)
    return {g for (g,) in found}


def test_days_that_have_passed_keep_their_plan(engine, territory):
    publishing.publish(engine, territory, since=TODAY - timedelta(days=10))
    for since in (TODAY - timedelta(days=10), TODAY - timedelta(days=3)):
        with pytest.raises(ConflictError) as told:
            publishing.publish(engine, territory, since=since)
        assert told.value.code == "store.publish_past"
    publishing.publish(engine, territory, since=TODAY - timedelta(days=20))


def test_a_plan_made_anew_keeps_the_grids_that_go_on(engine, territory):
    first = publishing.publish(engine, territory, since=TODAY).publication
    before = grids_of(engine, first)
    partitioning.partition(engine, territory, planning.Job(RULES, seed=1, iterations=2))
    second = publishing.publish(engine, territory, since=FAR)
    after = grids_of(engine, second.publication)
    assert second.kept == len(after)
    assert second.moved == 0
    assert after == before


def test_codes_of_grids_that_ended_are_never_given_again():
    from uuid import UUID

    new = UUID(int=2)
    ever = {"430104007001001": False, "430104007001002": False}
    draft = grids.Draft(0, new, "430104007001001", "第一网格", "residential", None, "东社区", "", "")
    (settled,) = grids.free_codes([draft], {}, ever)
    assert settled.code == "430104007001003"


def test_identity_follows_the_households():
    from uuid import UUID

    a, b = UUID(int=1), UUID(int=2)
    drafts = [grids.Draft(k, None, str(k), str(k), "residential", None, "", "", "") for k in range(3)]
    old = {1: a, 2: a, 3: a, 4: b, 5: b}
    new = {1: 0, 2: 0, 3: 1, 4: 2, 5: 2}
    found = publishing.identify(drafts, new, old, dict.fromkeys(old, 100.0))
    assert [d.grid_id for d in found] == [a, None, b]


def test_a_failing_publication_leaves_nothing(engine, territory, monkeypatch, rows):
    first = publishing.publish(engine, territory).publication
    before = _everything(rows)

    def fail(*_):
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(grids, "save_building_grids", fail)
    with pytest.raises(RuntimeError):
        publishing.publish(engine, territory, since=FAR)
    assert _everything(rows) == before
    with engine.connect() as connection:
        assert publications.active(connection, territories.get(connection, territory).id, FAR).id == first.id


def _everything(rows):
    tables = ("grid", "grid_version", "building_grid", "publication", "event", "plan_version", "generation")
    return [rows(f"SELECT md5(string_agg(x::text, ',' ORDER BY x::text)) FROM {t} x") for t in tables]


def test_a_failing_import_leaves_nothing(engine, monkeypatch, one, drawn):
    def fail(*_, **__):
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(atom_sets, "save", fail)
    with pytest.raises(RuntimeError):
        importing.import_sources(engine, drawn(), "never", ruleset=RULES, origin="drawn")
    with engine.connect() as connection, pytest.raises(NotFoundError):
        territories.get(connection, "never")
    assert one("SELECT count(*) FROM building WHERE territory_id NOT IN (SELECT id FROM territory)") == 0


def test_importing_the_same_again_changes_nothing(engine, territory, rows, drawn):
    again = importing.import_sources(engine, drawn(), territory, ruleset=RULES, origin="drawn")
    assert not again.fresh
    ids = f"SELECT count(*), count(DISTINCT source_id) {BUILDINGS}"
    assert rows(ids, n=territory) == [(72, 72)]


def test_newer_sources_make_new_atoms_and_published_grids_stay(engine, territory, rows, one, drawn):
    done = publishing.publish(engine, territory)
    before = rows("SELECT id, source_id FROM building WHERE source_id LIKE 'b00%' ORDER BY id")
    newer = importing.import_sources(
        engine, drawn(skip=("b000", "b123"), digest="two"), territory, ruleset=RULES, origin="drawn"
    )
    assert newer.fresh
    assert rows("SELECT id, source_id FROM building WHERE source_id LIKE 'b00%' ORDER BY id") == before
    gone = rows(f"SELECT source_id {BUILDINGS} AND NOT present", n=territory)
    assert {s for (s,) in gone} == {"b000", "b123"}
    assert one("SELECT count(*) FROM building_grid WHERE publication_id = :p", p=done.publication.id) == 72


def test_buildings_newer_than_the_atoms_are_placed_by_position(engine, request, drawn):
    name = request.node.name
    importing.import_sources(engine, drawn(skip=("b000", "b123")), name, ruleset=RULES, origin="drawn")
    partitioning.partition(engine, name, JOB)
    importing.import_sources(engine, drawn(digest="two"), name, ruleset=RULES, origin="drawn")
    done = publishing.publish(engine, name)
    assert (done.placed, done.outside) == (2, 0)


def test_stored_atoms_come_back_as_they_were(engine, territory, one):
    with UnitOfWork(engine, read_only=True) as work:
        of = territories.get(work.connection, territory)
        stored = atom_sets.load(work.connection, atom_sets.latest(work.connection, of.id))
        digest = atom_sets.digest_of("one", importing.parameters_of(RULES), stored.atoms, stored.loads)
    assert digest == one("SELECT digest FROM atom_set WHERE id = :i", i=stored.id)
    assert (stored.atoms.building_atom >= 0).all()
    assert stored.loads.households.sum() == 72 * 40
    edges = one("SELECT count(*) FROM edge WHERE atom_set_id = :i", i=stored.id)
    pairs = np.unique(np.stack([stored.atoms.segments.left, stored.atoms.segments.right], axis=1), axis=0)
    assert edges == len(pairs)


def test_atoms_are_immutable(engine, territory):
    with pytest.raises(DBAPIError), engine.begin() as connection:
        connection.execute(text("UPDATE atom SET households = households + 1"))


def test_two_publications_cannot_hold_the_same_day(engine, territory):
    done = publishing.publish(engine, territory).publication
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO publication (territory_id, plan_version_id, valid_from, valid_to)"
                " VALUES (:t, :v, :f, :u)"
            ),
            {"t": done.territory_id, "v": done.plan_version_id, "f": FAR, "u": FAR + timedelta(days=1)},
        )


def test_two_publishing_at_once_come_one_after_the_other(engine, territory):
    failures = []

    def go(days):
        try:
            publishing.publish(engine, territory, since=FAR + timedelta(days=days))
        except Exception as error:
            failures.append(error)

    publishing.publish(engine, territory)
    threads = [threading.Thread(target=go, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with engine.connect() as connection:
        of = territories.get(connection, territory).id
        days = publications.timeline(connection, of)
        assert len(days) == 4
        assert [p.valid_to for p in days] == [p.valid_from for p in days[1:]] + [None]
        ids = [grids.published(connection, p.id).keys() for p in days]
    assert all(i == ids[0] for i in ids)


def test_generations_grow_with_every_change(engine, territory, one):
    query = (
        "SELECT number FROM generation g JOIN territory t ON t.id = g.territory_id WHERE t.name = :n AND layer = :l"
    )
    publishing.publish(engine, territory)
    first = one(query, n=territory, l="grids")
    publishing.publish(engine, territory)
    assert one(query, n=territory, l="grids") == first + 1
    assert one(query, n=territory, l="buildings") == 1


def test_without_communities_those_of_the_plan_become_real(engine, request, one, drawn):
    name = request.node.name
    importing.import_sources(engine, drawn(communities=False), name, ruleset=RULES, origin="drawn")
    partitioning.partition(engine, name, JOB)
    publishing.publish(engine, name)
    assert one(f"SELECT count(*) {BUILDINGS} AND community_id IS NULL", n=name) == 0


def test_other_bounds_cut_the_stored_sources_anew(engine, territory, one):
    tight = planning.ruleset_of("default", minimum=100, maximum=200, target=150)
    made = partitioning.partition(engine, territory, planning.Job(tight, seed=1, iterations=2))
    assert made.number == 2
    sets = "SELECT count(*) FROM atom_set a JOIN territory t ON t.id = a.territory_id WHERE t.name = :n"
    assert one(sets, n=territory) == 2
    assert made.report["households"] == 72 * 40


def test_nothing_to_publish_is_told(engine, drawn):
    importing.import_sources(engine, drawn(), "bare", ruleset=RULES, origin="drawn")
    with pytest.raises(NotFoundError) as told:
        publishing.publish(engine, "bare")
    assert told.value.code == "store.no_plan"
    with engine.connect() as connection:
        assert plans.count(connection, territories.get(connection, "bare").id) == 0


def parcels():
    """Twelve given atoms of 200 m, 240 households each, two communities; no buildings and no streets."""
    boxes = [shapely.box(500_000 + 200 * i, 3_000_000 + 200 * j, 500_200 + 200 * i, 3_000_200 + 200 * j)
             for i in range(4) for j in range(3)]  # fmt: skip
    labels = ["430104007001"] * 6 + ["430104007002"] * 6
    return make_sources("EPSG:32650", atoms=make_atoms(boxes, [240] * 12, community=labels), digest="parcels")


def test_given_atoms_are_planned_and_published_as_they_are(engine, request, rows, one):
    name = request.node.name
    done = importing.import_sources(engine, parcels(), name, ruleset=RULES, origin="drawn")
    assert (done.atoms, done.buildings, done.communities, done.households) == (12, 0, 2, 12 * 240)
    made = partitioning.partition(engine, name, JOB)
    assert made.report["communities_given"]
    published = publishing.publish(engine, name)
    assert published.grids == 6
    total = "SELECT sum(households), sum(ST_Area(geom)) FROM grid_version WHERE publication_id = :p"
    assert rows(total, p=published.publication.id) == [(12 * 240, 12 * 200.0 * 200.0)]
    # other bounds do not cut given atoms
    partitioning.partition(engine, name, planning.Job(planning.ruleset_of("default", 100, 250, 200), iterations=1))
    assert (
        one("SELECT count(*) FROM atom_set a JOIN territory t ON t.id = territory_id WHERE t.name = :n", n=name) == 1
    )


def test_imports_that_meet_never_mix(engine, request, drawn, one):
    name = request.node.name
    told = []

    def go(homes):
        try:
            importing.import_sources(
                engine, drawn(homes=homes, digest=str(homes)), name, ruleset=RULES, origin="drawn"
            )
            told.append("written")
        except ConflictError as error:
            told.append(error.code)

    threads = [threading.Thread(target=go, args=(homes,)) for homes in (30, 40, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(told) <= {"written", "store.changed_meanwhile"}
    assert "written" in told
    assert one(f"SELECT count(DISTINCT households) {BUILDINGS}", n=name) == 1


def test_a_plate_is_answered_after_the_sources_dropped_its_building(engine, territory, drawn, one):
    ((address, building),) = _address(engine, territory, "b000")
    newer = drawn(skip=("b000", "b123"), digest="two")
    importing.import_sources(engine, newer, territory, ruleset=RULES, origin="drawn")
    partitioning.partition(engine, territory, JOB)
    done = publishing.publish(engine, territory)
    assert (done.placed, done.outside) == (1, 0)
    answer = "SELECT count(*) FROM building_grid WHERE publication_id = :p AND building_id = :b"
    assert one(answer, p=done.publication.id, b=building) == 1
    with pytest.raises(DBAPIError), engine.begin() as connection:
        connection.execute(text("DELETE FROM address WHERE id = :a"), {"a": address})


def _address(engine, territory, source_id):
    """Give a building an address."""
    with engine.begin() as connection:
        return connection.execute(
            text(
                "INSERT INTO address (territory_id, code, level, building_id, community_id, number_text, text,"
                " origin, valid_from, geom, geom_3857)"
                " SELECT b.territory_id, '00000000000002', 'premise', b.id, b.community_id,"
                " '1', '1号', 'issued', '2026-01-01', ST_Centroid(b.geom), ST_Centroid(b.geom_3857) FROM building b"
                " JOIN territory t ON t.id = b.territory_id WHERE t.name = :n AND b.source_id = :s"
                " RETURNING id, building_id"
            ),
            {"n": territory, "s": source_id},
        ).all()
