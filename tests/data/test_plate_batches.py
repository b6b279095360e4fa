"""A batch is good when every plate of it reads back, or it is not: nothing is written, nothing is kept."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest
from sqlalchemy import text

from api.services import importing
from api.services.addresses import addresses
from api.services.plans import planning
from api.services.plates import plate_pictures, plates
from gis.addressing import codes
from gis.addressing.plates import picture, qr
from gis.errors import ConflictError, InputError, WanggeError

pytestmark = pytest.mark.database

KEPT = (
    "SELECT (SELECT count(*) FROM plate_batch b JOIN territory t ON t.id = b.territory_id WHERE t.name = :n),"
    " (SELECT count(*) FROM plate p JOIN address a ON a.id = p.address_id JOIN territory t ON t.id = a.territory_id"
    " WHERE t.name = :n)"
)


@pytest.fixture
def place(engine, drawn, request):
    """The drawn town with addresses, under this test's own name."""
    name = request.node.name
    importing.import_sources(engine, drawn(), name, ruleset=planning.ruleset_of("default"), origin="drawn")
    addresses.assign_territory(engine, name)
    return name


def test_one_plate_broken_on_purpose_refuses_the_batch(engine, place, rows, tmp_path, monkeypatch):
    good = qr.symbols
    broken: list[str] = []

    def symbols(links):
        made = good(links)
        if not broken:
            broken.append(links[7])
            made[7] = made[7].copy()
            made[7][10:30, 4:36] = 1
        return made

    with monkeypatch.context() as patch:
        patch.setattr(qr, "symbols", symbols)
        with pytest.raises(ConflictError) as caught:
            plates.print_to_file(engine, place, tmp_path / "p.pdf", "东社区", table=tmp_path / "p.csv")
    assert caught.value.code == "plates.unread"
    assert caught.value.values["count"] == 1
    assert codes.printed(codes.parse(broken[0]).code) in str(caught.value.values["plates"])
    assert list(tmp_path.iterdir()) == []
    assert rows(KEPT, n=place) == [(0, 0)]
    assert plates.print_to_file(engine, place, tmp_path / "p.pdf", "东社区").verified == 36


def test_a_batch_as_pictures_for_engravers(engine, place, tmp_path):
    printed = plates.print_community(engine, place, "东社区", size="small", one_a_page=True)
    done = plate_pictures.export(engine, printed.batch, tmp_path / "p.zip", kinds=["svg", "png"], dpi=60)
    assert (done.plates, done.files) == (36, 73)
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        table = list(csv.DictReader(io.StringIO(archive.read("plates.csv").decode("utf-8-sig"))))
        assert [r["qr_text"] for r in table] == [p.url for p in printed.shown]
        assert len({*archive.namelist()}) == 73
        for row, shown in zip(table, printed.shown, strict=True):
            assert shown.code in row["svg"]
            assert shown.url in archive.read(row["svg"]).decode()
            assert archive.read(row["png"])[:4] == b"\x89PNG"
        assert all(name.isascii() for name in archive.namelist())
    plate_pictures.export(engine, printed.batch, tmp_path / "folder", kinds=["svg"])
    assert len(list((tmp_path / "folder" / "svg").iterdir())) == 36
    assert sorted(f.name for f in tmp_path.iterdir()) == ["folder", "p.zip"]
    for batch, where, values, code in (
        (printed.batch, "folder", {}, "output.exists"),
        (printed.batch, "x.zip", {"kinds": ["gif"]}, "plates.picture_kind"),
        (printed.batch, "x.zip", {"kinds": ["png"], "dpi": 9000}, "plates.dpi"),
        (10**9, "x.zip", {}, "plates.no_batch"),
        (printed.batch, "none/x.zip", {}, "plan_file.not_written"),
    ):
        with pytest.raises(WanggeError) as caught:
            plate_pictures.export(engine, batch, tmp_path / where, **values)
        assert caught.value.code == code
    assert sorted(f.name for f in tmp_path.iterdir()) == ["folder", "p.zip"]


def test_pictures_of_what_is_no_longer_true_or_does_not_read_back_are_refused(engine, place, tmp_path, monkeypatch):
    printed = plates.print_community(engine, place, "东社区", size="small", one_a_page=True)
    good = picture.Drawer.svg
    with monkeypatch.context() as patch:
        patch.setattr(picture.Drawer, "svg", lambda self, _: good(self, printed.shown[5]))
        with pytest.raises(ConflictError, match=r"plates\.unread"):
            plate_pictures.export(engine, printed.batch, tmp_path / "p.zip", kinds=["svg"])
    code = printed.shown[2].code
    with engine.begin() as connection:
        connection.execute(text("UPDATE address SET text = '新名路1号' WHERE code = :c"), {"c": code})
    with pytest.raises(ConflictError) as caught:
        plate_pictures.export(engine, printed.batch, tmp_path / "p.zip", kinds=["svg"])
    assert (caught.value.code, caught.value.values["count"]) == ("plates.changed", 1)
    assert codes.printed(code) in str(caught.value.values["plates"])
    assert list(tmp_path.iterdir()) == []


def test_a_character_no_font_has_stops_the_batch_and_names_the_plates(engine, place, rows, tmp_path):
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE compound SET name = '翠湖𠀀' WHERE territory_id = (SELECT id FROM territory WHERE name = :n)"
            ),
            {"n": place},
        )
    with pytest.raises(InputError) as caught:
        plates.print_to_file(engine, place, tmp_path / "p.pdf", "东社区")
    assert caught.value.code == "plates.glyphs"
    assert caught.value.values["count"] == 6
    assert "U+20000" in str(caught.value.values["characters"])
    assert list(tmp_path.iterdir()) == []
    assert rows(KEPT, n=place) == [(0, 0)]
