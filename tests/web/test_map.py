"""The map page in a real browser: it draws, asks nobody else, finds things and names who is responsible."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.web.conftest import settle, until

pytestmark = [pytest.mark.browser, pytest.mark.database]


def pixels(page) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))


def map_centre(page, world, number: int = 0) -> tuple[float, float]:
    """Where a point inside the number-th grid of the first territory lies on the screen."""
    territory = min(world.grids)
    lon, lat = world.wgs84(territory, *world.grids[territory][number][1].centroid.coords[0])
    point = page.evaluate(
        "([lon, lat]) => { const p = wanggeMap.project([lon, lat]); return [p.x, p.y]; }", [lon, lat]
    )
    return point[0], point[1]


def drawn(page, layer: str) -> int:
    return page.evaluate("layer => wanggeMap.queryRenderedFeatures({layers: [layer]}).length", layer)


def test_the_map_draws_grids_streets_and_chinese_labels(open_page):
    page = open_page("/")
    settle(page)
    until(page, lambda: len(np.unique(pixels(page)[:, 380:].reshape(-1, 3), axis=0)) > 50)  # not an empty sheet
    for layer in ("grid-fill", "grid-border", "community-border", "street", "water"):
        assert drawn(page, layer), layer
    page.evaluate("wanggeMap.zoomTo(14.2, {duration: 0})")
    settle(page)
    names = "wanggeMap.queryRenderedFeatures({layers: ['grid-name']}).map(f => f.properties.name)"
    until(page, lambda: any(name.startswith("第") for name in page.evaluate(names)))  # labels find their places last


def test_neighbouring_grids_have_different_tones(open_page, world):
    page = open_page("/")
    settle(page)
    territory = min(world.grids)
    tones = page.evaluate(
        "Object.fromEntries(wanggeMap.queryRenderedFeatures({layers: ['grid-fill']})"
        ".map(f => [f.properties.grid_id, f.properties.tone]))"
    )
    grids = [(g, p) for g, p in world.grids[territory] if g in tones]
    assert len(grids) > 40
    for i, (a, p) in enumerate(grids):
        for b, q in grids[i + 1 :]:
            if p.intersection(q).length > 1:
                assert tones[a] != tones[b]


def test_a_click_opens_the_card_and_escape_closes_it(open_page, world):
    page = open_page("/")
    settle(page)
    territory = min(world.grids)
    numbers = [k for k in range(64) if map_centre(page, world, k)[0] > 420]
    page.mouse.click(*map_centre(page, world, numbers[0]))
    page.locator("#card .code").wait_for()
    card = page.locator("#card").inner_text()
    assert "社区" in card
    assert page.evaluate("wanggeMap.getFilter('grid-selected')[2]") == world.grids[territory][numbers[0]][0]
    page.keyboard.press("Escape")
    page.locator("#card").wait_for(state="hidden")


def test_search_by_keyboard_finds_an_address_and_its_people(open_page):
    page = open_page("/")
    settle(page)
    page.fill("#search", "麓山路12号")
    page.locator("#results li[role=option]").first.wait_for()
    page.keyboard.press("Enter")
    page.locator("#card .people").wait_for()
    assert "张三" in page.locator("#card").inner_text()
    assert page.locator("#card a.phone").first.get_attribute("href") == "tel:07315550001"


def test_search_that_finds_nothing_says_so(open_page):
    page = open_page("/")
    page.fill("#search", "没有这条街9999号")
    page.locator("#results .none").wait_for()
    assert page.locator("#results .none").inner_text() == "没有找到"


def test_what_is_typed_while_the_page_loads_is_searched(open_page):
    page = open_page("/")
    held, let = [], []
    page.route("**/api/territories*", lambda route: route.continue_() if let else held.append(route))
    page.reload()
    page.fill("#search", "没有这条街9999号")
    page.wait_for_timeout(500)  # longer than the pause after which a text is asked for
    until(page, lambda: held)
    assert page.locator("#results .none").count() == 0
    let.append(True)
    for route in held:
        route.continue_()
    page.locator("#results .none").wait_for()


def test_layers_can_be_switched_off(open_page):
    page = open_page("/")
    settle(page)
    page.uncheck("input[data-layers=grids]")
    until(page, lambda: drawn(page, "grid-fill") == 0)
    assert drawn(page, "street")


def test_the_other_territory_and_english(open_page):
    page = open_page("/?territory=2", locale="en-GB")
    settle(page)
    assert page.locator("html").get_attribute("lang") == "en"
    assert "grids" in page.locator("#summary").inner_text()
    assert "OpenStreetMap" in page.locator(".maplibregl-ctrl-attrib").inner_text()


def test_a_phone_shows_map_and_search_without_sideways_scrolling(open_page):
    page = open_page("/", width=390, height=780, has_touch=True, is_mobile=True)
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("#search").is_visible()
    assert drawn(page, "grid-fill")
