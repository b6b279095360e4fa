"""Addresses and plates on a real PostGIS: issued once, kept for ever, printed only when they read back."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from api.services import importing
from api.services.addresses import addresses
from api.services.plans import planning, publishing
from api.services.plates import pages, plates
from api.services.published import Published
from data.postgres.plates import read_plates
from gis.addressing import codes
from gis.addressing.codes import Verdict
from gis.errors import InputError, NotFoundError

pytestmark = pytest.mark.database

RULES = planning.ruleset_of("default")
ALL = "SELECT a.id, a.code, a.text, a.number_text, a.level, b.source_id FROM address a"
ALL += " JOIN building b ON b.id = a.building_id"
ALL += " JOIN territory t ON t.id = a.territory_id WHERE t.name = :n ORDER BY a.id"


@pytest.fixture
def place(engine, drawn, request):
    """The drawn town, imported under this test's own name."""
    name = request.node.name
    importing.import_sources(engine, drawn(), name, ruleset=RULES, origin="drawn")
    return name


def bring(engine, name, sources):
    importing.import_sources(engine, sources, name, ruleset=RULES, origin="drawn")


def with_homes(sources):
    """Every building: 2 units, 3 floors, 12 dwellings."""
    n = len(sources.buildings)
    known = replace(sources.buildings, units=np.full(n, 2.0), floors=np.full(n, 3.0), dwellings=np.full(n, 12.0))
    return replace(sources, buildings=known, digest="homes")


def test_every_building_gets_one_address_and_a_second_run_changes_nothing(engine, place, rows):
    done = addresses.assign_territory(engine, place)
    first = rows(ALL, n=place)
    assert done.issued == len(first) == 72
    assert all(codes.is_code(r.code) for r in first)
    assert Counter(r.level for r in first) == {"building": 6, "premise": 66}
    assert len({r.source_id for r in first}) == len({r.text for r in first}) == 72
    assert {r.text for r in first if r.level == "building"} == {f"翠湖公馆{k}栋" for k in range(6)}
    again = addresses.assign_territory(engine, place)
    assert (again.issued, again.total) == (0, done.total)
    assert rows(ALL, n=place) == first
    assert again.faults == done.faults


def test_both_branches_lead_to_the_same_building(engine, place, rows):
    addresses.assign_territory(engine, place)
    found = rows(
        "SELECT a.text, x.text AS other FROM address a JOIN address_alias x ON x.address_id = a.id"
        " JOIN territory t ON t.id = a.territory_id WHERE t.name = :n AND a.level = 'building'",
        n=place,
    )
    assert len(found) == 6
    assert all(r.other.endswith(r.text) and "号路" in r.other for r in found)


def test_later_buildings_take_new_numbers_and_old_ones_keep_theirs(engine, drawn, rows, request):
    name = request.node.name
    bring(engine, name, drawn(skip=("b114", "b205", "b002", "b311")))
    addresses.assign_territory(engine, name)
    before = rows(ALL, n=name)
    bring(engine, name, drawn(digest="two"))
    done = addresses.assign_territory(engine, name)
    after = rows(ALL, n=name)
    assert done.issued == 4
    assert after[: len(before)] == before
    assert len({r.text for r in after}) == len(after) == 72
    numbers = rows(
        "SELECT thoroughfare_id, number_text, count(*) FROM address a JOIN territory t ON t.id = a.territory_id"
        " WHERE t.name = :n AND compound_id IS NULL AND thoroughfare_id IS NOT NULL GROUP BY 1, 2"
        " HAVING count(*) > 1",
        n=name,
    )
    assert numbers == []


def test_a_building_that_is_gone_keeps_its_address(engine, place, drawn, rows):
    addresses.assign_territory(engine, place)
    before = rows(ALL, n=place)
    bring(engine, place, drawn(skip=("b114",), digest="two"))
    addresses.assign_territory(engine, place)
    assert rows(ALL, n=place) == before


