"""Notice boards and cards: what stands on them, wrapping, ranges of doors, reasons to print again, proof."""

import re
from dataclasses import replace

import numpy as np
import pypdfium2
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data.fonts import plate_font
from gis.addressing.boards import canvas as canvas_module
from gis.addressing.boards import document
from gis.addressing.boards.canvas import Canvas
from gis.addressing.boards.changes import changes
from gis.addressing.boards.model import Card, Contact, Notice, RangeMap, Street
from gis.addressing.boards.range_map import window_of
from gis.addressing.plates import qr
from gis.addressing.ranges import Door, ranges
from gis.errors import InputError

LINK = "https://dz.example.cn/d/64956211199742.ANOYBGKWDD3RGQ"
GRID = shapely.box(0, 0, 300, 200)
PEOPLE = (
    Contact("张建国", "网格长", "0731-8855 0001", "统筹网格工作"),
    Contact("欧阳文静", "网格员", "0731-8855 0012", "巡查走访、信息采集"),
)


def notice(people=PEOPLE, **values):
    streets = (Street("人民路", shapely.LineString([(-50, 0), (350, 0)]), 12),)
    shown = RangeMap(GRID, shapely.box(10, 10, 40, 30), (shapely.box(60, 10, 90, 30),), streets)
    made = Notice(
        "b1", "网格公示牌", "岳麓区 · 黄泥岭社区", "人民路12号", "第三网格 -03",
        (("四至", "东至滨江大道，南至人民路"), ("范围", "人民路2-48号(双)")), people, LINK, "6495 6211 1997 42",
        "dz.example.cn", "扫码查看", ("12345", "便民热线"), ("职务", "姓名", "电话", "职责"), "本楼",
        ("截至 2026-11-22", "© OpenStreetMap contributors"), "", shown,
    )  # fmt: skip
    return replace(made, **values)


def card(key="c1", link="tel:073188550012"):
    facts = (("网格", "第三网格"), ("范围", "人民路2-48号(双)、" * 12), ("职责", "巡查走访"))
    hotline = ("12345", "便民热线")
    return Card(
        key,
        "联系卡",
        "欧阳文静",
        "网格员",
        "黄泥岭社区",
        "0731-8855 0012",
        "公务电话",
        facts,
        link,
        "扫码拨号",
        hotline,
    )


@pytest.fixture(scope="module")
def fonts():
    return document.fonts_of(plate_font(), [notice(), card()])


def shown(made, number=0):
    pdf = pypdfium2.PdfDocument(made)
    try:
        page = pdf[number].get_textpage()
        found = page.get_text_range()
        page.close()
        return re.sub(r"\s", "", found), len(pdf), pdf[number].get_size()
    finally:
        pdf.close()


def test_a_board_says_whom_to_call_and_reads_back(fonts):
    made = document.boards([notice()], fonts)
    found = document.prove_boards(made, [notice()])
    assert (found.plates, found.verified, found.faults) == (1, 1, ())
    text, pages, (width, height) = shown(made)
    assert pages == 1
    assert (round(width / 72 * 25.4), round(height / 72 * 25.4)) == (210, 297)
    for word in (
        "网格公示牌",
        "人民路12号",
        "张建国",
        "0731-88550012",
        "12345",
        "人民路2-48号(双)",
        "本楼",
        "OpenStreetMap",
    ):
        assert word in text


def test_a3_is_the_same_larger(fonts):
    made = document.boards([notice()], fonts, paper="A3")
    assert document.prove_boards(made, [notice()], paper="A3").faults == ()
    _, _, (width, height) = shown(made)
    assert (round(width / 72 * 25.4), round(height / 72 * 25.4)) == (297, 420)


def test_many_people_keep_to_the_page_and_the_rest_is_counted(fonts):
    crowd = notice(people=PEOPLE * 7, more_people="")
    text, pages, _ = shown(document.boards([crowd], fonts))
    assert pages == 1
    assert text.count("0731-88550001") == 5
    assert "本楼" in text, "the map stays"


def test_boards_of_a_grid_share_their_map(fonts):
    shown = replace(notice().range_map, key="g", buildings=tuple(shapely.box(k, 50, k + 1, 90) for k in range(200)))
    many = [notice(key=f"b{k}", range_map=replace(shown, here=shapely.box(k, 10, k + 9, 20))) for k in range(6)]
    made = document.boards(many, fonts)
    assert document.prove_boards(made, many).verified == 6
    assert made.count(b"/Subtype/Form") == 1
    assert "人民路" in shown_text_of_map(made, 5)


def shown_text_of_map(made, number):
    return shown(made, number)[0].split("便民热线")[0]


def test_a_board_without_a_map_or_people(fonts):
    bare = notice(people=(), range_map=None, facts=())
    assert document.prove_boards(document.boards([bare], fonts), [bare]).faults == ()


def test_the_proof_sees_a_wrong_and_a_broken_board(fonts, monkeypatch):
    made = document.boards([notice(), notice(key="b2", link=LINK.replace("64956", "64957"))], fonts)
    found = document.prove_boards(made, [notice(), notice(key="b2")])
    assert [(f.code, f.reason) for f in found.faults] == [("b2", "link")]
    assert found.verified == 1
    broken = qr.modules(LINK).copy()
    broken[12:30, 4:36] = 1
    with monkeypatch.context() as patch:
        patch.setattr(qr, "modules", lambda text: broken)
        made = document.boards([notice()], fonts)
    assert [f.reason for f in document.prove_boards(made, [notice()]).faults] == ["unread"]


