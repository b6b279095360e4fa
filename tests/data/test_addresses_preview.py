"""Numbers looked at before they are issued, rulesets by name or file, breaks as files, gates of compounds."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
import shapely
from click.testing import CliRunner
from sqlalchemy import text

from api.cli.address import address
from api.services import importing
from api.services.addresses import addresses, addresses_page
from api.services.plans import planning
from data.postgres.imported import entrances, territories
from data.staff import Entrance
from gis.addressing import gates
from gis.errors import InputError

pytestmark = pytest.mark.database

RULES = planning.ruleset_of("default")
COUNT = "SELECT count(*) FROM address a JOIN territory t ON t.id = a.territory_id WHERE t.name = :n"


@pytest.fixture
def place(engine, drawn, request):
    """The drawn town, imported under this test's own name."""
    name = request.node.name
    importing.import_sources(engine, drawn(), name, ruleset=RULES, origin="drawn")
    return name


def test_a_preview_writes_nothing_and_shows_every_number(engine, place, rows, tmp_path):
    done, made = addresses.preview_territory(engine, place)
    file = tmp_path / "preview.html"
    assert addresses_page.write_preview(made, done, file) == file.stat().st_size
    assert rows(COUNT, n=place)[0][0] == 0
    page = file.read_text("utf-8")
    for number in made.found.text[made.found.text != ""]:
        assert json.dumps(str(number))[1:-1] in page or str(number) in page
    assert "default-src 'none'" in page
    assert 'src="http' not in page
    assert "未核对" in page
    assert addresses.assign_territory(engine, place).issued == (made.found.text != "").sum()
    kind = addresses_page.kinds(made)
    assert set(kind) <= {"new", "none", ""}
    _, again = addresses.preview_territory(engine, place)
    assert set(addresses_page.kinds(again)) <= {"kept", "none", ""}


def test_markup_in_a_street_name_stays_text(engine, drawn, request, tmp_path):
    sources = drawn()
    evil = "<img src=x onerror=alert(1)>`${alert(2)}{{ 7 * 7 }}</script>"
    streets = replace(sources.streets, name=np.array([evil] * len(sources.streets), dtype=object))
    importing.import_sources(
        engine, replace(sources, streets=streets, digest="evil"), request.node.name, ruleset=RULES, origin="drawn"
    )
    done, made = addresses.preview_territory(engine, request.node.name)
    page = addresses_page.render(made, done, "en")
    assert "<img src=x" not in page
    assert page.count("</script>") == page.count("<script")
    assert "49</" not in page


def test_another_ruleset_numbers_otherwise_and_is_named(engine, place):
    usual, _ = addresses.preview_territory(engine, place)
    metric, made = addresses.preview_territory(engine, place, rule=addresses.rule_of("metric"))
    assert (usual.ruleset, metric.ruleset) == ("beijing2012", "metric")
    assert metric.unverified
    assert made.found.base.max() > 100
    with pytest.raises(InputError, match="ruleset_not_found"):
        addresses.rule_of("nowhere")


def test_a_number_that_breaks_a_gate_stops_everything(engine, place, rows, monkeypatch):
    monkeypatch.setattr(gates, "check", lambda *_, **__: (gates.Violation("order", 0, "7"),))
    with pytest.raises(InputError, match=r"addresses\.gates"):
        addresses.assign_territory(engine, place)
    assert rows(COUNT, n=place)[0][0] == 0


def test_breaks_as_json_and_csv(engine, drawn, request, tmp_path):
    sources = drawn()
    number = sources.buildings.housenumber.copy()
    street = sources.buildings.street.copy()
    number[:2], street[:2] = "8号", "没有的路"
    known = replace(sources.buildings, housenumber=number, street=street)
    importing.import_sources(
        engine, replace(sources, buildings=known, digest="mess"), request.node.name, ruleset=RULES, origin="drawn"
    )
    done, _ = addresses.preview_territory(engine, request.node.name)
    file = tmp_path / "faults.json"
    addresses.write_faults(file, done, lambda reason: f"<{reason}>")
    said = json.loads(file.read_text("utf-8"))
    assert said["by_class"]["有号无址"] == 2
    assert said["breaks"][0]["explanation"].startswith("<")
    assert len(said["breaks"]) == len(done.faults)


def test_gates_get_addresses_of_their_own_and_keep_them(engine, place, rows):
    with engine.begin() as connection:
        of = territories.get(connection, place)
        name, area = connection.execute(
            text("SELECT name, ST_AsBinary(geom) FROM compound WHERE territory_id = :t ORDER BY id LIMIT 1"),
            {"t": of.id},
        ).one()
        west, south, east, north = shapely.from_wkb(bytes(area)).bounds
        places = [shapely.Point(west, (south + north) / 2), shapely.Point(east, (south + north) / 2)]
        given = [Entrance("", n, p, name) for n, p in zip(("西门", "东门"), places, strict=True)]
        assert entrances.save(connection, of, given, date(2026, 1, 1)) == 2
    addresses.assign_territory(engine, place)
    query = (
        "SELECT a.code, a.text, a.entrance_id, a.parent_id FROM address a JOIN territory t ON t.id = a.territory_id"
        " WHERE t.name = :n AND a.level = 'entrance'"
    )
    found = rows(query, n=place)
    assert len(found) == 1, "one gate stands for the compound, the other has a number of its own"
    assert found[0].text.endswith("门")
    assert found[0].entrance_id
    assert found[0].parent_id is None
    assert addresses.assign_territory(engine, place).issued == 0
    assert rows(query, n=place) == found


def test_rulesets_are_listed(monkeypatch):
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    said = CliRunner().invoke(address, ["rules"])
    assert said.exit_code == 0
    assert "beijing2012" in said.output
    assert "未核对" in said.output
    one = CliRunner().invoke(address, ["rules", "metric"])
    assert "fx361.cc" in one.output
