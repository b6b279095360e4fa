"""A batch is good when every plate of it reads back, or it is not: nothing is written, nothing is kept."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from api.services import addresses, importing, planning, plates
from gis.addressing import codes
from gis.addressing.plates import qr
from gis.errors import ConflictError, InputError

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