def test_units_and_rooms_hang_below_their_building(engine, place, drawn, rows):
    addresses.assign_territory(engine, place)
    before = rows(ALL, n=place)
    bring(engine, place, with_homes(drawn()))
    done = addresses.assign_territory(engine, place)
    assert done.total == {"building": 6, "premise": 66, "unit": 144, "room": 864}
    assert rows(ALL, n=place)[:72] == before
    levels = rows(
        "SELECT a.level, p.level AS above, count(*) FROM address a JOIN address p ON p.id = a.parent_id"
        " AND p.building_id = a.building_id AND starts_with(a.text, p.text)"
        " JOIN territory t ON t.id = a.territory_id WHERE t.name = :n GROUP BY 1, 2 ORDER BY 1, 2",
        n=place,
    )
    assert [tuple(r) for r in levels] == [("room", "unit", 864), ("unit", "building", 12), ("unit", "premise", 132)]
    assert addresses.assign_territory(engine, place).issued == 0


def test_a_preview_writes_nothing(engine, place, rows):
    done = addresses.assign_territory(engine, place, write=False)
    assert (done.issued, done.buildings) == (0, 72)
    assert rows(ALL, n=place) == []


def test_codes_are_unique_over_all_territories(engine, drawn, one, request):
    for k in "ab":
        bring(engine, request.node.name + k, drawn())
        # the same lots are drawn: what is taken must be stepped over
        addresses.assign_territory(engine, request.node.name + k, rng=random.Random(3))
    assert one("SELECT count(*) - count(DISTINCT code) FROM address") == 0


def test_unknown_territory(engine):
    with pytest.raises(NotFoundError):
        addresses.assign_territory(engine, "nowhere")


def test_plates_of_a_community_are_verified_and_kept(engine, place, rows):
    addresses.assign_territory(engine, place)
    done = plates.print_community(engine, place, "430104007002", actor="test")
    assert (done.community, done.plates, done.verified) == ("西社区", 36, 36)
    assert done.pdf.startswith(b"%PDF-1.7")
    kept = rows("SELECT a.code, p.payload, p.key_id FROM plate p JOIN address a ON a.id = p.address_id"
                " WHERE p.batch_id = :b", b=done.batch)  # fmt: skip
    with engine.connect() as connection:
        host, secret = read_plates.key(connection, done.key_id)
    assert len(kept) == 36
    for code, payload, key_id in kept:
        assert payload.startswith(f"https://{host}/d/{code}.{key_id}")
        assert codes.verify(payload, host=host, secrets={key_id: secret}) == (Verdict.SIGNED, code)
    (batch,) = rows("SELECT plates, verified, size, ordered_by FROM plate_batch WHERE id = :b", b=done.batch)
    assert tuple(batch) == (36, 36, "medium", "test")


def test_files_of_a_batch(engine, place, tmp_path):
    addresses.assign_territory(engine, place)
    sheet, table = tmp_path / "plates.pdf", tmp_path / "plates.csv"
    done = plates.print_to_file(engine, place, sheet, "西社区", size="small", table=table)
    assert sheet.read_bytes() == done.pdf
    read = list(csv.DictReader(io.StringIO(table.read_text("utf-8-sig"))))
    assert len(read) == 36
    assert {r["qr_text"] for r in read} == {p.url for p in done.shown}
    assert all(codes.is_code(r["code"].replace(" ", "")) for r in read)
    code = read[0]["code"]
    for ending, start in ((".svg", b"<svg"), (".png", b"\x89PNG"), (".pdf", b"%PDF")):
        plates.picture(engine, code, tmp_path / f"one{ending}")
        assert (tmp_path / f"one{ending}").read_bytes().startswith(start)
    with pytest.raises(InputError):
        plates.picture(engine, code, tmp_path / "one.gif")
    with pytest.raises(NotFoundError):
        plates.picture(engine, "12345678901234", tmp_path / "none.svg")
    with pytest.raises(InputError):
        plates.print_to_file(engine, place, tmp_path / "no folder" / "x.pdf", "西社区")
    assert sorted(f.name for f in tmp_path.iterdir()) == ["one.pdf", "one.png", "one.svg", "plates.csv", "plates.pdf"]


