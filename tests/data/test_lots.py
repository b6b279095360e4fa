"""Samples of lots: reading them, and the error of the rule that is fitted to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.lots import SQUARE_FOOT, read_lots
from gis.errors import InputError
from gis.territory.households import Rule, calibrate

NEW_YORK = Path(__file__).parents[2].parent / "shared" / "data" / "households" / "nyc-lots.csv"


def write(folder: Path, text: str) -> Path:
    path = folder / "lots.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_square_metres_and_feet(tmp_path):
    lots = read_lots(write(tmp_path, "floors,building_area_sqft,residential_units\n2,1000,1\n6,0,3\n"))
    assert lots.floor_area == pytest.approx([1000 * SQUARE_FOOT])
    assert lots.residential_area == pytest.approx(lots.floor_area)
    lots = read_lots(write(tmp_path, "levels,floor_area,residential_area_m2,dwellings\n6,900,700,9\n"))
    assert (lots.floor_area[0], lots.residential_area[0], lots.levels[0], lots.dwellings[0]) == (900, 700, 6, 9)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("levels,dwellings\n2,1\n", "lots.no_column"),
        ("levels,floor_area,dwellings\n2,many,1\n", "lots.not_a_number"),
        ("levels,floor_area,dwellings\n", "input.empty_file"),
    ],
)
def test_what_cannot_be_used_says_why(tmp_path, text, code):
    with pytest.raises(InputError) as fault:
        read_lots(write(tmp_path, text))
    assert fault.value.code == code


def test_names_in_gbk(tmp_path):
    (tmp_path / "lots.csv").write_bytes("levels,floor_area,dwellings,地址\n".encode("gbk"))
    with pytest.raises(InputError, match="encoding"):
        read_lots(tmp_path / "lots.csv")


@pytest.mark.skipif(not NEW_YORK.exists(), reason="the sample of lots is beside the repository (../shared/data)")
def test_the_documented_error_holds():
    found = calibrate(read_lots(NEW_YORK))
    assert found.lots == 1440
    assert found.mean_error < 1.3
    assert found.total_error < 0.07
    assert 0.2 < found.unknown_error < 0.4
    default = Rule()
    assert (default.low, default.middle, default.high) == (found.rule.low, found.rule.middle, found.rule.high)
    assert default.unknown_share == pytest.approx(found.rule.unknown_share, abs=0.01)
