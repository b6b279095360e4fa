"""The offline report: everything inside, nothing asked of any server, nothing of the plan run as code."""

import json
import re

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner

from api.cli.main import cli
from api.services.plans.report import write_report
from api.services.plans.report_map import colours_of, leaflet_css
from data.plan_files import read_plan, write_plan
from gis.errors import InputError
from tests.running_server import PATIENCE
from tests.web.conftest import ARGUMENTS, until

CRS = "EPSG:4547"
EVIL = "<img src=http://evil.test/x onerror=alert(1)>{{7*7}}</script>"


def square(x, y):
    return shapely.box(401000 + 300 * x, 3098000 + 300 * y, 401300 + 300 * x, 3098300 + 300 * y)


def drawn_plan(path, name="第一网格", attribution="© OpenStreetMap contributors"):
    """Two by two grids, a street between the rows, a border off the streets, one grid out of range."""
    shapes = [square(x, y) for y in (0, 1) for x in (0, 1)]
    codes = [f"43990100100100{k}" for k in range(1, 5)]
    grids = gpd.GeoDataFrame(
        {
            "grid_id": codes, "code": codes, "name": [name] * 4, "community": "439901001001",
            "kind": ["residential", "residential", "residential", "rural"], "households": [310, 420, 700, 40],
            "counted": [310, 420, 700, 40], "work": 1.0, "buildings": [3, 4, 5, 1], "on_street_share": 1.0,
            "compactness": 0.78, "note": ["", "", "indivisible", ""],
        },
        geometry=shapes,
    )  # fmt: skip
    across = shapely.LineString([(401000, 3098300), (401600, 3098300)])
    up = shapely.LineString([(401300, 3098000), (401300, 3098300)])
    borders = {"left": codes[:3], "right": [codes[1], codes[2], codes[3]], "class": ["none", "primary", "community"]}
    tables = {
        "territory": gpd.GeoDataFrame(geometry=[shapely.union_all(shapes)]),
        "grids": grids,
        "atoms": gpd.GeoDataFrame({"atom_id": codes}, geometry=shapes),
        "blocks": gpd.GeoDataFrame({"block": codes}, geometry=shapes),
        "buildings": gpd.GeoDataFrame(
            {"source_id": ["b1", "b2"], "grid": codes[:2]}, geometry=[s.centroid.buffer(20) for s in shapes[:2]]
        ),
        "borders": gpd.GeoDataFrame({**borders, "basis": ["cell", "street", "community"]}, geometry=[up, across, up]),
        "streets": gpd.GeoDataFrame(
            {"source_id": ["s1", "s2"], "highway": ["primary", "footway"], "name": [name, None]},
            geometry=[across, up],
        ),
        "excluded": pd.DataFrame(
            {"layer": ["buildings"], "source_id": ["b9"], "reason": ["self_crossing"], "households": [2]}
        ),
        "responsibilities": gpd.GeoDataFrame({"grid": codes[:1], "other": codes[2:3]}, geometry=[across]),
    }
    write_plan(path, tables, CRS, attribution=attribution)
    return path


@pytest.fixture
def page(tmp_path):
    out = tmp_path / "plan.html"
    write_report(drawn_plan(tmp_path / "plan.gpkg"), out)
    return out.read_text(encoding="utf-8")


def test_attribution_travels_in_the_plan_file(tmp_path):
    assert read_plan(drawn_plan(tmp_path / "a.gpkg")).attribution == "© OpenStreetMap contributors"
    assert read_plan(drawn_plan(tmp_path / "b.gpkg", attribution="")).attribution == ""


def test_nothing_in_the_page_is_fetched(page):
    assert not re.findall(r"<(?:script|img|iframe)[^>]*\ssrc\s*=", page)
    assert not re.findall(r"<link\b", page)
    assert not re.findall(r"@import", page)
    assert all(u.startswith(("data:", "#")) for u in re.findall(r"url\(\s*['\"]?([^)'\"]*)", page))
    assert "default-src 'none'" in page
    hosts = set(re.findall(r"https?://([\w.-]+)", re.sub(r"/\*.*?\*/", "", page, flags=re.S)))
    assert hosts <= {"leafletjs.com", "www.w3.org"}  # a link for people, a namespace


def test_page_says_what_a_planner_asks(page):
    for word in ("网格划分方案", "户", "第一网格", "439901001001004", "农村网格", "未采用的要素"):
        assert word in page
    assert "© OpenStreetMap contributors" in page
    assert 'lang="zh-CN"' in page
    assert page.count("data-grid=") >= 4
    assert page.count('class="missed"') == 1


