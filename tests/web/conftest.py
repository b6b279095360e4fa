"""A real server over the small published world, and a real browser that may talk to nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.published_world import world as world

ROOT = Path(__file__).resolve().parents[2]
#: Software WebGL, and none of Chromium's own traffic.
ARGUMENTS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def server(world) -> Iterator[str]:
    """Address of ``serve`` as a process of its own."""
    from api.cli.serve import choose_port

    assert (ROOT / "api/static/dist/map.js").is_file(), "the pages are not built: ./wangge setup builds them"
    port = choose_port("127.0.0.1", 0)
    base = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "api.cli.main", "serve", "--port", str(port), "--workers", "1"],
        env={**os.environ, "DATABASE_URL": world.url, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )
    try:
        _wait(base, process)
        yield base
    finally:
        process.terminate()
        process.wait(30)


def _wait(base: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{base}/readyz", timeout=5).close()
            return
        except OSError:
            assert process.poll() is None, "the server ended"
            time.sleep(0.3)
    pytest.fail("the server did not answer")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    """Headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def open_page(browser, server) -> Iterator[Callable[..., Any]]:
    """Opens a path of the server; fails the test on any outside request, script error or console error."""
    faults: list[str] = []
    contexts = []

    def opened(path: str, *, width: int = 1280, height: int = 800, locale: str = "zh-CN", **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, locale=locale, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("request", lambda r: _judge(r.url))
        page.on("pageerror", lambda error: faults.append(f"script: {error}"))
        page.on("console", lambda m: faults.append(f"console: {m.text}") if m.type == "error" else None)
        page.goto(server + path)
        return page

    def _judge(url: str) -> None:
        if not url.startswith((server, "data:", "blob:")):
            faults.append(f"outside request: {url}")

    yield opened
    for context in contexts:
        context.close()
    assert not faults


def settle(page: Any) -> None:
    """Wait until the map has drawn all its tiles. (The page's policy forbids eval, so we ask from outside.)"""
    for _ in range(400):
        if page.evaluate("!!(window.wanggeMap?.loaded() && window.wanggeMap.areTilesLoaded())"):
            return
        page.wait_for_timeout(150)
    pytest.fail("the map did not finish drawing")
