"""Notice boards and cards on a real PostGIS: from the same records, proven, and listed when people change."""

from __future__ import annotations

import csv
import io
import re
from datetime import date

import numpy as np
import pypdfium2
import pytest
import shapely
from click.testing import CliRunner
from sqlalchemy import text

from api.services import importing
from api.services.addresses import addresses
from api.services.plans import partitioning, planning, publishing
from api.services.plates import board_content, boards, plate_life, plate_lists, plates
from api.services.plates.boards import Scope
from data.postgres.imported import people, territories
from data.postgres.imported.people import Member
from data.postgres.plates import plates as plate_store
from gis.addressing import codes, signed_list
from gis.addressing.plates import qr
from gis.addressing.ranges import Range
from gis.errors import ConflictError, InputError, NotFoundError

pytestmark = pytest.mark.database

SINCE = date(2024, 1, 1)
KEPT = "FROM board_print b JOIN territory t ON t.id = b.territory_id WHERE t.name = :n"
FIRST, SECOND = "430104007001", "430104007002"


def member(number, role, community, title, place=None):
    return Member(
        staff_id=f"w{number}", name=f"王小{'一二三四五'[number]}", organisation="居委会", post=f"p{number}",
        title=title, role=role, community=community, since=SINCE, place=place, phone=f"0731-555{number:04d}",
    )  # fmt: skip


def make(engine, sources, name):
    """A published town with addresses: a leader and a worker in one community, a worker in the other."""
    rules = planning.ruleset_of("default")
    importing.import_sources(engine, sources, name, ruleset=rules, origin="drawn")
    partitioning.partition(engine, name, planning.Job(rules, seed=1, iterations=2))
    staff = [
        member(1, "leader", FIRST, "网格长"),
        member(2, "worker", FIRST, "网格员", shapely.Point(500_010, 3_000_010)),
        member(3, "worker", SECOND, "网格员", shapely.Point(500_790, 3_000_590)),
    ]
    addresses.assign_territory(engine, name)
    with engine.begin() as connection:
        people.save_staff(connection, territories.get(connection, name), staff)
    publishing.publish(engine, name, staff=True)
    return name


@pytest.fixture
def town(engine, drawn):
    """For tests that change no records: one town for them all."""
    with engine.connect() as connection:
        known = territories.find(connection, "boards")
    return "boards" if known else make(engine, drawn(), "boards")


@pytest.fixture
def staffed(engine, drawn, request):
    """For tests that change records: a town of their own."""
    return make(engine, drawn(), request.node.name)


def change(engine, sql, **values):
    with engine.begin() as connection:
        connection.execute(text(sql), values)


def pages(file):
    pdf = pypdfium2.PdfDocument(file.read_bytes())
    try:
        found = []
        for number in range(len(pdf)):
            page = pdf[number].get_textpage()
            found.append(re.sub(r"\s", "", page.get_text_range()))
            page.close()
        return found
    finally:
        pdf.close()


def reasons(found):
    return sorted({(o.kind, c.reason) for o in found for c in o.changes})


def test_every_building_gets_a_board_with_its_people(engine, town, rows, tmp_path):
    file = tmp_path / "boards.pdf"
    done = boards.print_boards(engine, town, file, Scope(community="东社区"), actor="test")
    assert done.count == done.verified == 36
    shown = pages(file)
    assert len(shown) == 36
    for page in shown:
        for word in (
            "网格公示牌",
            "东社区",
            "王小二",
            "王小三",
            "0731-5550001",
            "网格长",
            "12345",
            "本楼",
            "管辖范围",
            "网格四至",
        ):
            assert word in page
        assert "王小四" not in page, "the other community's worker"
        assert "boards." not in page, "every word is in the catalogue"
    assert sum("翠湖公馆" in page.split("管辖范围")[0] for page in shown) >= 6
    assert any("翠湖公馆(全部)" in page for page in shown)
    kept = rows(
        f"SELECT kind, count(*), count(DISTINCT building_id) {KEPT} AND printed_by = 'test' GROUP BY kind", n=town
    )
    assert kept == [("board", 36, 36)]
    (event,) = rows("SELECT body FROM event WHERE kind = 'boards_printed' AND actor = 'test'")
    assert event[0]["count"] == 36
    pdf = pypdfium2.PdfDocument(file.read_bytes())
    try:
        picture = np.asarray(pdf[0].render(scale=1).to_pil().convert("RGB"), dtype=int)
    finally:
        pdf.close()
    red = (picture[:, :, 0] > 180) & (picture[:, :, 1] < 60) & (picture[:, :, 2] < 70)
    assert red.sum() > 200, "the outline of the grid"


