"""The examples of docs/lookup.md run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from gis.locate import datums

TEXT = (Path(__file__).parents[2] / "docs" / "lookup.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_there_are_two_examples():
    assert len(BLOCKS) == 2


def test_the_index_alone():
    exec(compile(BLOCKS[1], "docs/lookup.md", "exec"), {})


@pytest.mark.database
def test_what_is_published_as_arrays(world, monkeypatch, tmp_path, capsys):
    """The places are the demo's: outside here; then, with places of our own, inside."""
    first = min(world.grids)
    spot = world.grids[first][0][1].centroid
    lon, lat = datums.from_wgs84(*(np.array([v]) for v in world.wgs84(first, spot.x, spot.y)), datums.parse("gcj02"))
    monkeypatch.setenv("DATABASE_URL", world.url)
    monkeypatch.setenv("WANGGE_HOME", str(tmp_path))
    exec(compile(BLOCKS[0], "docs/lookup.md", "exec"), {})
    assert "outside" in capsys.readouterr().out
    ours, changed = re.subn(
        r"(?m)^lon, lat = .*$", f"lon, lat = np.array([{lon[0]}]), np.array([{lat[0]}])", BLOCKS[0]
    )
    assert changed == 1
    exec(compile(ours, "docs/lookup.md", "exec"), {})
    assert "certain" in capsys.readouterr().out
    assert len(list((tmp_path / "cache" / "locate").glob("*.index"))) == 2
