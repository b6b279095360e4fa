"""Codes and plates in use, on a real PostGIS: hung, lost, moved; revoked, merged, split; foreign codes; lists."""

from __future__ import annotations

import io
from datetime import date, timedelta

import openpyxl
import pytest
from PIL import Image

from api.services import importing
from api.services.addresses import address_life, addresses, foreign_codes
from api.services.plans import planning
from api.services.plates import pages, plate_life, plate_lists, plate_tables, plate_verify, plates, scan
from api.services.plates.plate_life import Position
from api.services.published import Published
from gis.addressing import codes, signed_list
from gis.errors import ConflictError, InputError, NotFoundError

pytestmark = pytest.mark.database

RULES = planning.ruleset_of("default")


@pytest.fixture
def town(engine, drawn, request, rows):
    """The drawn town with addresses, and the plates of its western community."""
    name = request.node.name
    importing.import_sources(engine, drawn(), name, ruleset=RULES, origin="drawn")
    addresses.assign_territory(engine, name)
    return name


@pytest.fixture
def printed(engine, town):
    return plates.print_community(engine, town, "西社区", size="small", actor="printer", ordered_by="西社区居委会")


@pytest.fixture
def spots(engine, town, rows):
    """Address code -> a corner of its building in the town's metre CRS (EPSG:32650)."""
    found = rows(
        "SELECT a.code, ST_XMin(b.geom), ST_YMin(b.geom) FROM address a JOIN building b ON b.id = a.building_id"
        " JOIN territory t ON t.id = a.territory_id WHERE t.name = :n", n=town,
    )  # fmt: skip
    return {code: (x, y) for code, x, y in found}


def at(spots, code, east=0.0, accuracy=0.0):
    x, y = spots[code]
    return Position(x - east, y, "EPSG:32650", accuracy)


def verdict(engine, text):
    return pages.plate(Published(engine), text).verdict


def photo():
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(out, "JPEG")
    return out.getvalue()


def test_a_batch_from_order_to_wall(engine, town, printed, spots):
    (batch,) = plate_life.batches(engine, town)
    assert (batch.ordered_by, batch.printed_by, batch.purpose) == ("西社区居委会", "printer", "new")
    assert (batch.plates, batch.verified, batch.states) == (36, 36, {"printed": 36})
    link = printed.shown[0].url
    code = printed.shown[0].code
    done = plate_life.install(
        engine, link, by="李四", position=at(spots, code, east=4.0), photo=photo(), actor="test"
    )
    assert (done.status, done.nearness, done.replaced) == ("installed", "near", 0)
    assert done.distance == pytest.approx(4.0, abs=0.01)
    (row,) = plate_life.listing(engine, town, status="installed")
    assert (row.code, row.installed_by, row.installed_on) == (code, "李四", row.since)
    assert row.distance == pytest.approx(4.0, abs=0.01)
    assert row.photo > 0
    assert plate_life.batches(engine, town)[0].states == {"installed": 1, "printed": 35}
    assert plate_life.suspicious(engine, town) == []


def test_a_lost_plate_is_printed_again_and_the_new_one_takes_its_place(engine, town, printed, spots):
    link, code = printed.shown[0].url, printed.shown[0].code
    plate_life.install(engine, link)
    plate_life.mark(engine, link, "lost", note="吹落")
    assert verdict(engine, link) == "lost"
    assert verdict(engine, code) == "typed"
    (todo,) = plate_life.reprints(engine, town)
    assert (todo.code, todo.why) == (code, "lost")
    again = plates.print_community(engine, town, size="small", reprint=True, actor="printer")
    assert [p.code for p in again.shown] == [code]
    assert again.shown[0].url != link  # another key signed it, so the lost one stays known
    assert verdict(engine, link) == "lost"
    assert plate_life.reprints(engine, town) == []
    assert plate_life.batches(engine, town)[1].purpose == "reprint"
    assert plate_life.install(engine, code).batch == again.batch
    assert verdict(engine, again.shown[0].url) == "signed"
    assert verdict(engine, link) == "lost"
    with pytest.raises(NotFoundError):
        plates.print_community(engine, town, size="small", reprint=True)