def test_cards_fill_sheets_and_read_back(fonts):
    many = [card(f"c{k}", "" if k == 3 else "tel:073188550012") for k in range(12)]
    made = document.card_sheets(many, fonts)
    assert document.prove_cards(made, many).verified == 12
    text, pages, _ = shown(made)
    assert pages == 2
    assert text.count("欧阳文静") == 10
    assert "职责" in text, "a long range leaves room for what one is there for"
    assert document.prove_cards(made, many[:10]).faults[0].reason == "pages"


def test_same_content_same_bytes(fonts):
    again = document.fonts_of(plate_font(), [notice(), card()])
    assert document.boards([notice()], again) == document.boards([notice()], fonts)
    assert document.card_sheets([card()], again) == document.card_sheets([card()], fonts)


def test_a_character_the_font_lacks_names_the_board():
    with pytest.raises(InputError) as caught:
        document.fonts_of(plate_font(), [notice(), notice(key="b7", address="𠀀路1号")])
    assert caught.value.code == "boards.glyphs"
    assert caught.value.values["boards"] == "b7"


@given(st.text(alphabet="人民路12号、，(双) abc-/", min_size=1, max_size=80), st.floats(8, 60))
@settings(max_examples=60, deadline=None)
def test_wrapped_lines_lose_nothing_and_fit(fonts_for_words, text, width):
    canvas = Canvas(fonts_for_words, fonts_for_words)
    lines = canvas.wrapped(text, 3.0, width, 999)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for line in lines:
        assert canvas.width(line, 3.0) <= width or len(canvas_module._pieces(line)) == 1, "one word may be too long"


@pytest.fixture(scope="module")
def fonts_for_words():
    from gis.addressing.plates.font import subset

    return subset(plate_font(), "人民路12号、，(双) abc-/…")


def test_too_many_lines_end_in_dots(fonts):
    canvas = Canvas(*fonts)
    lines = canvas.wrapped("人民路2-48号(双)、" * 9, 3.0, 60, 2)
    assert len(lines) == 2
    assert lines[1].endswith("…")
    assert canvas.width(lines[1], 3.0) <= 60


def test_the_map_shows_the_whole_grid():
    west, south, east, north = window_of(GRID, 186, 100)
    assert west < 0 < 300 < east
    assert south < 0 < 200 < north
    assert np.isclose((east - west) / (north - south), 1.86)


def test_ranges_join_neighbours_of_one_owner_only():
    doors = [Door("road", "人民路", n, f"{n}号", "A" if n < 9 or n == 11 else "B") for n in (1, 3, 5, 7, 9, 11, 2, 4)]
    doors += [Door("compound", "和顺", n, f"{n}栋", "A") for n in range(1, 5)]
    doors += [Door("road", "西街", n, f"{n}号", "B") for n in (6, 7, 9)]
    found = ranges(doors)
    assert [(r.place, r.first, r.last, r.side, r.doors, r.whole) for r in found["A"]] == [
        ("和顺", "1栋", "4栋", "", 4, True),
        ("人民路", "1号", "7号", "odd", 4, False),
        ("人民路", "11号", "11号", "odd", 1, False),
        ("人民路", "2号", "4号", "even", 2, False),
    ]
    assert [(r.place, r.first, r.last) for r in found["B"]] == [("人民路", "9号", "9号"), ("西街", "6号", "9号")]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 30), st.sampled_from("XYZ")), max_size=40))
@settings(max_examples=60, deadline=None)
def test_no_range_takes_a_door_of_another_grid(rows):
    doors = [Door("road", place, n, str(n), owner) for place, n, owner in set(rows)]
    found = ranges(doors)
    assert sum(r.doors for held in found.values() for r in held) == len(doors)
    for owner, held in found.items():
        for r in held:
            inside = [
                d
                for d in doors
                if d.place == r.place
                and int(r.first) < d.number < int(r.last)
                and (r.whole or d.number % 2 == int(r.first) % 2)
            ]
            assert all(d.owner == owner for d in inside)


SAID = {
    "address": "人民路12号",
    "grid": "第三网格",
    "range": "人民路2-48号",
    "people": [["张三", "网格员", "1", "巡查"]],
}


@pytest.mark.parametrize(
    ("now", "reasons"),
    [
        (SAID, []),
        (None, ["gone"]),
        ({**SAID, "grid": "第四网格"}, ["grid"]),
        ({**SAID, "people": [["张三", "网格员", "2", "巡查"]]}, ["phone"]),
        ({**SAID, "people": [["李四", "网格员", "1", "巡查"]]}, ["person_gone", "person_new"]),
        ({**SAID, "people": []}, ["person_gone"]),
        ({**SAID, "people": [["张三", "网格长", "1", "巡查"]], "range": ""}, ["post", "range"]),
        ({**SAID, "outline": "new"}, []),
    ],
)
def test_why_a_print_is_out_of_date(now, reasons):
    assert [c.reason for c in changes(SAID, now)] == reasons
