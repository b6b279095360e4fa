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

from tests.ports import free_port
from tests.published_world import world as world
from tests.running_server import PATIENCE

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
    "--disable-dev-shm-usage",  # small in containers
]


@pytest.fixture(scope="module")
def server(world, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of ``serve`` as a process of its own."""
    assert (ROOT / "api/static/dist/map.js").is_file(), "the pages are not built: ./wangge setup builds them"
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with (tmp_path_factory.mktemp("web") / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "api.cli.main", "serve", "--port", str(port), "--workers", "1"],
            env={**os.environ, "DATABASE_URL": world.url, "PYTHONPATH": str(ROOT), "WANGGE_CACHE": ""},
            stdout=log,
            stderr=log,
            cwd=ROOT,
        )
    try:
        _wait(base, process)
        yield base
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _wait(base: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"{base}/readyz", timeout=PATIENCE).close()
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
        running = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS, timeout=PATIENCE * 1000)
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
        page.set_default_timeout(PATIENCE * 1000)
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
    until(page, lambda: page.evaluate("!!(window.wanggeMap?.loaded() && window.wanggeMap.areTilesLoaded())"))


def until(page: Any, what: Callable[[], object]) -> None:
    """Wait until it is true of the page, which goes on meanwhile."""
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "it never happened on the page"
        page.wait_for_timeout(150)