def test_no_plate_ever_carries_the_link_of_a_lost_one(engine, town, printed):
    """However often it is lost, and also when its whole community is printed anew; the others keep their key."""
    code, other = printed.shown[0].code, printed.shown[1].url
    links = [printed.shown[0].url]
    for reprint in (True, False, True):
        plate_life.mark(engine, links[-1], "lost")
        again = plates.print_community(engine, town, "西社区", size="small", reprint=reprint)
        by_code = {p.code: p.url for p in again.shown}
        links.append(by_code[code])
        assert reprint or by_code[codes.parse(other).code] == other
        assert [verdict(engine, link) for link in links] == ["lost"] * (len(links) - 1) + ["signed"]
    assert len(set(links)) == 4
    keys = {k.key_id: k.series for k in plate_lists.keys(engine).plates}
    mine = [keys[codes.parse(link).key_id] for link in links]
    assert mine == [0, 1, 2, 3]
    plates.rotate_key(engine)  # a key that leaked is retired with those of its replacements
    new = plates.print_community(engine, town, "西社区", size="small")
    assert len({codes.parse(p.url).key_id for p in new.shown}) == 1
    assert [verdict(engine, link) for link in links] == ["lost"] * 3 + ["signed"]


def test_a_reprint_is_of_the_size_that_was_lost(engine, town, printed):
    assert plates.reprint_size(engine, town) == "medium"  # nothing is to be printed again
    plate_life.mark(engine, printed.shown[0].url, "lost")
    assert [t.size for t in plate_life.reprints(engine, town)] == ["small"]
    assert plates.reprint_size(engine, town) == "small"
    with pytest.raises(NotFoundError):
        plates.print_community(engine, town, size="large", reprint=True)
    other = plates.print_community(engine, town, "东社区", size="large")
    plate_life.mark(engine, other.shown[0].url, "revoked")
    with pytest.raises(InputError, match=r"plates\.reprint_sizes") as caught:
        plates.reprint_size(engine, town)
    assert caught.value.values["sizes"] == "large (1), small (1)"
    again = plates.print_community(engine, town, size="large", reprint=True)
    assert [p.code for p in again.shown] == [other.shown[0].code]
    assert plates.reprint_size(engine, town) == "small"


def test_a_new_plate_replaces_the_old_one(engine, town, printed):
    code = printed.shown[3].code
    plate_life.install(engine, code)
    plates.rotate_key(engine)
    other = plates.print_community(engine, town, "西社区", size="small")
    mine = next(p for p in other.shown if p.code == code)
    assert plate_life.install(engine, mine.url).replaced == 1
    assert verdict(engine, printed.shown[3].url) == "replaced"
    with pytest.raises(ConflictError, match=r"life\.move"):
        plate_life.install(engine, printed.shown[3].url)


def test_a_renamed_address_is_on_the_reprint_list(engine, town, printed, rows):
    from sqlalchemy import text

    code = printed.shown[1].code
    with engine.begin() as connection:
        connection.execute(text("UPDATE address SET text = '新名路1号' WHERE code = :c"), {"c": code})
    assert [(t.code, t.why) for t in plate_life.reprints(engine, town)] == [(code, "renamed")]
    page = pages.plate(Published(engine), printed.shown[1].url)
    assert page.address == "新名路1号"
    assert page.shown.endswith("号")
    assert page.shown != page.address
    again = plates.print_community(engine, town, "西社区", size="small", reprint=True)
    assert again.shown[0].url != printed.shown[1].url  # the old words hang until they are taken down
    plate_life.install(engine, again.shown[0].url)
    assert verdict(engine, printed.shown[1].url) == "replaced"


def test_moved_and_copied_plates_are_found_by_where_they_are_seen(engine, town, printed, spots):
    moved, copied, fine, vague = (p.code for p in printed.shown[:4])
    for code in (moved, copied, fine, vague):
        plate_life.install(engine, code, position=at(spots, code))
    assert plate_life.check(engine, moved, at(spots, moved, east=80)).nearness == "far"
    plate_life.check(engine, copied, at(spots, copied, east=500))
    plate_life.check(engine, copied, at(spots, copied, east=1))
    plate_life.check(engine, fine, at(spots, fine, east=25))
    assert plate_life.check(engine, vague, at(spots, vague, east=80, accuracy=100)).nearness == "unsure"
    found = {t.code: t for t in plate_life.suspicious(engine, town)}
    assert {c: t.why for c, t in found.items()} == {moved: "moved", copied: "copied"}
    assert found[copied].distance == pytest.approx(500, abs=0.1)
    plate_life.settle(engine, moved, note="已收回")
    assert [t.code for t in plate_life.suspicious(engine, town)] == [copied]


