"""The grid worker's page on a phone: certain, near a border, outside, and without permission."""

from __future__ import annotations

import pytest
import shapely

from tests.web.conftest import until

pytestmark = [pytest.mark.browser, pytest.mark.database]
PHONE = {"width": 390, "height": 780, "has_touch": True, "is_mobile": True}


def ask(open_page, world, point, accuracy: float):
    territory = min(world.grids)
    lon, lat = world.wgs84(territory, *point)
    page = open_page(
        "/locate",
        **PHONE,
        permissions=["geolocation"],
        geolocation={"longitude": lon, "latitude": lat, "accuracy": accuracy},
    )
    page.click("#find")
    page.locator("#answer .verdict").wait_for()
    return page


def test_well_inside_a_grid_names_it_with_datum_and_accuracy(open_page, world):
    _, polygon = world.grids[min(world.grids)][0]
    page = ask(open_page, world, shapely.centroid(polygon).coords[0], 15)
    assert page.locator(".verdict").get_attribute("class").split()[-1] == "certain"
    assert "WGS84" in page.locator("#status").inner_text()
    assert "15" in page.locator("#status").inner_text()
    assert "米" in page.locator(".edge").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_near_a_border_says_it_is_not_sure_and_names_the_neighbour(open_page, world):
    grids = world.grids[min(world.grids)]
    first = grids[0][1]
    second = next(p for _, p in grids[1:] if first.intersection(p).length > 100)
    border = shapely.intersection(first, second)
    page = ask(
        open_page,
        world,
        shapely.line_interpolate_point(shapely.line_merge(border), 0.5, normalized=True).coords[0],
        20,
    )
    assert "uncertain" in page.locator(".verdict").get_attribute("class")
    assert page.locator(".neighbours li").count() >= 1


def test_outside_names_the_nearest_grid(open_page, world):
    west, south, *_ = shapely.union_all([p for _, p in world.grids[min(world.grids)]]).bounds
    page = ask(open_page, world, (west - 800, south - 800), 10)
    assert "outside" in page.locator(".verdict").get_attribute("class")
    assert page.locator(".neighbours li").count() >= 1


def test_without_permission_the_page_says_what_to_do(open_page):
    page = open_page("/locate", **PHONE)
    page.click("#find")
    said = page.locator("#status").inner_text
    until(page, lambda: "定位权限" in said() or "无法定位" in said())
    assert "门牌编码" in page.locator("#status").inner_text()


def test_a_plate_code_typed_by_hand_answers_exactly(open_page, world):
    page = open_page("/locate", **PHONE)
    page.fill("#text", world.codes["good"])
    page.click("#byhand button")
    page.locator("#answer h2").wait_for()
    assert "张三" in page.locator("#answer").inner_text()
