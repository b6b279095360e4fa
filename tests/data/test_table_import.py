"""Tables of households into the database: previewed, matched, all or nothing."""

import pytest

from api.services import importing, tables
from api.services.plans import partitioning, planning, publishing
from data.postgres.imported import sources, territories
from gis.errors import InputError, NotFoundError

pytestmark = pytest.mark.database

RULES = planning.ruleset_of("default")
HOUSEHOLDS = "SELECT households, counted, households_source FROM building b JOIN territory t ON t.id = territory_id"


@pytest.fixture
def table(tmp_path):
    def write(text):
        path = tmp_path / "households.csv"
        path.write_text(text, encoding="gb18030")
        return path

    return write


def test_matched_rows_change_buildings_and_atoms(engine, territory, table, rows, one):
    path = table("编号,名称,户数,常住户数\nb113,,100,90\n,翠湖公馆3栋,7,\n")
    done = tables.import_table(engine, path, territory, ruleset=RULES)
    assert done.outcomes == {"id": 1, "name": 1}
    assert (done.households, done.before) == (107, 80)
    found = rows(f"{HOUSEHOLDS} WHERE t.name = :n AND source_id IN ('b113','b003') ORDER BY source_id", n=territory)
    assert found == [(7, 7, "given"), (100, 90, "given")]
    total = (
        "SELECT sum(a.households) FROM atom a WHERE atom_set_id ="
        " (SELECT max(s.id) FROM atom_set s JOIN territory t ON t.id = s.territory_id WHERE t.name = :n)"
    )
    assert one(total, n=territory) == 72 * 40 + 60 - 33
    again = partitioning.partition(engine, territory, planning.Job(RULES, seed=1, iterations=2))
    assert again.report["households"] == 72 * 40 + 27


def test_rows_that_do_not_match_stop_the_import(engine, territory, table, one):
    before = one("SELECT md5(string_agg(b::text, ',' ORDER BY id)) FROM building b")
    path = table("编号,名称,户数\nb113,,100\nb999,,5\n,九栋,6\nb113,,7\n")
    found = tables.preview(engine, path, territory)
    assert [line.match.outcome for line in found.lines] == ["twice", "unknown", "unknown", "twice"]
    with pytest.raises(InputError, match=r"table\.unmatched"):
        tables.import_table(engine, path, territory, ruleset=RULES)
    assert one("SELECT md5(string_agg(b::text, ',' ORDER BY id)) FROM building b") == before


def test_rows_that_do_not_match_may_be_left_out(engine, territory, table, one):
    path = table("编号,户数\nb113,100\nb999,5\n")
    tables.import_table(engine, path, territory, ruleset=RULES, skip_unmatched=True)
    assert one("SELECT count(*) FROM building b JOIN territory t ON t.id = territory_id WHERE t.name = :n"
               " AND table_households IS NOT NULL", n=territory) == 1  # fmt: skip


def test_newer_sources_do_not_undo_a_table(engine, territory, table, rows, drawn):
    tables.import_table(engine, table("编号,户数\nb113,100\n"), territory, ruleset=RULES)
    importing.import_sources(engine, drawn(homes=30, digest="two"), territory, ruleset=RULES, origin="drawn")
    found = rows(f"{HOUSEHOLDS} WHERE t.name = :n AND source_id IN ('b113','b112') ORDER BY source_id", n=territory)
    assert found == [(30, 30, "given"), (100, 100, "given")]


def test_ambiguous_names_list_their_candidates(engine, territory, table):
    (line,) = tables.preview(engine, table("名称,户数\n0栋,5\n"), territory).lines
    assert line.building is not None
    with engine.begin() as connection:
        from sqlalchemy import text

        connection.execute(text("UPDATE building SET name = '0栋' WHERE source_id IN ('b113','b112')"))
    (line,) = tables.preview(engine, table("名称,户数\n0栋,5\n"), territory).lines
    assert line.match.outcome == "ambiguous"
    assert {c.source_id for c in line.candidates} == {"b000", "b112", "b113"}
    (line,) = tables.preview(engine, table("名称,户数\n翠湖公馆0栋,5\n"), territory).lines
    assert line.building.source_id == "b000"


def test_a_table_after_publication_leaves_what_is_in_force(engine, territory, table, one):
    done = publishing.publish(engine, territory)
    tables.import_table(engine, table("编号,户数\nb113,100\n"), territory, ruleset=RULES)
    total = "SELECT sum(households) FROM grid_version WHERE publication_id = :p"
    assert one(total, p=done.publication.id) == 72 * 40


def test_an_unknown_territory_is_told(engine, table):
    with pytest.raises(NotFoundError, match=r"store\.no_territory"):
        tables.preview(engine, table("编号,户数\nb113,100\n"), "nowhere")


def test_stored_sources_come_back_as_they_were(engine, territory, drawn):
    with engine.connect() as connection:
        found = sources.load(connection, territories.get(connection, territory))
    given = drawn()
    for name in ("streets", "buildings", "compounds", "communities"):
        kept, put = getattr(found, name), getattr(given, name)
        assert list(kept.source_id) == list(put.source_id)
        assert all(a.equals(b) for a, b in zip(kept.geometry, put.geometry, strict=True))
        assert list(kept.name) == list(put.name)
    assert list(found.buildings.households) == list(given.buildings.households)