def test_every_datum_is_understood_and_none_is_guessed(engine, town, printed, spots):
    import numpy as np

    from gis.locate import datums

    code = printed.shown[0].code
    x, y = spots[code]
    lon, lat = datums.to_wgs84(np.array([x]), np.array([y]), datums.parse("EPSG:32650"))
    for name in ("wgs84", "gcj02", "bd09"):
        u, v = datums.from_wgs84(lon, lat, datums.parse(name))
        done = plate_life.check(engine, code, Position(float(u[0]), float(v[0]), name))
        assert done.distance == pytest.approx(0, abs=0.6)
    wrong = datums.from_wgs84(lon, lat, datums.parse("gcj02"))
    assert plate_life.check(engine, code, Position(float(wrong[0][0]), float(wrong[1][0]), "wgs84")).nearness == "far"
    with pytest.raises(InputError):
        plate_life.check(engine, code, Position(112.0, 28.0, ""))
    with pytest.raises(InputError):
        plate_life.check(engine, code, Position(float("nan"), 28.0, "wgs84"))


def test_residents_say_that_a_plate_hangs_elsewhere(engine, town, printed):
    link = printed.shown[5].url
    number = scan.post(engine, link, scan.Posted("elsewhere", "", caller="192.0.2.1"))
    (told,) = scan.reports(engine, town)
    assert (told.number, told.kind, told.code) == (number, "elsewhere", printed.shown[5].code)
    (todo,) = plate_life.suspicious(engine, town)
    assert (todo.code, todo.why) == (printed.shown[5].code, "reported")
    plate_life.settle(engine, link)
    assert plate_life.suspicious(engine, town) == []


def test_a_crew_s_table_is_written_whole_or_not_at_all(engine, town, printed, spots, tmp_path):
    one, two = printed.shown[0], printed.shown[1]
    (tmp_path / "a.jpg").write_bytes(photo())
    table = tmp_path / "hung.csv"
    x, y = spots[one.code]
    good = f"{one.url},2021-05-01,王五,{x},{y},EPSG:32650,a.jpg"
    bad = [
        "12345678901234,,,,,,", f"{two.code},2026-13-01,,,,,", f"{two.code},,,112.0,,,", f"{two.code},,,,,,../a.jpg",
        f"{two.code},,,112,28,,", f"{two.code},,,,,,none.jpg",
    ]  # fmt: skip
    table.write_text("\n".join(["门牌,安装日期,安装人,经度,纬度,坐标系,照片", good, *bad]), "utf-8")
    done = plate_tables.install_file(engine, table, photos=tmp_path)
    assert [f.row for f in done.faults] == [3, 4, 5, 6, 7, 8]
    assert all(f.said("zh-CN") and f.said("en") for f in done.faults)
    assert plate_life.listing(engine, town, status="installed") == []
    done = plate_tables.install_file(engine, table, photos=tmp_path, skip_faults=True)
    (row,) = plate_life.listing(engine, town, status="installed")
    assert (row.code, row.installed_on, row.installed_by) == (one.code, date(2021, 5, 1), "王五")
    assert row.photo


def test_merged_codes_lead_on_and_the_old_name_is_still_known(engine, town, printed, rows):
    one, two, three = (p.code for p in printed.shown[:3])
    done = address_life.merge(engine, one, two, note="两栋打通", actor="test")
    assert (done.status, done.into) == ("merged", (two,))
    address_life.merge(engine, two, three)
    page = pages.plate(Published(engine), printed.shown[0].url)
    assert (page.verdict, page.successor, page.scanned) == ("merged", three, True)
    assert page.since == done.on  # not the day after, although it was issued on the same day
    former = rows("SELECT x.text FROM address_alias x JOIN address a ON a.id = x.address_id"
                  " WHERE a.code = :c AND x.kind = 'former'", c=three)  # fmt: skip
    assert len(former) == 1
    with pytest.raises(ConflictError, match=r"life\.ended"):
        address_life.merge(engine, one, three)
    with pytest.raises(InputError, match=r"life\.itself"):
        address_life.merge(engine, three, three)
    told = address_life.history(engine, one)
    assert [e.kind for e in told.entries][-1] == "address_merged"
    assert any(e.kind == "plates_printed" for e in told.entries)


def test_a_building_whose_address_was_merged_gets_no_new_one(engine, town, printed, one):
    address_life.merge(engine, printed.shown[0].code, printed.shown[1].code)
    address_life.revoke(engine, printed.shown[2].code)
    before = one("SELECT count(*) FROM address WHERE status = 'issued'")
    done = addresses.assign_territory(engine, town)
    assert done.issued == 1  # the revoked one: that building stands without an address
    assert one("SELECT count(*) FROM address WHERE status = 'issued'") == before + 1


