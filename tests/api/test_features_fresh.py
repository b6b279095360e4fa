"""Whatever a feature shows: when it changes, the next answer is another, with another ETag; no old page is kept."""

from __future__ import annotations

import psycopg
import pytest

pytestmark = pytest.mark.database

ITEMS = "/ogc/collections/{}/items"
#: What is changed -> collections that show it.
CHANGES = [
    *((f"UPDATE building SET {set_}", ("buildings",)) for set_ in (
        "source_id = source_id || 'x'", "name = 'new'", "use = 'school'", "street = '新路'", "housenumber = '8'",
        "levels = 7", "height = 21.5", "households = households + 1", "households_source = 'levels'",
        "geom_3857 = ST_Translate(geom_3857, 1, 1)", "present = false WHERE source_id LIKE 'b2%%'",
    )),
    *((f"UPDATE grid_version SET {set_}", ("grids", *others)) for set_, others in (
        ("code = code || 'x'", ("buildings", "addresses")), ("name = 'new'", ()), ("kind = 'rural'", ()),
        ("households = households + 1", ("communities",)), ("counted = counted + 1", ()),
        ("buildings = buildings + 1", ("communities",)), ("on_street_share = 0.5", ()), ("compactness = 0.5", ()),
        ("note = 'new'", ()), ("geom_3857 = ST_Translate(geom_3857, 1, 1)", ()),
    )),
    *((f"UPDATE address SET {set_}", ("addresses",)) for set_ in (
        "text = 'new'", "level = 'unit'", "number_text = 'x'", "building_no = '3'", "unit = '2'", "floor = '5'",
        "room = '501'", "origin = 'existing'", "thoroughfare_id = NULL WHERE number = 12",
    )),
    ("UPDATE community SET name = name || 'x'", ("communities", "grids")),
    ("UPDATE community SET code = code || 'x'", ("communities", "grids")),
    ("UPDATE community SET present = NOT present WHERE source_id = 'c1'", ("communities",)),
    ("UPDATE thoroughfare SET name = '新街'", ("addresses",)),
    ("WITH m AS (INSERT INTO compound (territory_id, source_id, name, geom, geom_3857) SELECT id, 's', '小区', geom, "
     "geom_3857 FROM territory LIMIT 1 RETURNING id) UPDATE address SET compound_id = m.id FROM m", ("addresses",)),
    ("UPDATE compound SET name = '花园'", ("addresses",)),
    ("UPDATE territory SET name = name || 'x'", ("grids", "communities", "buildings", "addresses")),
    ("UPDATE building_grid b SET grid_id = (SELECT max(grid_id::text)::uuid FROM grid_version g "
     "WHERE g.publication_id = b.publication_id)", ("buildings", "addresses")),
    ("DELETE FROM building_grid", ("buildings", "addresses")),
]  # fmt: skip


@pytest.fixture(scope="module")
def database(world):
    with psycopg.connect(world.url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True) as made:
        yield made


@pytest.mark.parametrize(("change", "shown_by"), CHANGES, ids=[c[0][:60] for c in CHANGES])
def test_a_change_of_anything_shown_is_seen_at_once(client, database, change, shown_by):
    paths = [ITEMS.format(name) for name in shown_by]
    before = [client.get(path) for path in paths]
    assert [client.get(p).get_data() for p in paths] == [b.get_data() for b in before]  # kept by now
    database.execute(change)
    for path, old in zip(paths, before, strict=True):
        new = client.get(path, headers={"If-None-Match": old.headers["ETag"]})
        assert new.status_code == 200, path
        assert new.get_data() != old.get_data(), path


def test_what_nobody_sees_changes_nothing(client, database):
    before = client.get(ITEMS.format("buildings")).headers["ETag"]
    database.execute("UPDATE building SET street = street")
    assert client.get(ITEMS.format("buildings")).headers["ETag"] == before
