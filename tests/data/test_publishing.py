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

from api.services import importing, partitioning, planning, publishing
from data.postgres import atom_sets, grids, plans, publications, territories
from data.postgres.connect import new_engine
from data.postgres.unit_of_work import UnitOfWork
from gis.errors import ConflictError, NotFoundError
from gis.territory.layers import make_areas, make_buildings, make_sources, make_streets

pytestmark = pytest.mark.database

STEP = 200.0  # metres between streets
ROWS, COLUMNS = 3, 4
#: 40 households in each of 6 buildings of a block: 240 a block, so a grid of 300-600 takes two blocks.
HOMES = 40


def town(homes=HOMES, skip=(), communities=True, digest="one"):
    """A drawn town: 3 x 4 blocks between straight streets, six buildings a block, one community a half."""
    left, bottom, right, top = 500_000, 3_000_000, 500_000 + COLUMNS * STEP, 3_000_000 + ROWS * STEP
    lines = [[(left + i * STEP, bottom), (left + i * STEP, top)] for i in range(COLUMNS + 1)]
    lines += [[(left, bottom + j * STEP), (right, bottom + j * STEP)] for j in range(ROWS + 1)]
    homes_at, ids = [], []
    for i in range(COLUMNS):
        for j in range(ROWS):
            for k in range(6):
                name = f"b{i}{j}{k}"
                if name in skip:
                    continue
                x, y = left + i * STEP + 30 + 60 * (k % 3), bottom + j * STEP + 40 + 80 * (k // 3)
                homes_at.append(shapely.box(x, y, x + 30, y + 30))
                ids.append(name)
    middle = left + COLUMNS * STEP / 2
    areas = [shapely.box(left, bottom, middle, top), shapely.box(middle, bottom, right, top)]
    return make_sources(
        "EPSG:32650",
        streets=make_streets([shapely.LineString(c) for c in lines], source_id=[f"s{k}" for k in range(len(lines))]),
        buildings=make_buildings(
            homes_at, source_id=ids, use=["apartments"] * len(ids), households=[float(homes)] * len(ids)
        ),
        communities=make_areas(
            areas if communities else [],
            source_id=["c1", "c2"] if communities else [],
            code=["430104007001", "430104007002"] if communities else [],
            name=["东社区", "西社区"] if communities else [],
        ),
        digest=digest,
    )


RULES = planning.ruleset_of("default")
JOB = planning.Job(RULES, seed=1, iterations=2)
FAR = date(2999, 1, 1)
TODAY = datetime.now(ZoneInfo("Asia/Shanghai")).date()
BUILDINGS = "FROM building b JOIN territory t ON t.id = b.territory_id WHERE t.name = :n"


@pytest.fixture(scope="module")
def engine(database_url):
    engine = new_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def territory(engine, request):
    """A territory of this test's own with a draft plan."""
    name = request.node.name
    importing.import_sources(engine, town(), name, ruleset=RULES, origin="drawn")
    partitioning.partition(engine, name, JOB)
    return name


def rows(engine, query, **values):
    with engine.connect() as connection:
        return connection.execute(text(query), values).all()


def one(engine, query, **values):
    ((value,),) = rows(engine, query, **values)
    return value


def grids_of(engine, publication):
    with engine.connect() as connection:
        return grids.published(connection, publication.id)


def test_every_building_has_exactly_one_grid_and_grids_cover_the_territory(engine, territory):
    done = publishing.publish(engine, territory)
    assert (done.placed, done.outside) == (0, 0)
    counts = rows(
        engine,
        "SELECT count(*), count(DISTINCT building_id) FROM building_grid WHERE publication_id = :p",
        p=done.publication.id,
    )
    assert counts == [(72, 72)]
    assert one(
        engine,
        "SELECT sum(households) FROM grid_version WHERE publication_id = :p", p=done.publication.id,
    ) == 72 * HOMES  # fmt: skip
    gap, overlap = rows(
        engine,
        "SELECT ST_Area(ST_SymDifference(ST_Union(g.geom), t.geom)), sum(ST_Area(g.geom)) - ST_Area(t.geom)"
        " FROM grid_version g JOIN publication p ON p.id = g.publication_id JOIN territory t ON t.id = p.territory_id"
        " WHERE p.id = :p GROUP BY t.geom",
        p=done.publication.id,
    )[0]
    assert gap == pytest.approx(0, abs=1e-6)
    assert overlap == pytest.approx(0, abs=1e-6)


def test_each_grid_of_a_building_holds_the_building(engine, territory):
    done = publishing.publish(engine, territory)
    strays = one(
        engine,
        "SELECT count(*) FROM building_grid x JOIN building b ON b.id = x.building_id JOIN grid_version g"
        " ON g.publication_id = x.publication_id AND g.grid_id = x.grid_id"
        " WHERE x.publication_id = :p AND NOT ST_Intersects(g.geom, ST_PointOnSurface(b.geom))",
        p=done.publication.id,
    )
    assert strays == 0


def test_shapes_for_tiles_are_the_same_coverage(engine, territory):
    done = publishing.publish(engine, territory)
    shapes = rows(
        engine, "SELECT ST_AsBinary(geom_3857) FROM grid_version WHERE publication_id = :p", p=done.publication.id
    )
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


def test_publishing_again_for_the_same_day_takes_its_place(engine, territory):
    first = publishing.publish(engine, territory)
    again = publishing.publish(engine, territory)
    with engine.connect() as connection:
        days = publications.timeline(connection, territories.get(connection, territory).id)
    assert [p.id for p in days] == [again.publication.id]
    assert grids_of(engine, again.publication).keys() == _grid_ids(engine, territory)
    assert first.grids == again.kept


def _grid_ids(engine, territory):
    found = rows(
        engine, "SELECT grid_id FROM grid JOIN territory t ON t.id = territory_id WHERE t.name = :n", n=territory
    )
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

    old, new = UUID(int=1), UUID(int=2)
    ever = {"430104007001001": old, "430104007001002": UUID(int=3)}
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


def test_a_failing_publication_leaves_nothing(engine, territory, monkeypatch):
    first = publishing.publish(engine, territory).publication
    before = _everything(engine)

    def fail(*_):
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(grids, "save_building_grids", fail)
    with pytest.raises(RuntimeError):
        publishing.publish(engine, territory, since=FAR)
    assert _everything(engine) == before
    with engine.connect() as connection:
        assert publications.active(connection, territories.get(connection, territory).id, FAR).id == first.id


def _everything(engine):
    tables = ("grid", "grid_version", "building_grid", "publication", "event", "plan_version", "generation")
    return [rows(engine, f"SELECT md5(string_agg(x::text, ',' ORDER BY x::text)) FROM {t} x") for t in tables]


def test_a_failing_import_leaves_nothing(engine, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(atom_sets, "save", fail)
    with pytest.raises(RuntimeError):
        importing.import_sources(engine, town(), "never", ruleset=RULES, origin="drawn")
    with engine.connect() as connection, pytest.raises(NotFoundError):
        territories.get(connection, "never")
    assert one(engine, "SELECT count(*) FROM building WHERE territory_id NOT IN (SELECT id FROM territory)") == 0


def test_importing_the_same_again_changes_nothing(engine, territory):
    again = importing.import_sources(engine, town(), territory, ruleset=RULES, origin="drawn")
    assert not again.fresh
    ids = f"SELECT count(*), count(DISTINCT source_id) {BUILDINGS}"
    assert rows(engine, ids, n=territory) == [(72, 72)]


def test_newer_sources_make_new_atoms_and_published_grids_stay(engine, territory):
    done = publishing.publish(engine, territory)
    before = rows(engine, "SELECT id, source_id FROM building WHERE source_id LIKE 'b00%' ORDER BY id")
    newer = importing.import_sources(
        engine, town(skip=("b000", "b123"), digest="two"), territory, ruleset=RULES, origin="drawn"
    )
    assert newer.fresh
    assert rows(engine, "SELECT id, source_id FROM building WHERE source_id LIKE 'b00%' ORDER BY id") == before
    gone = rows(engine, f"SELECT source_id {BUILDINGS} AND NOT present", n=territory)
    assert {s for (s,) in gone} == {"b000", "b123"}
    assert one(engine, "SELECT count(*) FROM building_grid WHERE publication_id = :p", p=done.publication.id) == 72


def test_buildings_newer_than_the_atoms_are_placed_by_position(engine, request):
    name = request.node.name
    importing.import_sources(engine, town(skip=("b000", "b123")), name, ruleset=RULES, origin="drawn")
    partitioning.partition(engine, name, JOB)
    importing.import_sources(engine, town(digest="two"), name, ruleset=RULES, origin="drawn")
    done = publishing.publish(engine, name)
    assert (done.placed, done.outside) == (2, 0)


def test_stored_atoms_come_back_as_they_were(engine, territory):
    with UnitOfWork(engine, read_only=True) as work:
        of = territories.get(work.connection, territory)
        stored = atom_sets.load(work.connection, atom_sets.latest(work.connection, of.id))
        digest = atom_sets.digest_of("one", importing.parameters_of(RULES), stored.atoms, stored.loads)
    assert digest == one(engine, "SELECT digest FROM atom_set WHERE id = :i", i=stored.id)
    assert (stored.atoms.building_atom >= 0).all()
    assert stored.loads.households.sum() == 72 * HOMES
    edges = one(engine, "SELECT count(*) FROM edge WHERE atom_set_id = :i", i=stored.id)
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


def test_generations_grow_with_every_change(engine, territory):
    query = (
        "SELECT number FROM generation g JOIN territory t ON t.id = g.territory_id WHERE t.name = :n AND layer = :l"
    )
    publishing.publish(engine, territory)
    first = one(engine, query, n=territory, l="grids")
    publishing.publish(engine, territory)
    assert one(engine, query, n=territory, l="grids") == first + 1
    assert one(engine, query, n=territory, l="buildings") == 1


def test_without_communities_those_of_the_plan_become_real(engine, request):
    name = request.node.name
    importing.import_sources(engine, town(communities=False), name, ruleset=RULES, origin="drawn")
    partitioning.partition(engine, name, JOB)
    publishing.publish(engine, name)
    assert one(engine, f"SELECT count(*) {BUILDINGS} AND community_id IS NULL", n=name) == 0


def test_other_bounds_cut_the_stored_sources_anew(engine, territory):
    tight = planning.ruleset_of("default", minimum=100, maximum=200, target=150)
    made = partitioning.partition(engine, territory, planning.Job(tight, seed=1, iterations=2))
    assert made.number == 2
    sets = "SELECT count(*) FROM atom_set a JOIN territory t ON t.id = a.territory_id WHERE t.name = :n"
    assert one(engine, sets, n=territory) == 2
    assert made.report["households"] == 72 * HOMES


def test_nothing_to_publish_is_told(engine):
    importing.import_sources(engine, town(), "bare", ruleset=RULES, origin="drawn")
    with pytest.raises(NotFoundError) as told:
        publishing.publish(engine, "bare")
    assert told.value.code == "store.no_plan"
    with engine.connect() as connection:
        assert plans.count(connection, territories.get(connection, "bare").id) == 0
