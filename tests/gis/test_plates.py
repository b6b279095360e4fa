"""Plates: what stands where, vector PDF, and a proof that catches what is wrong."""

import io
import random
import re
from dataclasses import replace

import numpy as np
import pypdfium2
import pytest
import segno
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from data.fonts import plate_font
from gis.addressing import codes
from gis.addressing.plates import font as fonts
from gis.addressing.plates import layout, pdf, pdf_file, picture, proof, qr, qr_words
from gis.errors import InputError

HOST, SECRET = "dz.example.cn", bytes(range(32))
SHOWN = [
    ("人民路", "12号"), ("滨江大道", "1024号"), ("和顺二期", "3栋"), ("董家塅街", "128附1号"),
    ("Mannerheimintie", "12A"), ("白茅村刘家塅组", "35号"), ("中华人民共和国成立纪念大道", "9999号"),
    ("龙骨寺", "A栋"), ("和顺二期3栋", "2单元"), ("和顺二期3栋2单元", "1046室"),
]  # fmt: skip
PINYIN = {"人民路": "RENMIN LU", "中华人民共和国成立纪念大道": "ZHONGHUA RENMIN GONGHEGUO CHENGLI JINIAN DADAO"}


def plate(code, name, number):
    url = codes.plate_url(HOST, code, "A", SECRET)
    return layout.Plate(code, codes.printed(code), name, number, HOST, url, romanised=PINYIN.get(name, ""))


@pytest.fixture(scope="module")
def plates():
    drawn = codes.new_codes(14, random.Random(7))
    return [plate(code, *SHOWN[k % len(SHOWN)]) for k, code in enumerate(drawn)]


@pytest.fixture(scope="module")
def font(plates):
    return fonts.job_font(plate_font(), plates)


def test_sizes_are_the_standards():
    assert {n: (s.width, s.height, s.qr) for n, s in layout.SIZES.items() if n in ("large", "medium", "small")} == {
        "large": (570, 370, 120),
        "medium": (270, 170, 75),
        "small": (150, 90, 40),
    }


@pytest.mark.parametrize("size", layout.SIZES.values(), ids=lambda s: s.name)
def test_nothing_overlaps_the_qr_or_leaves_the_plate(size, plates, font):
    box = layout.qr_box(size)
    assert box.width / (qr.modules(plates[0].url).shape[0] + 8) >= 0.8, "a module is at least 0.8 mm"
    for p in plates:
        for run in layout.runs(p, size, font.width):
            wide = sum(font.width[c] for c in run.text) * run.size * run.stretch + run.spacing * (len(run.text) - 1)
            low, high = run.y - layout.HAN_DROP * run.size, run.y + 0.85 * run.size
            assert run.x > 0
            assert run.x + wide < size.width
            assert 0 < low < high < size.height
            beside = run.x + wide <= box.x + 0.01 or run.x >= box.x + box.width
            assert beside or high <= box.y + 0.5 or low >= box.y + box.height - 0.5, run


def test_every_plate_reads_back_on_sheets_and_alone(plates, font):
    for size in layout.SIZES.values():
        for alone in (False, True):
            made = pdf.document(plates, size, font, one_a_page=alone)
            found = proof.prove(made, plates, size, one_a_page=alone)
            assert (found.plates, found.verified, found.faults) == (14, 14, ())


def test_page_size_is_the_plates(plates, font):
    made = pypdfium2.PdfDocument(pdf.document(plates[:1], layout.SIZES["medium"], font, one_a_page=True))
    try:
        width, height = made[0].get_size()
    finally:
        made.close()
    assert (round(width / 72 * 25.4, 1), round(height / 72 * 25.4, 1)) == (270.0, 170.0)


def test_the_whole_page_is_read_too_without_knowing_where_the_plates_are(plates, font):
    document = pypdfium2.PdfDocument(pdf.document(plates, layout.SIZES["medium"], font))
    try:
        picture = document[0].render(scale=1.2, grayscale=True).to_numpy()
    finally:
        document.close()
    found = zxingcpp.read_barcodes(np.asarray(picture).squeeze())
    assert {b.text for b in found} == {p.url for p in plates[: len(pdf.sheet_for(layout.SIZES["medium"]).corners)]}


def test_same_plates_same_bytes(plates, font):
    again = fonts.job_font(plate_font(), plates)
    assert again.data == font.data
    size = layout.SIZES["small"]
    assert pdf.document(plates, size, again) == pdf.document(plates, size, font)