def test_english_words_on_request(tmp_path):
    out = tmp_path / "plan.html"
    write_report(drawn_plan(tmp_path / "plan.gpkg"), out, language="en")
    assert "Grid plan" in out.read_text()


def test_figures_add_bounds_proof_and_names(tmp_path):
    plan = drawn_plan(tmp_path / "plan.gpkg")
    said = {
        "grids": 4, "in_range_share": 0.75, "gap": 0.031, "certificate": {"status": "gap"},
        "bounds": {"minimum": 300, "maximum": 600}, "communities": [{"code": "439901001001", "name": "和平社区"}],
    }  # fmt: skip
    (tmp_path / "plan.json").write_text(json.dumps(said), encoding="utf-8")
    write_report(plan, tmp_path / "plan.html", figures=tmp_path / "plan.json")
    page = (tmp_path / "plan.html").read_text(encoding="utf-8")
    for word in ("和平社区", "300–600", "75.0 %", "3.1 %"):
        assert word in page


def test_names_of_the_plan_are_text_never_code(tmp_path):
    write_report(drawn_plan(tmp_path / "plan.gpkg", name=EVIL), tmp_path / "plan.html")
    page = (tmp_path / "plan.html").read_text(encoding="utf-8")
    assert "<img src=http://evil.test" not in page
    assert "{{7*7}}" not in page.split("</aside>")[0]
    assert "49</script>" not in page


def test_same_plan_gives_a_page_of_the_same_size(tmp_path):
    plan = drawn_plan(tmp_path / "plan.gpkg")
    sizes = {write_report(plan, tmp_path / f"{k}.html").bytes for k in "ab"}
    assert len(sizes) == 1


def test_neighbours_differ_in_colour():
    codes = [f"{i}{j}" for i in range(6) for j in range(6)]
    pairs = [(f"{i}{j}", f"{i + a}{j + b}") for i in range(5) for j in range(5) for a, b in ((0, 1), (1, 0), (1, 1))]
    colour = colours_of(codes, pairs)
    assert all(colour[a] != colour[b] for a, b in pairs)
    assert max(colour.values()) < 8


def test_leaflet_style_holds_its_picture():
    assert "data:image/png" in leaflet_css()
    assert "marker-icon.png" not in leaflet_css()
    assert leaflet_css().count("{") == leaflet_css().count("}")


@pytest.mark.parametrize("what", ["missing", "not_a_plan", "figures", "folder"])
def test_bad_input_is_one_line_and_writes_nothing(tmp_path, what):
    plan = drawn_plan(tmp_path / "plan.gpkg")
    out = tmp_path / "plan.html"
    more = []
    if what == "missing":
        plan = tmp_path / "none.gpkg"
    elif what == "not_a_plan":
        plan = tmp_path / "other.gpkg"
        gpd.GeoDataFrame({"a": [1]}, geometry=[square(0, 0)], crs=CRS).to_file(plan, layer="other")
    elif what == "figures":
        (tmp_path / "x.json").write_text("no json")
        more = ["--figures", str(tmp_path / "x.json")]
    else:
        out = tmp_path / "none" / "plan.html"
    result = CliRunner().invoke(cli, ["report", str(plan), "-o", str(out), *more])
    assert isinstance(result.exception, InputError)
    assert not list(tmp_path.glob("**/*.html"))
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.browser
def test_opens_in_a_browser_without_a_single_request(tmp_path, chromium):
    from playwright.sync_api import sync_playwright

    out = tmp_path / "plan.html"
    write_report(drawn_plan(tmp_path / "plan.gpkg", name=EVIL), out)
    asked, faults = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS, timeout=PATIENCE * 1000)
        context = browser.new_context(viewport={"width": 1300, "height": 800})
        context.set_offline(True)
        view = context.new_page()
        view.on("request", lambda r: asked.append(r.url))
        view.on("pageerror", lambda e: faults.append(str(e)))
        view.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        view.on("dialog", lambda d: faults.append("script of the plan ran"))
        view.set_default_timeout(PATIENCE * 1000)
        view.goto(out.as_uri())
        view.wait_for_selector(".leaflet-container canvas")
        labels = view.locator(".grid-label").count()
        centre = "() => Object.values(window).find(v => v instanceof L.Map).getCenter()"
        before = view.evaluate(centre)
        view.locator("tr[data-grid]").nth(2).click()
        until(view, lambda: view.evaluate(centre) != before)
        view.mouse.move(900, 400)
        view.wait_for_timeout(300)
        browser.close()
    assert asked == [out.as_uri()]
    assert not faults
    assert labels == 4
