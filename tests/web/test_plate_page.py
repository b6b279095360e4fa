"""A plate's page on a phone without any script: it fits, its forms work, its numbers are large enough to touch."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from gis.addressing.codes import plate_url
from tests.published_world import HOST, KEY

pytestmark = [pytest.mark.browser, pytest.mark.database]
PHONE = {"width": 360, "height": 740, "has_touch": True, "is_mobile": True, "java_script_enabled": False}


def shot(page, name):
    """Keep a picture for people where WANGGE_SHOTS names a folder."""
    folder = os.environ.get("WANGGE_SHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def path(world, what="good"):
    return "/d/" + plate_url(HOST, world.codes[what], "A", KEY).rpartition("/")[2]


def test_a_resident_reports_a_problem_with_a_photo(open_page, world, tmp_path):
    page = open_page(path(world), **PHONE)
    assert page.locator("h1").inner_text() == "麓山路12号"
    shot(page, "plate")
    wide = page.locator("main").bounding_box()
    assert wide["x"] >= 0
    assert wide["x"] + wide["width"] <= 360
    for call in page.locator('a[href^="tel:"]').all():
        assert call.bounding_box()["height"] >= 44
    page.locator("summary").first.tap()
    assert page.locator("#report").is_visible()
    assert page.locator('input[name="website"]').first.bounding_box()["x"] < 0
    Image.new("RGB", (300, 200), "teal").save(tmp_path / "photo.jpg")
    page.fill("#report", "路灯坏了，在南门")
    page.set_input_files("#reportp", str(tmp_path / "photo.jpg"))
    shot(page, "form")
    page.locator("form").first.locator("button").tap()
    page.locator(".sent").wait_for()
    assert "已收到" in page.locator(".sent").inner_text()
    assert page.url.split("?")[0].endswith(path(world))
    shot(page, "sent")


def test_a_code_typed_on_the_phone_opens_its_page_in_both_languages(open_page, world):
    page = open_page("/d/", **PHONE)
    page.fill("#code", world.codes["good"])
    page.locator("form button").tap()
    page.locator("h1", has_text="麓山路12号").wait_for()
    shot(page, "typed")
    page.locator("footer a").tap()
    page.locator("html[lang=en]").wait_for()
    shot(page, "english")
