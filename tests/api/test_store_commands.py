"""The commands on the database: what they say, write and refuse."""

import json

import pyogrio
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from api.cli.main import cli
from data.files import read_sources
from data.postgres.connect import engine_of
from data.samples import shipped
from gis.errors import WanggeError

pytestmark = pytest.mark.database
#: 3: some grid misses the rules and is named.
PLANNED = (0, 3)


@pytest.fixture(scope="module")
def run(database_url):
    """Run a command on this module's database, in English."""

    def run(*arguments, status=(0,)):
        environment = {"DATABASE_URL": database_url, "WANGGE_LANG": "en"}
        done = CliRunner().invoke(cli, [str(a) for a in arguments], env=environment, standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        assert (done.return_value or 0) in status
        return done.output

    return run


@pytest.fixture(scope="module")
def town(run):
    """The sample town, imported and planned."""
    said = run("import", "sample", "town")
    assert "town: 2,3" in said
    run("partition", "town", "--iterations", 2, status=PLANNED)
    return "town"


@pytest.fixture
def ask(database_url):
    def ask(query, **values):
        with engine_of(database_url) as engine, engine.connect() as connection:
            return connection.execute(text(query), values).all()

    return ask


def test_the_town_brings_its_people_and_divisions(town, ask):
    people, posts = (pyogrio.read_info(shipped.path_of("town"), layer=n)["features"] for n in ("workers", "posts"))
    assert ask("SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM post)") == [(people, posts)]
    assert ask("SELECT count(*) FROM community WHERE division_id IS NULL") == [(0,)]
    assert ask("SELECT level, count(*) > 0 FROM division GROUP BY level ORDER BY level") == [
        ("community", True), ("county", True), ("town", True),
    ]  # fmt: skip


def test_every_grid_of_the_town_has_somebody(run, town, ask):
    said = run("publish", town, "--staff")
    assert "Nobody" not in said
    lonely = ask(
        "SELECT g.code FROM grid_version g JOIN publication p ON p.id = g.publication_id WHERE NOT EXISTS"
        " (SELECT 1 FROM assignment a JOIN post o ON o.id = a.post_id WHERE a.grid_id = g.grid_id"
        " AND o.role = 'worker' AND a.valid_from <= p.valid_from)"
    )
    assert lonely == []
    twice = ask("SELECT building_id FROM building_grid GROUP BY publication_id, building_id HAVING count(*) > 1")
    assert twice == []


def test_report_of_a_draft(run, town, tmp_path):
    report = tmp_path / "report.json"
    run("partition", town, "--iterations", 1, "--plan", "other", "--report", report, status=PLANNED)
    found = json.loads(report.read_text(encoding="utf-8"))
    assert found["seamless"]
    assert found["households"] == sum(c["households"] for c in found["communities"])


def test_tables_are_previewed_then_written(run, town, tmp_path, ask):
    ((source_id, households),) = ask("SELECT source_id, households FROM building WHERE households > 20 LIMIT 1")
    path = tmp_path / "t.csv"
    path.write_text(f"编号,户数\n{source_id},{households + 5}\nnone,3\n", encoding="utf-8-sig")
    said = run("import", "tables", path, "--territory", town, "--preview")
    assert "1 match a building (1 by id" in said
    assert "Row 3 (none): no such building." in said
    with pytest.raises(WanggeError, match=r"table\.not_written"):
        run("import", "tables", path, "--territory", town)
    assert ask("SELECT count(*) FROM building WHERE table_households IS NOT NULL") == [(0,)]
    assert "1 buildings written" in run("import", "tables", path, "--territory", town, "--skip-unmatched")
    found = ask("SELECT households FROM building WHERE source_id = :s", s=source_id)
    assert found == [(households + 5,)]


def test_a_place_is_read_under_its_own_name(run, monkeypatch, ask):
    asked = []

    def answer(query, *, progress):
        asked.append(query)
        return read_sources(shipped.path_of("town"))

    monkeypatch.setattr("data.place.read_place", answer)
    run("import", "place", "Somewhere, Far", "--title", "某地")
    assert asked == ["Somewhere, Far"]
    assert ask("SELECT title, fictitious FROM territory WHERE name = 'Somewhere, Far'") == [("某地", False)]
    assert ask("SELECT source FROM import_run ORDER BY id DESC LIMIT 1") == [("Somewhere, Far",)]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("publish", "nowhere"), "store.no_territory"),
        (("partition", "nowhere"), "store.no_territory"),
        (("publish", "town", "--plan", "none"), "store.no_plan"),
        (("import", "file", "missing.gpkg", "--territory", "x"), "input.missing_file"),
        (("import", "tables", "missing.csv", "--territory", "town"), "input.missing_file"),
    ],
)
def test_faults_are_told_by_their_code(run, town, arguments, code):
    with pytest.raises(WanggeError) as told:
        run(*arguments)
    assert told.value.code == code