def test_it_is_vector_and_small(plates, font):
    made = pdf.document(plates, layout.SIZES["medium"], font)
    assert b"/Image" not in made
    assert (len(made) - len(font.data)) / len(plates) < 2048


@pytest.mark.parametrize(("kind", "fit"), [("large", 4), ("medium", 6), ("room", 16)])
def test_the_ground_runs_over_the_cut_where_asked(kind, fit, plates, font):
    """Blue to 3 mm outside every cut, white between plates, crop marks in the white alone; what is read stays."""
    size = layout.SIZES[kind]
    sheet = pdf.sheet_for(size, bleed=3.0)
    assert len(sheet.corners) == fit
    made = pdf.document(plates, size, font, bleed=3.0)
    assert proof.prove(made, plates, size, bleed=3.0).verified == len(plates)
    per_mm = 2.0
    page = pypdfium2.PdfDocument(made)[0].render(scale=per_mm / pdf_file.MM).to_numpy()[:, :, :3]

    def colour(x, y):
        return tuple(int(v) for v in page[int((sheet.height - y) * per_mm), int(x * per_mm)])

    blue = colour(sheet.corners[0][0] + 1, sheet.corners[0][1] + 1)
    for x, y in sheet.corners[: len(plates)]:
        for away in (-2.5, 0.5):
            assert colour(x + away, y + 30) == colour(x + 30, y + away) == blue
        assert colour(x - 4.5, y + 30) == colour(x + 30, y - 4.5) == (255, 255, 255)
        cut = page[int((sheet.height - y) * per_mm) - 2 : int((sheet.height - y) * per_mm) + 2, int((x - 6) * per_mm)]
        assert cut.min() < 200  # a crop mark on the line of the cut


def test_a_page_of_one_plate_says_where_it_is_cut(plates, font):
    size = layout.SIZES["small"]
    made = pdf.document(plates[:2], size, font, one_a_page=True, bleed=3.0)
    assert proof.prove(made, plates[:2], size, one_a_page=True, bleed=3.0).verified == 2
    page = pypdfium2.PdfDocument(made)[1]
    wanted = (3 * pdf_file.MM, 3 * pdf_file.MM, 153 * pdf_file.MM, 93 * pdf_file.MM)
    assert page.get_trimbox() == pytest.approx(wanted, abs=0.01)
    assert page.get_size() == pytest.approx((156 * pdf_file.MM, 96 * pdf_file.MM), abs=0.01)
    for bleed in (-1.0, 10.5, float("nan")):
        with pytest.raises(InputError, match=r"plates\.bleed"):
            pdf.document(plates[:1], size, font, bleed=bleed)


def test_texts_can_be_copied_from_the_pdf(plates, font):
    document = pypdfium2.PdfDocument(pdf.document(plates[:1], layout.SIZES["medium"], font, one_a_page=True))
    try:
        page = document[0].get_textpage()
        text = re.sub(r"\s", "", page.get_text_range())
        page.close()
    finally:
        document.close()
    assert "人民路" in text
    assert plates[0].code in text
    assert HOST in text


def test_pictures_of_one_plate_read_back(plates, font):
    from PIL import Image

    for p in plates[:9]:
        image = Image.open(io.BytesIO(picture.png(p, layout.SIZES["medium"], font, pixels=600)))
        assert image.size == (600, 378)
        (found,) = zxingcpp.read_barcodes(image)
        assert found.text == p.url