def test_a_split_code_names_its_parts_and_a_revoked_one_ends(engine, town, printed):
    whole, one, two, gone = (p.code for p in printed.shown[:4])
    address_life.split(engine, whole, [one, two])
    page = pages.plate(Published(engine), printed.shown[0].url)
    assert (page.verdict, [p.code for p in page.parts]) == ("split", [one, two])
    done = address_life.revoke(engine, gone)
    assert done.plates == 1
    assert verdict(engine, printed.shown[3].url) == verdict(engine, gone) == "revoked"
    for call in (
        lambda: address_life.split(engine, one, [two]),
        lambda: address_life.split(engine, one, [one, two]),
        lambda: address_life.revoke(engine, one, on=date.today() + timedelta(days=3)),  # noqa: DTZ011
        lambda: address_life.revoke(engine, one, on=date(1999, 1, 1)),
        lambda: address_life.revoke(engine, "hello"),
    ):
        with pytest.raises(InputError):
            call()
    with pytest.raises(NotFoundError):
        address_life.revoke(engine, "12345678901147")


def test_nothing_is_ever_deleted(engine, town, printed, one):
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    before = one("SELECT count(*) FROM address")
    address_life.revoke(engine, printed.shown[0].code)
    address_life.merge(engine, printed.shown[1].code, printed.shown[2].code)
    assert one("SELECT count(*) FROM address") == before
    for table in ("address", "address_succession", "plate", "foreign_code", "list_key"):
        with pytest.raises(DBAPIError), engine.begin() as connection:
            connection.execute(text(f"DELETE FROM {table}"))


def test_units_and_rooms_end_with_their_building_only_when_asked(engine, drawn, one, request):
    from dataclasses import replace

    import numpy as np

    name = request.node.name
    sources = drawn()
    n = len(sources.buildings)
    known = replace(sources.buildings, units=np.full(n, 2.0), floors=np.full(n, 2.0), dwellings=np.full(n, 8.0))
    importing.import_sources(
        engine, replace(sources, buildings=known, digest="homes"), name, ruleset=RULES, origin="drawn"
    )
    addresses.assign_territory(engine, name)
    code = one("SELECT min(a.code) FROM address a JOIN territory t ON t.id = a.territory_id"
               " WHERE t.name = :n AND a.parent_id IS NULL", n=name)  # fmt: skip
    with pytest.raises(ConflictError, match=r"life\.parts"):
        address_life.revoke(engine, code)
    done = address_life.revoke(engine, code, with_parts=True)
    assert done.parts == 2 + 8
    left = "SELECT count(*) FROM address a JOIN territory t ON t.id = a.territory_id WHERE t.name = :n"
    assert one(left + " AND a.status = 'revoked'", n=name) == 11


def test_another_name_for_some_days(engine, town, printed):
    code = printed.shown[0].code
    address_life.name(engine, code, "东门大院 3栋", since=date(2020, 1, 1), until=date(2021, 1, 1))
    published = Published(engine)
    assert "东门大院 3栋" in pages.plate(published, code, date(2020, 6, 1)).aliases
    assert "东门大院 3栋" not in pages.plate(published, code).aliases
    with pytest.raises(ConflictError, match=r"life\.named"):
        address_life.name(engine, code, "东门大院  3栋", since=date(2020, 5, 1))
    address_life.name(engine, code, "东门大院 3栋", since=date(2021, 1, 1))
    with pytest.raises(InputError):
        address_life.name(engine, code, "x" * 201)


def test_foreign_codes_are_linked_many_to_one_with_days(engine, town, printed):
    code, other = printed.shown[0].code, printed.shown[1].code
    foreign_codes.link(engine, code, "公安门牌", "４３０１-7", since=date(2019, 1, 1))
    foreign_codes.link(engine, code, "GB/T 39609", "430104007006-1", since=date(2020, 1, 1), until=date(2021, 1, 1))
    assert [f.address for f in foreign_codes.find(engine, "4301-7")] == [code]
    with pytest.raises(ConflictError, match=r"codes\.taken"):
        foreign_codes.link(engine, other, "公安门牌", "4301-7", since=date(2022, 1, 1))
    foreign_codes.unlink(engine, "公安门牌", "4301-7", on=date(2022, 1, 1))
    foreign_codes.link(engine, other, "公安门牌", "4301-7", since=date(2022, 1, 1))
    assert [f.address for f in foreign_codes.find(engine, "4301-7", "公安门牌")] == [code, other]
    page = pages.plate(Published(engine), code, date(2020, 6, 1))
    assert {(c.system, c.code) for c in page.codes} == {("公安门牌", "4301-7"), ("GB/T 39609", "430104007006-1")}
    with pytest.raises(NotFoundError):
        foreign_codes.find(engine, "nothing")


