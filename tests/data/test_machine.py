"""Set-up's pieces on made-up machines: what is found, what is installed, what is said."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from api.messages import LANGUAGES, catalogue
from data.machine import apt, chromium, node, places, postgis, warm, web
from data.machine.steps import run
from gis.errors import SetupError
from gis.progress import silent

ROOT = Path(__file__).resolve().parents[2]


def program(folder: Path, name: str, script: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WANGGE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


# --- running programs


def test_a_program_says_how_far_it_is(home: Path, tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    wait = f"while [ ! -e {shown} ]; do sleep 0.1; done"
    script = program(tmp_path, "slow", f"echo pmstatus:x:50:Unpacking x; {wait}; echo 'E: no room'; exit 3")

    def progress(_step: str, done: float, note: str) -> None:
        if abs(done - 0.75) < 1e-9 and note.startswith("Unpacking x"):
            shown.touch()

    ended = run([str(script)], step="t", progress=progress, reader=apt.read_status)
    assert shown.exists()
    assert ended.status == 3
    assert ended.reason == "E: no room"
    assert "E: no room" in (places.state() / "log/setup-t.log").read_text()


@pytest.mark.parametrize(
    ("line", "share"),
    [
        ("dlstatus:3:40.0:Retrieving file 3 of 9", 0.2),
        ("pmstatus:libpq5:100.0:Installed libpq5 (amd64)", 1.0),
        ("Reading package lists...", None),
    ],
)
def test_apts_progress_is_read(line: str, share: float | None) -> None:
    assert apt.read_status(line)[0] == share


def test_what_every_program_runs_on_is_never_unpacked_twice() -> None:
    assert apt.NEVER_UNPACK.match("libc6")
    assert apt.NEVER_UNPACK.match("libc6:amd64")
    assert not apt.NEVER_UNPACK.match("libcurl4")


def test_only_what_the_system_lacks_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulated = (
        "NOTE: This is only a simulation!\n"
        "Inst libpq5 (15.9-0 Debian:12.5/stable [amd64])\n"
        "Inst libc6 [2.36-9] (2.36-10 Debian:12.5/stable [amd64])\n"
        "Inst postgis (3.3.2+dfsg-1+b1 Debian:12.5/stable [amd64]) []\n"
        "Conf libpq5 (15.9-0 Debian:12.5/stable [amd64])"
    )
    program(tmp_path, "apt-get", f"cat <<'END'\n{simulated}\nEND")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert apt._closure(["postgis"], []) == ["libpq5=15.9-0", "postgis=3.3.2+dfsg-1+b1"]


# --- PostGIS


def test_no_second_server_takes_port_5432(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that forbids Debian's own cluster is there before apt installs anything."""
    forbids = tmp_path / "createcluster.d/wangge.conf"
    seen: list[bool] = []
    monkeypatch.setattr(postgis, "NO_MAIN_CLUSTER", forbids)
    monkeypatch.setattr(postgis.binaries, "installed", list)
    monkeypatch.setattr(postgis.cluster, "external", lambda: None)
    monkeypatch.setattr(places, "is_root", lambda: True)
    monkeypatch.setattr(apt, "available", lambda: True)
    monkeypatch.setattr(apt, "install", lambda *_, **__: seen.append(forbids.exists()))
    if Path("/usr/bin/pg_createcluster").exists():
        exists = Path.exists
        monkeypatch.setattr(Path, "exists", lambda p: str(p) != "/usr/bin/pg_createcluster" and exists(p))
    with pytest.raises(SetupError, match="setup_postgis_missing"):
        postgis.ensure()
    assert seen == [True]
    assert "create_main_cluster = false" in forbids.read_text().splitlines()


def test_a_given_server_needs_nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/x")
    monkeypatch.setattr(apt, "install", lambda *_, **__: pytest.fail("installed something"))
    assert postgis.ensure().code == "setup_postgis_external"


def test_links_of_an_unpacked_postgis(tmp_path: Path) -> None:
    folder = tmp_path / "usr/share/postgresql/15/extension"
    folder.mkdir(parents=True)
    (folder / "postgis-3.control").write_text("comment = 'made up'")
    # as the package has it: a link into a folder only install scripts fill
    (folder / "postgis.control").symlink_to("/etc/alternatives/not-there")
    postgis._finish_prefix(tmp_path)
    assert (folder / "postgis.control").read_text() == "comment = 'made up'"


# --- Node and the pages


@pytest.mark.parametrize("version", ["v20.19.2", "v22.12.0", "v24.1.0"])
def test_this_node_is_new_enough(version: str) -> None:
    assert node.new_enough(version)


@pytest.mark.parametrize("version", ["v18.20.4", "v20.18.0", "v21.7.0", "v22.11.0", "", "node: not found"])
def test_this_node_is_too_old(version: str) -> None:
    assert not node.new_enough(version)


def test_an_old_node_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "node", "echo v18.1.0")
    program(tmp_path, "npm")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert node.on_machine() is None
    program(tmp_path, "node", "echo v22.20.0")
    assert node.on_machine() == tmp_path


def test_node_without_npm_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "node", "echo v22.20.0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert node.on_machine() is None


def test_without_uv_a_missing_node_is_one_line(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SetupError, match="setup_node_missing"):
        node.ensure(silent)