def test_pictures_of_many_are_proven_and_say_their_size(plates, font):
    from PIL import Image

    size, some = layout.SIZES["small"], plates[:3]
    drawer = picture.Drawer(size, font)
    made = list(picture.pngs(some, size, font, pixels=900))
    for p, other, drawn in zip(some, some[1:] + some[:1], made, strict=True):
        vector = drawer.svg(p)
        assert vector == picture.svg(p, size, font)
        assert (proof.picture_fault(p, size, drawn), proof.svg_fault(p, size, vector)) == (None, None)
        assert proof.picture_fault(other, size, drawn).reason == "link"
        assert proof.svg_fault(other, size, vector).reason == "link"
        image = Image.open(io.BytesIO(drawn))
        assert image.width / image.info["dpi"][0] * 25.4 == pytest.approx(150, abs=0.1)
    assert proof.svg_fault(some[0], size, "<svg/>").reason == "unread"


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda svg, box: re.sub(r"translate\(([\d.]+)(?= [\d.]+\) scale\([\d.]+\))",
                                lambda m: f"translate({float(m[1]) - 20}", svg),
        lambda svg, box: svg.replace("</g></svg>", f'<rect x="{box.x + 20}" y="{box.y + 20}" width="30" height="30"'
                                     ' fill="#fff"/></g></svg>'),
        lambda svg, box: svg.replace("</g></svg>", f'<g transform="translate({box.x} {box.y})" fill="#fff">'
                                     '<path transform="scale(60 60)" d="M0 0H1V1Q.5 1.5 0 1Z"/></g></g></svg>'),
        lambda svg, box: svg.replace("</svg>", ""),
    ],
    ids=["symbol moved", "covered by a patch", "covered by a letter", "cut off"],
)  # fmt: skip
def test_the_proof_of_svg_sees_all_that_is_painted(spoilt, plates, font):
    size = layout.SIZES["medium"]
    vector = picture.svg(plates[0], size, font)
    assert proof.svg_fault(plates[0], size, vector) is None
    fault = proof.svg_fault(plates[0], size, spoilt(vector, layout.qr_box(size)))
    assert fault is not None
    assert fault.reason == "unread"


def test_svg_is_outlines_only_and_well_formed(plates, font):
    from xml.etree import ElementTree

    evil = replace(plates[0], name="<人&民>路")
    drawn = picture.svg(evil, layout.SIZES["small"], fonts.job_font(plate_font(), [evil]))
    root = ElementTree.fromstring(drawn)
    assert root.get("width") == "150mm"
    kinds = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert kinds == {"svg", "title", "metadata", "g", "path", "rect"}
    assert root[0].text.startswith("<人&民>路12号")


@pytest.mark.browser
def test_svg_looks_like_the_pdf(plates, font, chromium, tmp_path):
    from PIL import Image
    from playwright.sync_api import sync_playwright

    p, size = plates[3], layout.SIZES["medium"]
    (tmp_path / "plate.svg").write_text(picture.svg(p, size, font), "utf-8")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1100, "height": 700})
        page.goto((tmp_path / "plate.svg").as_uri())
        shot = Image.open(io.BytesIO(page.locator("svg").screenshot())).convert("L")
        browser.close()
    (found,) = zxingcpp.read_barcodes(shot)
    assert found.text == p.url
    other = Image.open(io.BytesIO(picture.png(p, size, font, pixels=shot.size[0]))).convert("L").resize(shot.size)
    assert np.abs(np.asarray(shot, dtype=float) - np.asarray(other, dtype=float)).mean() < 6


def test_a_note_stands_at_the_foot_of_every_sheet_and_on_no_plate(plates):
    note = "人民路社区 © OpenStreetMap contributors"
    font = fonts.job_font(plate_font(), plates, note=note + "/𠀀")
    for size in layout.SIZES.values():
        made = pdf.document(plates, size, font, note=note + "𠀀")
        assert proof.prove(made, plates, size).verified == 14
        document = pypdfium2.PdfDocument(made)
        try:
            page, count = document[0].get_textpage(), len(document)
            lowest = min(y for _, y in pdf.sheet_for(size).corners) * pdf_file.MM
            foot = page.get_text_bounded(0, 0, document[0].get_width(), lowest - 1)
            page.close()
        finally:
            document.close()
        assert "人民路社区" in foot
        assert "© OpenStreetMap contributors" in foot
        assert f"1/{count}" in foot
    alone = pdf.document(plates, layout.SIZES["small"], font, note=note, one_a_page=True)
    assert alone == pdf.document(plates, layout.SIZES["small"], font, one_a_page=True)


def test_the_proof_sees_two_plates_swapped(plates, font):
    size = layout.SIZES["medium"]
    made = pdf.document([plates[1], plates[0], *plates[2:]], size, font)
    found = proof.prove(made, plates, size)
    assert found.verified == 12
    assert {f.reason for f in found.faults} == {"link"}


def test_the_proof_sees_a_code_that_is_not_the_qrs(plates, font):
    size = layout.SIZES["medium"]
    wrong = replace(plates[0], printed_code=plates[1].printed_code)
    found = proof.prove(pdf.document([wrong], size, font, one_a_page=True), plates[:1], size, one_a_page=True)
    assert [f.reason for f in found.faults] == ["text"]