def test_a_table_of_foreign_codes_has_a_line_for_every_fault(engine, town, printed, rows, tmp_path):
    one, two, three = printed.shown[:3]
    words = dict(rows("SELECT code, text FROM address WHERE code = ANY(:c)", c=[p.code for p in printed.shown]))
    lines = [
        ("外部编码", "地址编码", "标准地址", "生效日期", "失效日期"),
        ("P1", codes.printed(one.code), "", "2020-01-01", ""),
        ("P2", "", words[two.code], "2020年1月1日", "2021/1/1"),
        ("P1", three.code, "", "2021-01-01", ""),  # taken by the first row
        ("P4", one.code[:-1] + str((int(one.code[-1]) + 1) % 10), "", "", ""),
        ("P5", "", "没有的路1号", "", ""),
        ("P6", one.code, words[two.code], "", ""),
        ("", one.code, "", "", ""),
        ("P8", one.code, "", "昨天", ""),
        ("P9", one.code, "", "2021-01-01", "2020-01-01"),
        ("P10", "", "", "", ""),
        ("P11", "12345678901147", "", "", ""),
    ]
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    file = tmp_path / "police.xlsx"
    book.save(file)
    done = foreign_codes.import_file(engine, town, file, system="公安")
    assert not done.written
    assert {f.row: f.reason for f in done.faults} == {
        4: "taken", 5: "mistyped", 6: "no_text", 7: "contradiction", 8: "foreign", 9: "day", 10: "days", 11: "empty",
        12: "no_address",
    }  # fmt: skip
    foreign_codes.faults_file(tmp_path / "faults.csv", done.faults, lambda reason: reason)
    assert len((tmp_path / "faults.csv").read_text("utf-8-sig").splitlines()) == 10
    done = foreign_codes.import_file(engine, town, file, system="公安", skip_faults=True)
    assert (done.linked, done.known) == (2, 0)
    again = foreign_codes.import_file(engine, town, file, system="公安", skip_faults=True)
    assert (again.linked, again.known) == (0, 2)
    assert [f.address for f in foreign_codes.find(engine, "P2")] == [two.code]
    (tmp_path / "x.csv").write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(InputError, match=r"codes\.columns"):
        foreign_codes.import_file(engine, town, tmp_path / "x.csv")


def test_a_signed_list_judges_plates_without_the_database(engine, town, printed, spots, tmp_path):
    lost, gone, whole, fine = printed.shown[:4]
    plate_life.mark(engine, lost.url, "lost")
    address_life.revoke(engine, gone.code)
    address_life.merge(engine, whole.code, fine.code)
    file = tmp_path / "plates.wgl"
    made = plate_lists.make_file(engine, town, file)
    assert made.records == 36
    known = plate_verify.read_file(file, made.key)
    texts = [p.url for p in (lost, gone, whole, fine)] + [
        fine.code,
        fine.url[:-1] + ("A" if fine.url[-1] != "A" else "B"),
    ]
    found = plate_verify.check(known, texts)
    assert [f.verdict for f in found] == ["lost", "revoked", "merged", "genuine", "typed", "forged"]
    assert found[2].into == (fine.code,)
    x, y = spots[fine.code]
    (near,) = plate_verify.check(known, [fine.url], position=(x, y), crs="EPSG:32650")
    (far,) = plate_verify.check(known, [fine.url], position=(x - 300, y), crs="EPSG:32650")
    assert (near.nearness, far.nearness) == ("near", "far")
    assert far.distance == pytest.approx(300, abs=15)
    old = made.key
    new = plate_lists.rotate_list_key(engine)
    assert plate_lists.make(engine, town).key == new != old
    assert plate_verify.read_file(file, old).territory == town
    with pytest.raises(InputError, match=r"list\.signature"):
        plate_verify.read_file(file, new)
    assert [k for k, _, retired in plate_lists.keys(engine).lists if retired is None] == [new]