def test_one_building_on_a3_in_english(engine, town, rows, tmp_path):
    code = rows(
        "SELECT a.code FROM address a JOIN territory t ON t.id = a.territory_id WHERE t.name = :n ORDER BY a.id",
        n=town,
    )[0][0]
    done = boards.print_boards(engine, town, tmp_path / "b.pdf", Scope(code=code), paper="A3", language="en")
    assert done.count == 1
    (page,) = pages(tmp_path / "b.pdf")
    assert "Youarehere" in page
    assert code in page


def test_streets_that_only_touch_a_grid_are_left_out():
    from data.postgres.plans.ledgers import Duty

    found = [Duty("人民大桥", "primary", 0.4), Duty("建设西街", "primary", 268.0), Duty("", "residential", 90.0)]
    assert board_content._streets(found, "zh-CN") == "建设西街(268米)"


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_kind_of_range_has_words(language):
    kinds = [("road", side, whole) for side in ("odd", "even", "") for whole in (True, False) if side or whole]
    kinds += [("compound", "", True), ("compound", "", False)]
    for kind, side, whole in kinds:
        for last in ("2号", "8号"):
            said = board_content._range(Range(kind, "人民路", "2号", last, side, 3, whole), language)
            assert said.startswith("人民路")
            assert "号号" not in said
    assert (
        board_content._range(Range("road", "人民路", "2号", "48号", "even", 9, False), "zh-CN")
        == "人民路2-48号(双号)"
    )


def test_cards_are_ten_on_a_sheet(engine, town, tmp_path):
    done = boards.print_cards(engine, town, tmp_path / "cards.pdf", copies=5)
    assert (done.count, done.verified) == (15, 15)
    shown = pages(tmp_path / "cards.pdf")
    assert len(shown) == 2
    assert "".join(shown).count("0731-5550003") == 5
    assert "boards." not in "".join(shown)
    assert boards.print_cards(engine, town, tmp_path / "one.pdf", Scope(community=SECOND)).count == 1


def test_what_is_out_of_date_and_why(engine, staffed, rows, tmp_path):
    boards.print_boards(engine, staffed, tmp_path / "b.pdf", Scope(community=FIRST))
    boards.print_cards(engine, staffed, tmp_path / "c.pdf")
    assert boards.outdated(engine, staffed) == ()
    with pytest.raises(NotFoundError) as caught:
        boards.print_boards(engine, staffed, tmp_path / "again.pdf", Scope(outdated=True))
    assert caught.value.code == "boards.up_to_date"
    of = "territory_id = (SELECT id FROM territory WHERE name = :n)"
    change(engine, f"UPDATE person SET public_phone = '0731-9990000' WHERE staff_id = 'w2' AND {of}", n=staffed)
    found = boards.outdated(engine, staffed)
    assert reasons(found) == [("board", "phone"), ("card", "phone")]
    stale = sum(o.kind == "board" for o in found)
    again = boards.print_boards(engine, staffed, tmp_path / "again.pdf", Scope(outdated=True))
    assert again.count == stale == 36, "every board the worker's phone stands on"
    assert all("0731-9990000" in page for page in pages(tmp_path / "again.pdf"))
    assert reasons(boards.outdated(engine, staffed)) == [("card", "phone")]
    assert boards.print_cards(engine, staffed, tmp_path / "c2.pdf", Scope(outdated=True)).count == 1
    assert boards.outdated(engine, staffed) == ()
    ((last,),) = rows(
        "SELECT max(a.valid_from) + 1 FROM assignment a JOIN person p ON p.id = a.person_id JOIN territory t"
        " ON t.id = p.territory_id WHERE a.grid_id IS NOT NULL AND t.name = :n",
        n=staffed,
    )
    change(
        engine,
        "UPDATE assignment SET valid_to = valid_from + 1 WHERE grid_id IS NOT NULL AND person_id = (SELECT p.id"
        " FROM person p JOIN territory t ON t.id = p.territory_id WHERE p.staff_id = 'w2' AND t.name = :n)",
        n=staffed,
    )
    later = boards.outdated(engine, staffed, as_of=last)
    assert reasons(later) == [("board", "person_gone"), ("card", "gone")]
    listed = list(csv.reader(io.StringIO(boards.table(later, "zh-CN").decode("utf-8-sig"))))
    assert len(listed) == 1 + 36 + 1
    assert {r[3] for r in listed[1:]} == {"人员离任", "已无对应记录"}