@pytest.mark.parametrize(("level", "reason"), [("M", "level"), ("H", "level")])
def test_the_proof_sees_another_level(plates, font, monkeypatch, level, reason):
    size = layout.SIZES["medium"]
    weak = np.array(segno.make_qr(plates[0].url, error=level, boost_error=False).matrix, dtype=np.int8)
    with monkeypatch.context() as patch:
        patch.setattr(qr, "symbols", lambda texts: [weak] * len(texts))
        made = pdf.document(plates[:1], size, font, one_a_page=True)
    found = proof.prove(made, plates[:1], size, one_a_page=True)
    assert [f.reason for f in found.faults] == [reason]


def test_the_proof_sees_a_symbol_that_cannot_be_read(plates, font, monkeypatch):
    size = layout.SIZES["medium"]
    broken = qr.modules(plates[0].url).copy()
    broken[:9, :9] = 0
    broken[12:24, 4:30] = 1
    with monkeypatch.context() as patch:
        patch.setattr(qr, "symbols", lambda texts: [broken] * len(texts))
        made = pdf.document(plates[:1], size, font, one_a_page=True)
    found = proof.prove(made, plates[:1], size, one_a_page=True)
    assert (found.verified, [f.reason for f in found.faults]) == (0, ["unread"])


def test_a_character_the_font_lacks_names_the_plates(plates):
    lacking = replace(plates[3], name="𠀀路")  # CJK extension B: not in Noto Sans SC
    with pytest.raises(InputError) as caught:
        fonts.job_font(plate_font(), [plates[0], lacking])
    assert caught.value.code == "plates.glyphs"
    assert caught.value.values["plates"] == lacking.printed_code
    assert "U+20000" in str(caught.value.values["characters"])


def test_rare_characters_of_the_places_are_in_the_font(plates):
    rare = [replace(plates[0], name=c) for c in "塅杮溁郞梽湴㙟㘵"]
    font = fonts.job_font(plate_font(), rare)
    assert set("塅杮溁郞梽湴㙟㘵") <= set(font.glyph)


def test_the_font_is_bold(font):
    from fontTools.ttLib import TTFont

    made = TTFont(io.BytesIO(font.data))
    assert "fvar" not in made
    assert made["OS/2"].usWeightClass == 700


@given(
    st.integers(0, 10**12 - 1), st.sampled_from(["localhost", "dz.example.cn", "a-rather-long-name.district.gov.cn"])
)
@settings(max_examples=25, deadline=None)
def test_symbols_read_back(number, host):
    body = f"{number:012d}"
    url = codes.plate_url(host, body + codes.check_digits(body), "A", SECRET)
    symbol = qr.modules(url)
    picture = np.kron(np.pad(1 - symbol, 4, constant_values=1), np.ones((3, 3))).astype(np.uint8) * 255
    (found,) = zxingcpp.read_barcodes(picture)
    assert (found.text, str(found.ec_level)) == (url, "Q")


def test_symbols_of_every_length_are_those_of_another_maker():
    rng = random.Random(5)
    texts = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz/.", k=k)) for k in range(1, qr_words.LONGEST + 1)]
    for text, symbol in zip(texts, qr.symbols(texts), strict=True):
        other = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="Q")
        light = np.asarray(other.to_image(scale=1, add_quiet_zones=False))
        assert np.array_equal(symbol, light == 0), f"to the module, mask included: {len(text)} characters"


def test_symbols_of_several_lengths_keep_their_order():
    texts = ["https://a.cn/d/1", "https://a-long-name.example.cn/d/12345678901234.A", "https://a.cn/d/2"]
    assert [s.tolist() for s in qr.symbols(texts)] == [qr.modules(t).tolist() for t in texts]