def test_reading_a_list_needs_neither_network_nor_database(tmp_path):
    import os
    import subprocess
    import sys

    code = codes.check_digits("123456789012")
    secret = bytes(32)
    record = signed_list.Record(f"123456789012{code}", "issued", (), (), 112.9, 28.2, 5.0, "人民路1号")
    data = signed_list.write([record], territory="t", hosts=["x"], made="2026-01-01T00:00:00+00:00", secret=secret)
    (tmp_path / "list").write_bytes(data)
    key = signed_list.key_text(signed_list.public_of(secret))
    done = subprocess.run(
        [sys.executable, "-c",
         "import sys, socket\n"
         "def no(*a, **k): raise OSError('network')\n"
         "socket.socket.connect = no\n"
         "from api.cli.main import main\n"
         "sys.argv = ['w', 'plates', 'verify', *sys.argv[1:]]\n"
         "try: main()\n"
         "finally: assert not {'sqlalchemy', 'psycopg', 'flask'} & set(sys.modules)\n",
         str(tmp_path / "list"), f"123456789012{code}", "--key", key],
        env={**os.environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "WANGGE_LANG": "zh-CN"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "人民路1号" in done.stdout


def test_rooms_have_plates_of_their_own(engine, drawn, request):
    from dataclasses import replace

    import numpy as np

    name = request.node.name
    sources = drawn()
    n = len(sources.buildings)
    two = np.where(np.arange(n) < 2, 2.0, np.nan)
    known = replace(sources.buildings, units=two, floors=two, dwellings=two * 2)
    importing.import_sources(
        engine, replace(sources, buildings=known, digest="rooms"), name, ruleset=RULES, origin="drawn"
    )
    addresses.assign_territory(engine, name)
    done = plates.print_community(engine, name, size="room")
    assert done.plates == done.verified > 0
    assert all(p.number.endswith("室") and p.name.endswith("单元") for p in done.shown)


def test_plates_of_two_sizes_live_their_own_lives(engine, town, printed, spots, tmp_path):
    """A small plate that is lost, moved or replaced says nothing about the large one of the same address."""
    large = plates.print_community(engine, town, "西社区", size="large")
    small, big, code = printed.shown[0].url, large.shown[0].url, printed.shown[0].code
    assert codes.parse(big).code == code
    assert len({small, big}) == 2
    plate_life.install(engine, small, position=at(spots, code))
    assert plate_life.install(engine, big, position=at(spots, code)).replaced == 0
    with pytest.raises(ConflictError, match=r"life\.which_size"):
        plate_life.mark(engine, code, "lost")
    assert plate_life.mark(engine, code, "lost", size="small").size == "small"
    assert [verdict(engine, link) for link in (small, big)] == ["lost", "signed"]
    assert [(t.code, t.size, t.why) for t in plate_life.reprints(engine, town)] == [(code, "small", "lost")]
    made = plate_lists.make(engine, town)
    known = signed_list.read(made.data, signed_list.key_of(made.key))
    assert [known.check(link).verdict for link in (small, big)] == ["lost", "genuine"]
    plate_life.mark(engine, small, "replaced")  # the large one is enough
    assert plate_life.reprints(engine, town) == []
    plate_life.check(engine, big, at(spots, code, east=500))
    assert [(t.size, t.why) for t in plate_life.suspicious(engine, town)] == [("large", "moved")]
    other = plates.print_community(engine, town, "西社区", size="small")
    assert {p.url for p in other.shown[1:]} == {p.url for p in printed.shown[1:]}
    assert other.shown[0].url not in (small, big)


def test_two_sizes_once_printed_with_one_link_do_not_void_each_other(engine, town, printed, rows):
    from sqlalchemy import text

    large = plates.print_community(engine, town, "西社区", size="large")
    code, link = printed.shown[0].code, printed.shown[0].url
    with engine.begin() as connection:  # as plates were printed before links told sizes apart
        connection.execute(
            text("UPDATE plate p SET payload = :link, key_id = :key FROM address a"
                 " WHERE a.id = p.address_id AND a.code = :code AND p.batch_id = :batch"),
            {"link": link, "key": codes.parse(link).key_id, "code": code, "batch": large.batch},
        )  # fmt: skip
    with pytest.raises(ConflictError, match=r"life\.which_size"):
        plate_life.mark(engine, link, "lost")
    for size, says in (("small", "signed"), ("large", "lost")):
        plate_life.mark(engine, link, "lost", size=size)
        assert verdict(engine, link) == says
        made = plate_lists.make(engine, town)
        known = signed_list.read(made.data, signed_list.key_of(made.key))
        assert known.check(link).verdict == {"signed": "genuine"}.get(says, says)