def test_a_board_does_not_quote_a_lost_plate(engine, staffed, tmp_path):
    printed = plates.print_community(engine, staffed, FIRST, size="small")
    boards.print_boards(engine, staffed, tmp_path / "b.pdf", Scope(community=FIRST))
    assert boards.outdated(engine, staffed) == ()
    plate_life.mark(engine, printed.shown[0].url, "lost")
    assert reasons(boards.outdated(engine, staffed)) == [("board", "plate")]
    assert boards.print_boards(engine, staffed, tmp_path / "again.pdf", Scope(outdated=True)).count == 1
    assert boards.outdated(engine, staffed) == ()
    again = plates.print_community(engine, staffed, FIRST, size="small", reprint=True)
    plate_life.install(engine, again.shown[0].url)  # the board quotes this one's link by now
    assert boards.outdated(engine, staffed) == ()


def test_a_board_is_genuine_offline_before_any_plate_is_printed(engine, staffed, tmp_path, rows):
    code = rows(
        "SELECT a.code FROM address a JOIN territory t ON t.id = a.territory_id WHERE t.name = :n"
        " AND a.level = 'premise' ORDER BY a.id LIMIT 1", n=staffed,
    )[0][0]  # fmt: skip
    boards.print_boards(engine, staffed, tmp_path / "b.pdf", Scope(code=code))
    with engine.connect() as connection:
        host = plate_store.host(connection)
        key = plate_store.current_key(connection, host)
    link = codes.plate_url(host, code, key.key_id, key.secret)
    made = plate_lists.make(engine, staffed)
    known = signed_list.read(made.data, signed_list.key_of(made.key))
    assert (known.check(link).verdict, known.check(link[:-1]).good) == ("genuine", False)
    assert made.records == 1


def test_a_board_that_does_not_read_back_stops_everything(engine, town, rows, tmp_path, monkeypatch):
    good = qr.modules

    def broken(link):
        symbol = good(link).copy()
        symbol[10:30, 4:36] = 1
        return symbol

    with monkeypatch.context() as patch:
        patch.setattr(qr, "modules", broken)
        with pytest.raises(ConflictError) as caught:
            boards.print_boards(engine, town, tmp_path / "b.pdf", Scope(community=SECOND), actor="broken")
    assert caught.value.code == "boards.unread"
    assert list(tmp_path.iterdir()) == []
    assert rows(f"SELECT count(*) {KEPT} AND printed_by = 'broken'", n=town) == [(0,)]


@pytest.mark.parametrize(
    ("scope", "values", "fault"),
    [
        (Scope(community="不在"), {}, NotFoundError),
        (Scope(grid="nope"), {}, NotFoundError),
        (Scope(code="12345678901234"), {}, NotFoundError),
        (Scope(), {"paper": "B5"}, InputError),
        (Scope(), {"language": "fr"}, InputError),
        (Scope(as_of=date(1999, 1, 1)), {}, NotFoundError),
    ],
)
def test_bad_requests_write_nothing(engine, town, tmp_path, scope, values, fault):
    with pytest.raises(fault):
        boards.print_boards(engine, town, tmp_path / "b.pdf", scope, **values)
    assert list(tmp_path.iterdir()) == []


def test_the_command(engine, staffed, tmp_path, monkeypatch):
    from contextlib import contextmanager

    from api.cli import store
    from api.cli.boards import boards as command

    @contextmanager
    def opened():
        yield engine

    monkeypatch.setattr(store, "opened", opened)
    monkeypatch.setenv("WANGGE_LANG", "zh")
    run = CliRunner().invoke
    done = run(command, ["print", staffed, "-o", str(tmp_path / "b.pdf"), "--community", SECOND])
    assert done.exit_code == 0, done.output
    assert "公示牌 36 块" in done.output
    assert run(command, ["cards", staffed, "-o", str(tmp_path / "c.pdf")]).exit_code == 0
    listed = run(command, ["outdated", staffed, "-o", str(tmp_path / "list.csv")])
    assert "均与现有记录一致" in listed.output
    change(
        engine,
        "UPDATE person SET name = '李新人' WHERE staff_id = 'w3'"
        " AND territory_id = (SELECT id FROM territory WHERE name = :n)",
        n=staffed,
    )
    listed = run(command, ["outdated", staffed, "-o", str(tmp_path / "list.csv")])
    assert "新增人员 (李新人 网格员)" in listed.output
    assert "需重印 37 份" in listed.output
    assert (tmp_path / "list.csv").read_text("utf-8-sig").count("李新人") >= 36
