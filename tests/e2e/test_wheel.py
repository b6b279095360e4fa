"""The built wheel holds all it needs and works from a read-only place, far from the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests import drawn_town

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from what git tracks and unpacked as an installer would."""
    source = tmp_path_factory.mktemp("source")
    tracked = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
    ).stdout.split(b"\0")
    for name in filter(None, map(os.fsdecode, tracked)):
        if name.split("/")[0] not in {"tests", "web", "docs", "notebooks", "benchmarks"} and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    wheels = tmp_path_factory.mktemp("wheels")
    build = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    command = [sys.executable, "-W", "ignore", "-c", build, str(wheels)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    target = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
        wheel.extractall(target)
    for path in [target, *target.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    return target


def run(installed: Path, home: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed), "HOME": str(home), "WANGGE_LANG": "en"}
    for name in ("NUMBA_CACHE_DIR", "WANGGE_HOME", "XDG_CACHE_HOME"):
        environment.pop(name, None)
    environment |= more
    return subprocess.run(
        [sys.executable, *words], cwd=home, env=environment, capture_output=True, text=True, timeout=1500, check=False
    )


def test_everything_that_is_not_python_is_inside(installed: Path) -> None:
    for name in (
        "api/messages/zh-CN/pages.toml",
        "api/messages/en/pages.toml",
        "api/templates/map.html",
        "api/static/icon.svg",
        "data/rulesets/default.toml",
        "data/samples/town.gpkg",
    ):
        assert (installed / name).is_file(), name


def test_the_command_line_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    answer = run(installed, tmp_path, "-m", "api.cli.main", "--help")
    assert answer.returncode == 0, answer.stderr
    assert "plan" in answer.stdout


def test_a_plan_is_made_from_the_wheel_read_only(installed: Path, tmp_path: Path) -> None:
    """Uncompiled: compiling every loop anew for this folder took a minute, and the next test shows one that is."""
    layers = drawn_town.frames()
    layers["communities"] = drawn_town.communities([(0, 0, 3, 3)])
    drawn_town.write(tmp_path / "town.gpkg", layers)
    words = ("plan", "town.gpkg", "-o", "plan.gpkg", "--iterations", "1")
    answer = run(installed, tmp_path, "-m", "api.cli.main", *words, NUMBA_DISABLE_JIT="1")
    assert answer.returncode in (0, 3), answer.stderr
    assert (tmp_path / "plan.gpkg").is_file()


def test_compiled_loops_of_the_wheel_are_kept_in_the_users_cache(installed: Path, tmp_path: Path) -> None:
    answer = run(installed, tmp_path, "-c", "from gis.locate.shift_kernels import warm; warm()")
    assert answer.returncode == 0, answer.stderr
    # root may write even there: its loops lie beside the modules
    assert [f for place in (tmp_path, installed) for f in place.rglob("shift_kernels.*.nbc")]


def test_the_sample_in_the_wheel_can_be_read(installed: Path, tmp_path: Path) -> None:
    answer = run(installed, tmp_path, "-m", "api.cli.main", "check", str(installed / "data/samples/town.gpkg"))
    assert answer.returncode == 0, answer.stderr


def test_the_modules_come_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    answer = run(installed, tmp_path, "-c", "import gis, data, api; print(gis.__file__, data.__file__, api.__file__)")
    assert answer.stdout.count(str(installed)) == 3, answer.stdout + answer.stderr