@pytest.fixture
def pages(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sources of pages and an npm that writes down what it is asked."""
    folder = tmp_path / "web"
    (folder / "src").mkdir(parents=True)
    (folder / "package.json").write_text("{}")
    (folder / "package-lock.json").write_text("{}")
    (folder / "src/map.ts").write_text("1")
    monkeypatch.setattr(web, "source", lambda: folder)
    monkeypatch.setattr(web, "built", lambda: tmp_path / "dist")
    program(tmp_path / "bin", "node", "echo v22.20.0")
    program(
        tmp_path / "bin", "npm",
        f'echo "$1 $2" >>{tmp_path}/asked; [ ! -e {tmp_path}/broken ] || {{ echo "npm error broken"; exit 1; }}\n'
        f'case "$1" in ci) mkdir -p node_modules ;; run) mkdir -p {tmp_path}/dist ;; esac',
    )  # fmt: skip
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return folder


def asked(pages: Path) -> list[str]:
    file = pages.parent / "asked"
    lines = [line.split()[0] for line in file.read_text().splitlines()] if file.exists() else []
    file.write_text("")
    return lines


def test_pages_are_built_once_for_each_state_of_their_sources(pages: Path) -> None:
    assert web.ensure().state == "made"
    assert asked(pages) == ["ci", "run"]
    assert web.ensure().state == "there"
    assert asked(pages) == []
    (pages / "src/map.ts").write_text("2")
    assert web.ensure().state == "made"
    assert asked(pages) == ["run"]
    (pages / "package-lock.json").write_text('{"more": 1}')
    web.ensure()
    assert asked(pages) == ["ci", "run"]


def test_a_failed_build_is_told_and_tried_again(pages: Path) -> None:
    (pages.parent / "broken").write_text("")
    with pytest.raises(SetupError) as raised:
        web.ensure()
    assert raised.value.values["reason"] == "npm error broken"
    (pages.parent / "broken").unlink()
    assert web.ensure().state == "made"


def test_a_package_without_sources_ships_its_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "source", lambda: tmp_path)
    assert web.ensure().code == "setup_web_shipped"


# --- Chromium


def test_ubuntus_stub_is_no_chromium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = 'if ! [ -x /snap/bin/chromium ]; then echo "requires the chromium snap: snap install chromium"; exit 1; fi'
    program(tmp_path, "chromium-browser", stub)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("WANGGE_CHROMIUM", raising=False)
    monkeypatch.setattr(chromium, "MAC", ())
    assert chromium.find() is None
    real = program(tmp_path, "google-chrome")
    assert chromium.find() == str(real)


def test_an_ordinary_user_without_chromium_is_told_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("WANGGE_CHROMIUM", raising=False)
    monkeypatch.setattr(chromium, "MAC", ())
    monkeypatch.setattr(places, "is_root", lambda: False)
    outcome = chromium.ensure()
    assert (outcome.state, outcome.code) == ("left_out", "setup_chromium_absent")


def test_a_snap_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(
        tmp_path, "apt-get", "echo 'Inst snapd (2.63 Ubuntu [amd64])'; echo 'Inst chromium-browser (2:1snap1 Ubuntu)'"
    )
    program(tmp_path, "dpkg")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("WANGGE_CHROMIUM", raising=False)
    monkeypatch.setattr(chromium, "MAC", ())
    monkeypatch.setattr(places, "is_root", lambda: True)
    monkeypatch.setattr(apt, "install", lambda *_, **__: pytest.fail("installed a snap"))
    outcome = chromium.ensure()
    assert (outcome.state, outcome.code) == ("left_out", "setup_chromium_snap")


# --- compiled loops and words


def test_every_module_with_compiled_loops_is_warmed() -> None:
    """Loops are reached from some module's ``warm()``: its package or one above offers it."""
    warmed = warm.modules()
    compiled = [
        f.relative_to(ROOT) for f in (ROOT / "gis").rglob("*.py") if re.search(r"@(numba\.)?njit", f.read_text())
    ]
    packages = {name.split(".")[1] for name in warmed}
    assert {f.parts[1] for f in compiled} <= packages


def test_every_outcome_and_fault_has_words() -> None:
    files = [*(ROOT / "data/machine").glob("*.py"), *(ROOT / "data/postgres").glob("*.py"), ROOT / "api/cli/db.py"]
    codes = {c for f in files for c in re.findall(r'"((?:setup|db)_[a-z_]+)"', f.read_text())}
    assert len(codes) > 20
    for language in LANGUAGES:
        assert codes - set(catalogue(language)) == set(), language


def test_launcher_is_plain_posix_sh() -> None:
    checker = ["dash", "-n"] if os.access("/bin/dash", os.X_OK) else ["sh", "-n"]
    subprocess.run([*checker, str(ROOT / "wangge")], check=True)
    subprocess.run([*checker, str(ROOT / "requirements/lock")], check=True)


def test_compiled_loops_of_other_sources_are_forgotten(tmp_path, monkeypatch):
    from data.machine import warm

    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(warm, "modules", list)  # compile nothing here
    old = tmp_path / "gis_1234" / "kernels.loop-1.py311.1.nbc"
    old.parent.mkdir()
    old.write_bytes(b"old")
    (tmp_path / ".warm").write_text("another fingerprint", encoding="ascii")
    warm.ensure()
    assert not old.exists()
    old.write_bytes(b"of these sources")
    warm.ensure()
    assert old.exists()