def plain_penalty(symbol):
    score, n = 0, len(symbol)
    for lines in (symbol, symbol.T):
        for line in lines:
            text = "".join(map(str, line))
            score += sum(len(m[0]) - 2 for m in re.finditer(r"(.)\1{4,}", text))
            padded = "0000" + text + "0000"
            for k in range(n - 6):
                if padded[k + 4 : k + 11] == "1011101" and "0000" in (padded[k : k + 4], padded[k + 11 : k + 15]):
                    score += 40
    squares = symbol[1:, 1:] + symbol[1:, :-1] + symbol[:-1, 1:] + symbol[:-1, :-1]
    score += 3 * int(np.isin(squares, (0, 4)).sum())
    return score + 10 * int(abs(100 * symbol.sum() - 50 * n * n) // (5 * n * n))


@given(st.integers(0, 2**32 - 1), st.sampled_from([21, 41, 57]), st.floats(0.1, 0.9))
@settings(max_examples=20, deadline=None)
def test_penalty_in_machine_words_is_the_plain_one(seed, side, share):
    rng = np.random.default_rng(seed)
    symbol = (rng.random((side, side)) < share).astype(np.int8)
    rows = rng.integers(0, side, 5)
    symbol[rows] = 1  # long runs too
    symbol[:7, :7] = [[int(c) for c in "1011101"]] * 7
    assert qr.penalty(symbol[None]).tolist() == [plain_penalty(symbol)]


def test_rectangles_are_the_dark_runs():
    symbol = np.array([[1, 1, 0], [0, 0, 1], [1, 0, 1]], dtype=np.int8)
    assert qr.rectangles([symbol, symbol.T])[0].split(b"\n") == [
        b" 0  2  2 1 re", b" 2  1  1 1 re", b" 0  0  1 1 re", b" 2  0  1 1 re", b"",
    ]  # fmt: skip
    assert qr.rectangles([symbol, symbol.T])[1].startswith(b" 0  2  1 1 re\n 2  2  1 1 re\n 0  1  1 1 re")
    big = qr.modules("https://a.cn/d/12345678901234")
    drawn = {tuple(map(int, line.split()[:3])) for line in qr.rectangles([big])[0].splitlines()}
    assert drawn == set(map(tuple, qr.row_runs(big).tolist()))


def test_penalty_on_paper():
    light = np.zeros((1, 21, 21), dtype=np.int8)
    # 42 lines of 21 equal modules: 3 + 16 each; 400 squares: 3 each; all light: 10 * 10
    assert qr.penalty(light).tolist() == [42 * 19 + 400 * 3 + 100]


@pytest.mark.parametrize(
    ("number", "large"),
    [("B1栋", "B1"), ("A栋", "A"), ("12号附3", "12"), ("12A", "12A"), ("No. 12 B", "12"), ("第十三组12-3号", "12-3")],
)
def test_the_number_is_large_with_its_letter(number, large, plates):
    wide = fonts.job_font(plate_font(), [replace(plates[0], number=number)]).width
    drawn = layout.number_runs(number, layout.SIZES["medium"], wide)
    assert max(drawn, key=lambda r: r.size).text == large


def test_a_link_too_long_is_refused():
    with pytest.raises(InputError):
        qr.modules("https://" + "a" * 200)


def test_pinyin_stands_under_the_name_where_there_is_room(plates, font):
    shown = {
        size.name: [run.text for run in layout.runs(plates[0], size, font.width)] for size in layout.SIZES.values()
    }
    assert {name for name, texts in shown.items() if "RENMIN LU" in texts} == {"large", "medium", "building", "unit"}
    for size in layout.SIZES.values():
        bounds = [r for r in layout.runs(plates[0], size, font.width) if r.text in ("人民路", "RENMIN LU")]
        if len(bounds) == 2:
            name, under = bounds
            assert under.y + layout.DIGIT_INK * under.size < name.y - layout.HAN_DROP * name.size
    endless = replace(plates[0], romanised="ZHONGHUA " * 12)
    texts = [run.text for run in layout.runs(endless, layout.SIZES["medium"], font.width)]
    assert endless.romanised not in texts, "none rather than one too narrow to read"


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("湘江新区梅溪湖国际新城环湖北路延长线支路", ("湘江新区梅溪湖国际新城", "环湖北路延长线支路")),
        ("西湖街道黄泥岭社区学士苑小区二期3栋2单元", ("西湖街道黄泥岭社区", "学士苑小区二期3栋2单元")),
        ("中华人民共和国成立纪念大道", ("中华人民共和国", "成立纪念大道")),
        ("梅溪湖AB123456789栋", ("梅溪湖", "AB123456789栋")),
        ("Martin Luther King Jr. Memorial Boulevard", ("Martin Luther King Jr.", "Memorial Boulevard")),
        ("Donaudampfschifffahrtsgesellschaft", ("Donaudampfschifffahrtsgesellschaft", "")),
    ],
)
def test_a_long_name_is_parted_between_words(name, lines):
    assert layout._halves(name) == lines


def test_a_long_name_stands_in_two_lines_when_that_is_larger(plates, font):
    name = plates[6].name
    (one, two) = layout.name_runs(name, "", layout.SIZES["medium"], font.width)
    assert one.text + two.text == name
    assert one.size == two.size
    assert one.y > two.y + two.size * 0.85
    assert len(layout.name_runs(name, "", layout.SIZES["large"], font.width)) == 1
