"""Which street a building faces: rows, corners, what neighbours say, and when nobody can be sure."""

from dataclasses import replace

import numpy as np
import pytest
from shapely import box

from gis.addressing import facing
from gis.addressing.assign import assign
from gis.addressing.thoroughfares import trace
from tests.gis.drawn_streets import NONE, buildings, house, streets, texts


def faced(lines, *shapes, known=None):
    """Names of the streets that footprints face, and whether that is sure. ``known``: names some state, or ""."""
    traced = trace(lines)
    names = list(traced.name)
    told = None if known is None else np.array([names.index(n) if n else -1 for n in known])
    found = facing.face(
        np.array(shapes, dtype=object), lines.geometry, traced, known=told,
        name_of=None if known is None else np.arange(len(names)),
    )  # fmt: skip
    return [[*names, ""][t] for t in found.thoroughfare], found.sure.tolist()


def row(first, last, y, depth=10, step=12):
    """Houses of 10 m side by side along y."""
    return [box(x, y, x + 10, y + depth) for x in range(first, last, step)]


def classed(lines, *classes):
    return replace(lines, highway=texts(classes))


def test_a_street_goes_on_as_a_service_road_of_its_name():
    lines = classed(
        streets(("中街", [(0, 0), (200, 0)]), ("中街", [(200, 0), (400, 0)]), ("后街", [(0, 60), (400, 60)])),
        "residential", "service", "residential",
    )  # fmt: skip
    assert faced(lines, box(300, 8, 315, 20))[0] == ["中街"]
    assert trace(lines).length[0] == pytest.approx(400)


def test_a_service_road_beside_its_street_is_no_part_of_it():
    lines = classed(
        streets(("大道", [(0, 0), (400, 0)]), ("大道", [(0, 20), (400, 20)])), "primary", "service"
    )  # fmt: skip
    traced = trace(lines)
    assert traced.way_of.tolist() == [0, -1]
    assert traced.length[0] == pytest.approx(400)


def test_a_wide_streets_row_stands_further_from_its_middle():
    # the avenue's houses stand 20 m from its middle, those of the lane 5 m: the corner house is in the avenue's row
    lines = streets(("大道", [(0, 0), (400, 0)]), ("支路", [(400, 0), (400, 200)]))
    avenue = row(100, 370, 20)
    lane = [box(405, y, 415, y + 14) for y in range(60, 200, 16)]
    corner = box(383, 20, 393, 30)  # 20 m from the avenue, 7 m from the lane
    assert faced(lines, *avenue, *lane, corner)[0][-1] == "大道"


def test_a_flank_nearer_than_the_row_is_no_front():
    # houses stand 12 m back from either street; the corner house turns its flank to the cross street, 6 m away
    lines = streets(("前街", [(0, 0), (300, 0)]), ("横街", [(300, 0), (300, 300)]))
    front = row(150, 270, 12)
    across = [box(278, y, 288, y + 10) for y in range(60, 300, 12)]
    corner = box(284, 12, 294, 22)
    assert faced(lines, *front, *across, corner)[0][-1] == "前街"


def test_a_large_corner_building_belongs_to_the_longer_street():
    lines = streets(("长街", [(0, 0), (1000, 0)]), ("短巷", [(500, 0), (500, -120)]))
    corner = box(470, -40, 492, -8)  # 8 m from either
    west = streets(("短巷", [(380, 0), (500, 0)]), ("长街", [(500, 500), (500, -500)]))
    assert faced(lines, corner)[0] == ["长街"]
    assert faced(west, corner)[0] == ["长街"]


def test_nobody_is_sure_of_a_house_far_behind_the_line():
    lines = streets(("人民路", [(0, 0), (400, 0)]))
    names, sure = faced(lines, *row(0, 390, 8), box(150, 40, 160, 50))
    assert names == ["人民路"] * 34  # there is no other street
    assert all(sure[:-1])
    assert not sure[-1]


def test_a_large_building_between_two_streets_is_not_sure():
    lines = streets(("甲路", [(0, 0), (300, 0)]), ("乙路", [(0, 70), (300, 70)]))
    assert faced(lines, box(100, 10, 200, 58))[1] == [False]  # 10 m from the one, 12 m from the other
    assert faced(lines, box(100, 10, 110, 20))[1] == [True]


def test_neighbours_that_state_their_street_speak_for_those_between():
    lines = streets(("南街", [(0, 0), (300, 0)]), ("北街", [(0, 34), (300, 34)]))
    between = [box(x, 12, x + 10, 22) for x in (100, 114, 128)]  # 12 m from either
    for name in ("南街", "北街"):
        assert faced(lines, *between, known=[name, "", name])[0][1] == name


def test_what_a_house_states_itself_is_not_what_it_faces():
    # facing answers for the place alone; the stated street is taken afterwards
    lines = streets(("前街", [(0, 0), (300, 0)]), ("后街", [(0, 40), (300, 40)]))
    alone = box(100, 6, 110, 16)
    assert faced(lines, alone, known=["后街"])[0] == ["前街"]


