"""The ledger of a plan file, and plan files of other versions."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pyogrio
import pytest
import shapely
from click.testing import CliRunner

from api.cli.main import cli
from api.services.plans import ledger
from data.ledger_files import Sheet, write_workbook
from data.plan_files import FORMAT, read_plan
from gis.errors import InputError


def beside(name: str):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(name, module)
    spec.loader.exec_module(module)
    return module


drawn = beside("drawn_town")


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """The drawn town with a compound over its south-western block, planned."""
    folder = tmp_path_factory.mktemp("ledger")
    layers = drawn.frames()
    compound = drawn.communities([(0, 0, 1, 1)]).assign(name="=和顺二期")
    layers["compounds"] = compound.drop(columns="code")
    layers["communities"] = drawn.communities([(0, 0, 3, 3)])
    drawn.write(folder / "town.gpkg", layers)
    done = CliRunner().invoke(
        cli, ["plan", str(folder / "town.gpkg"), "-o", str(folder / "plan.gpkg"), "--iterations", "1"]
    )
    assert done.exit_code in (0, 3), done.output
    return folder / "plan.gpkg"


@pytest.fixture
def book(plan, tmp_path):
    done = CliRunner().invoke(cli, ["export", "ledger", str(plan), "-o", str(tmp_path / "l.xlsx")])
    assert done.exit_code == 0, done.output
    return openpyxl.load_workbook(tmp_path / "l.xlsx")


def test_one_row_a_grid_ready_to_print(plan, book):
    grids = read_plan(plan).layers["grids"]
    sheet = book["网格台账"]
    rows = list(sheet.iter_rows(min_row=2, values_only=True))
    head = [c.value for c in sheet[1]]
    assert head[:2] == ["网格编码", "网格名称"]
    assert [r[0] for r in rows] == sorted(grids["code"])
    assert sum(r[head.index("户数")] for r in rows) == int(grids["households"].sum())
    assert sum(r[head.index("面积（公顷）")] for r in rows) == pytest.approx(grids.geometry.area.sum() / 1e4, abs=0.1)
    assert all(r[head.index("四至")].startswith("东至") for r in rows)
    assert (sheet.freeze_panes, sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("C2", "landscape", 9)
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.page_setup.fitToHeight == 0


def test_no_cell_is_a_formula(book):
    cells = [c for sheet in book for row in sheet.iter_rows() for c in row]
    assert not [c.coordinate for c in cells if c.data_type == "f"]
    held = [c for c in cells if isinstance(c.value, str) and "=和顺二期" in c.value]
    assert held
    assert all(c.quotePrefix for c in held if c.value.startswith("="))


def test_texts_that_no_cell_can_hold(tmp_path):
    rows = [["=1+1", "+86", "a\x00b\x08", "@x", 7, None, "x" * 40_000]]
    write_workbook(
        tmp_path / "a.xlsx", [Sheet("a", [""] * 7, [9.0] * 7, rows)], header="50 & more\x00", page="&P / &N"
    )
    (found,) = openpyxl.load_workbook(tmp_path / "a.xlsx")["a"].iter_rows(min_row=2)
    assert [c.value for c in found][:6] == ["=1+1", "+86", "ab", "@x", 7, None]
    assert [c.data_type for c in found][:4] == ["s"] * 4
    assert len(found[6].value) == 32_000


def test_every_metre_of_street_on_a_border_is_in_the_ledger_once(plan, book):
    layers = read_plan(plan).layers
    borders, duties = layers["borders"], layers["responsibilities"]
    streets = borders[borders["basis"].isin(["street", "moved"])]
    inner = duties[duties["other"].fillna("") != ""]
    assert inner["metres"].sum() == pytest.approx(streets.geometry.length.sum(), abs=0.1)
    outer = duties[duties["other"].fillna("") == ""]
    assert (outer["reason"] == "outer_edge").all()
    assert (duties["grid"] != duties["other"]).all()
    rows = list(book["街道责任"].iter_rows(min_row=2, values_only=True))
    assert sum(r[4] for r in rows) == pytest.approx(duties["metres"].sum(), abs=0.1 * len(rows) + 0.1)


def test_the_ledger_in_english(plan):
    found = ledger.of_plan_file(plan, "en")
    assert all(e.bounds.startswith("east to ") for e in found.entries)


@pytest.mark.parametrize("arguments", [[], ["PLAN", "--territory", "x"]])
def test_one_source_of_the_ledger(plan, tmp_path, arguments):
    given = [str(plan) if a == "PLAN" else a for a in arguments]
    done = CliRunner().invoke(cli, ["export", "ledger", *given, "-o", str(tmp_path / "l.xlsx")])
    assert done.exit_code == 2


def changed(plan, tmp_path, *, layer=None, without=None, form=str(FORMAT)):
    """A copy of a plan file, with one layer changed and another format word."""
    path = tmp_path / "copy.gpkg"
    found = read_plan(plan)
    for count, (name, frame) in enumerate(found.layers.items()):
        if name == layer and without is None:
            continue
        kept = frame.drop(columns=without) if name == layer else frame
        about = {"plan_format": form} if form and not count else None
        pyogrio.write_dataframe(kept, path, layer=name, driver="GPKG", append=count > 0, dataset_metadata=about)
    return path


@pytest.mark.parametrize(
    ("how", "code", "field"),
    [
        ({"form": "3"}, "plan_file.other_version", "plan_format"),
        ({"form": "two"}, "plan_file.other_version", "plan_format"),
        ({"layer": "borders"}, "plan_file.no_layer", "borders"),
        ({"layer": "responsibilities"}, "plan_file.no_layer", "responsibilities"),
        ({"layer": "grids", "without": "counted"}, "plan_file.no_column", "grids.counted"),
    ],
)
def test_a_plan_file_of_another_version_names_what_is_wrong(plan, tmp_path, how, code, field):
    with pytest.raises(InputError, match=code) as caught:
        read_plan(changed(plan, tmp_path, **how))
    assert caught.value.values["field"] == field


def test_a_plan_file_of_the_first_version_is_still_read(plan, tmp_path):
    old = changed(plan, tmp_path, layer="responsibilities", form="")
    assert "responsibilities" not in read_plan(old).layers
    assert all(not e.duties for e in ledger.of_plan_file(old).entries)


def test_a_community_in_two_pieces_is_divided_piece_by_piece_and_said(tmp_path):
    layers = drawn.frames()
    two = drawn.communities([(0, 0, 1, 3), (1, 0, 2, 3)])
    west_and_east = shapely.MultiPolygon(
        [two.geometry[0], shapely.transform(two.geometry[0], lambda p: p + np.array([400.0, 0.0]))]
    )
    layers["communities"] = two.set_geometry([west_and_east, two.geometry[1]], crs=two.crs)
    drawn.write(tmp_path / "town.gpkg", layers)
    arguments = ["plan", str(tmp_path / "town.gpkg"), "-o", str(tmp_path / "p.gpkg"), "--iterations", "1"]
    done = CliRunner().invoke(cli, arguments, env={"WANGGE_LANG": "zh-CN"})
    assert done.exit_code == 0, done.output
    assert "社区 第0社区 由互不相连的 2 块组成" in done.output
    assert "第1社区 由" not in done.output