def test_keys_are_made_once_and_old_ones_verify_for_ever(engine, place):
    addresses.assign_territory(engine, place)
    one = plates.print_community(engine, place, "东社区", host="a.example.cn")
    two = plates.print_community(engine, place, "东社区", host="A.example.cn")
    assert one.key_id == two.key_id
    old = plates.rotate_key(engine)
    new = plates.rotate_key(engine)
    assert old != new
    with engine.connect() as connection:
        keys = {k: read_plates.key(connection, k) for k in (one.key_id, old, new)}
    code = codes.new_codes(1, random.Random(1))[0]
    for key_id, (host, secret) in keys.items():
        url = codes.plate_url(host, code, key_id, secret)
        assert codes.verify(url, host=host, secrets={k: v[1] for k, v in keys.items()})[0] is Verdict.SIGNED


def test_a_host_is_set_for_new_plates(engine, place):
    addresses.assign_territory(engine, place)
    assert plates.set_host(engine, "DZ.example.cn") == "dz.example.cn"
    assert plates.print_community(engine, place, "东社区", size="small").host == "dz.example.cn"
    with pytest.raises(InputError):
        plates.set_host(engine, "https://dz.example.cn/")


def test_a_missing_character_stops_the_job_and_nothing_is_kept(engine, drawn, one, request):
    sources = drawn(digest="rare")
    names = sources.streets.name.copy()
    names[:] = "𠀀家街"
    bring(engine, request.node.name, replace(sources, streets=replace(sources.streets, name=names)))
    addresses.assign_territory(engine, request.node.name)
    before = one("SELECT count(*) FROM plate_batch"), one("SELECT count(*) FROM plate_key")
    with pytest.raises(InputError) as caught:
        plates.print_community(engine, request.node.name, "东社区", host="rare.example.cn")
    assert "U+20000" in str(caught.value.values["characters"])
    assert (one("SELECT count(*) FROM plate_batch"), one("SELECT count(*) FROM plate_key")) == before


def test_without_communities_the_whole_territory_is_printed_until_it_has_some(engine, drawn, rows, request):
    name = request.node.name
    bring(engine, name, drawn(communities=False))
    addresses.assign_territory(engine, name)
    done = plates.print_community(engine, name, size="small")
    assert (done.community, done.plates, done.verified) == (name, 72, 72)
    before = rows(ALL, n=name)
    bring(engine, name, drawn(digest="two"))
    addresses.assign_territory(engine, name)
    assert rows(ALL, n=name) == before
    assert plates.print_community(engine, name, "西社区").plates == 36


def test_what_cannot_be_printed_says_so(engine, place):
    with pytest.raises(NotFoundError, match=r"plates\.none"):
        plates.print_community(engine, place)
    addresses.assign_territory(engine, place)
    with pytest.raises(NotFoundError, match=r"plates\.no_community"):
        plates.print_community(engine, place, "nowhere")
    with pytest.raises(InputError):
        plates.print_community(engine, place, size="huge")
    with pytest.raises(NotFoundError, match=r"plates\.none_of_size"):
        plates.print_community(engine, place, "西社区", size="building")


def test_a_scanned_plate_names_its_address_and_todays_grid(engine, territory, rows):
    publishing.publish(engine, territory, staff=False, demo_people=True)
    addresses.assign_territory(engine, territory)
    done = plates.print_community(engine, territory, "东社区")
    link, text, grid = rows(
        "SELECT p.payload, a.text, bg.grid_id::text FROM plate p JOIN address a ON a.id = p.address_id"
        " JOIN building_grid bg ON bg.building_id = a.building_id WHERE p.batch_id = :b ORDER BY p.id LIMIT 1",
        b=done.batch,
    )[0]  # fmt: skip
    page = pages.plate(Published(engine), link)
    assert (page.verdict, page.address) == ("signed", text)
    assert page.grid is not None
    assert page.grid.grid_id == grid
    assert page.people
    forged = link[:-1] + ("A" if link[-1] != "A" else "B")
    assert pages.plate(Published(engine), forged).verdict == "forged"