def test_a_single_neighbour_far_away_does_not_decide():
    lines = streets(("前街", [(0, 0), (300, 0)]), ("后街", [(0, 40), (300, 40)]))
    assert faced(lines, box(100, 8, 110, 20), box(150, 8, 160, 20), known=["", "后街"])[0][0] == "前街"


@pytest.mark.parametrize(
    ("wrong_from", "expected"),
    [
        (None, facing.SHOWN_LEAST),  # all that state their street are right: any of them may be sure
        (0.9, 0.9),  # wrong below .9: only those above are
        (0.0, 0.85),  # too few say anything
    ],
)
def test_the_margin_follows_what_the_place_itself_shows(wrong_from, expected):
    margin = np.linspace(facing.SHOWN_LEAST, 1.0, 1001)
    told = np.ones(1001, dtype=np.int64)
    if wrong_from == 0.0:
        told[facing.SHOWN_BY - 1 :] = -1
    elif wrong_from:
        told[margin < wrong_from] = 0
    assert facing._margin_shown(margin, told) == pytest.approx(expected, abs=0.01)


def test_a_place_where_faces_tell_nothing_is_never_sure():
    margin = np.linspace(facing.SHOWN_LEAST, 1.0, 400)
    assert facing._margin_shown(margin, np.arange(400) % 2) > 1.0


def test_a_town_whose_plates_contradict_its_rows_is_not_sure():
    # two rows between two streets, and every stated house belongs to the street behind it
    lines = streets(("前街", [(0, 0), (3000, 0)]), ("后街", [(0, 60), (3000, 60)]))
    rows = [box(x, 8, x + 10, 20) for x in range(0, 2990, 12)]
    said = [(r, {"street": "后街", "housenumber": str(2 * k + 2)} if k % 10 else {}) for k, r in enumerate(rows)]
    found = assign(lines, buildings(*said), NONE, NONE, NONE)
    silent = np.arange(0, len(rows), 10)
    assert not found.sure[silent].any()
    agree = [(r, {"street": "前街", "housenumber": str(2 * k + 2)} if k % 10 else {}) for k, r in enumerate(rows)]
    found = assign(lines, buildings(*agree), NONE, NONE, NONE)
    assert found.sure[silent].all()


def test_a_house_of_its_own_row_is_sure():
    found = assign(
        streets(("人民路", [(0, 0), (400, 0)])), buildings(*(house(x) for x in range(0, 390, 12))), NONE, NONE, NONE
    )
    assert found.sure.all()


def corner_town(number, *, east=(), west=()):
    """A large house at a corner of two streets, nearer to 前街, with a number and no street.

    ``east``, ``west``: numbers along 前街 on either hand of it; along 横街 stand 2, 4, 6, (8), 10, 12.
    """
    lines = streets(("前街", [(0, 0), (600, 0)]), ("横街", [(300, -300), (300, 300)]))
    corner = box(270, 8, 291, 29), {"housenumber": number}
    front = [
        (box(x, 8, x + 12, 20), {"street": "前街", "housenumber": str(n)})
        for x, n in (*zip((250, 230, 210), east, strict=False), *zip((320, 340, 360), west, strict=False))
    ]
    across = [
        (box(280, y, 291, y + 12), {"street": "横街", "housenumber": str(n)})
        for y, n in ((-80, 12), (-50, 10), (40, 6), (60, 4), (80, 2))
    ]
    found = assign(lines, buildings(corner, *front, *across), NONE, NONE, NONE)
    return [*found.thoroughfares.name, ""][found.thoroughfare[0]], bool(found.sure[0]), found.number[0]


def test_a_number_goes_to_the_street_in_whose_run_it_fits():
    front = {"east": (31, 33, 35, 37), "west": (27, 25, 23)}
    assert corner_town("8", **front) == ("横街", True, "8")
    assert corner_town("29", **front) == ("前街", True, "29")


def test_a_number_that_somebody_else_has_is_of_the_other_street():
    assert corner_town("8", east=(8, 10, 12), west=(6, 4, 2))[0] == "横街"


def test_a_number_that_fits_both_streets_stays_where_the_house_looks():
    street, sure, _ = corner_town("8", east=(10, 12, 14), west=(6, 4, 2))
    assert (street, sure) == (corner_town("", east=(10, 12, 14), west=(6, 4, 2))[0], False)


def test_numbers_that_count_through_show_no_parity():
    assert corner_town("29", east=(30, 31, 32), west=(28, 27, 26))[0] == "前街"


@pytest.mark.parametrize("number", ["八号", "8-9999999999", "号", "１２", "０", "x" * 5000])
def test_any_text_for_a_number_is_kept(number):
    assert corner_town(number, east=(10, 12, 14))[2] == number.rstrip("号")
