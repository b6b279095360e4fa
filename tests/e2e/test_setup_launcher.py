"""The launcher, with made-up ``python3``, ``uv``, ``pip`` and ``apt-get`` that write down how they were called."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: What a POSIX shell script may count on; everything else must come from the test's own folder.
TOOLS = (
    *("sh", "cat", "cksum", "grep", "sed", "tail", "head", "dirname", "mkdir", "rm"),
    *("date", "cut", "sleep", "ls", "cp", "env", "mv", "touch", "chmod"),
)

PYTHON = """#!/bin/sh
echo "python $*" >>"$CALLS"
case "$1" in
-c) case "$2" in *version_info*) exit "${OLD:-0}" ;; *executable*) echo "$0" ;; esac ;;
-V) echo "Python 3.12.1" ;;
-m) case "$2 $3" in
    "pip --version") exit "${NO_PIP:-0}" ;;
    "pip config") printf "%s" "${PIP_SAYS:-}" ;;
    "pip install") exec install_uv "$@" ;;
    api.cli*) echo "ran $* cache=$NUMBA_CACHE_DIR home=$WANGGE_HOME" ;;
    esac ;;
*/pip) exec install_uv "$@" ;;
esac
"""
UV = """#!/bin/sh
echo "uv $* index=${UV_DEFAULT_INDEX:-} extra=${UV_INDEX:-}" >>"$CALLS"
[ "$1" != --version ] || echo "uv 9.9.9 (made up)"
[ "$1 $2 $3" != "pip sync --help" ] || echo "  --index-strategy"
for last in "$@"; do :; done
[ "$2" != venv ] || { mkdir -p "$last/bin"; cp "$(command -v python3)" "$last/bin/python"; }
[ "$2 $3" != "pip sync" ] || exit "${UV_FAILS:-0}"
"""
INSTALL_UV = """#!/bin/sh
echo "install_uv $*" >>"$CALLS"
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/bin"; cp "$UV_SOURCE" "$2/bin/uv"
"""
APT_GET = """#!/bin/sh
echo "apt-get $*" >>"$CALLS"
case "$*" in
*update*) touch "$LISTS" ;;
*download*) [ -e "$LISTS" ] && touch python3-pip-whl_23.0_all.deb ;;
esac
"""
DPKG = """#!/bin/sh
echo "dpkg $*" >>"$CALLS"
mkdir -p "$3/usr/share/python-wheels"; touch "$3/usr/share/python-wheels/pip-23.0.whl"
"""


class Checkout:
    """A copy of the launcher beside locks of its own, with a PATH of made-up tools."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        self.bin = folder / "bin"
        self.calls_file = folder / "calls"
        for made in (self.root / "requirements", self.bin, folder / "home"):
            made.mkdir(parents=True)
        shutil.copy(ROOT / "wangge", self.root / "wangge")
        for name in ("runtime", "dev", "samples", "uv"):
            (self.root / f"requirements/{name}.txt").write_text(f"{name}==1\n")
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found, tool
            (self.bin / tool).symlink_to(found)
        self.tool("python3", PYTHON)
        self.tool("install_uv", INSTALL_UV)
        (folder / "uv-source").write_text(UV)
        (folder / "uv-source").chmod(0o755)
        self.environment = {
            "PATH": str(self.bin),
            "HOME": str(folder / "home"),
            "CALLS": str(self.calls_file),
            "UV_SOURCE": str(folder / "uv-source"),
            "LISTS": str(folder / "lists"),
        }

    def tool(self, name: str, script: str) -> None:
        file = self.bin / name
        file.write_text(script)
        file.chmod(0o755)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        self.calls_file.write_text("")
        return subprocess.run(
            [str(self.bin / "sh"), str(self.root / "wangge"), *arguments],
            env={**self.environment, **environment}, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def calls(self, name: str) -> list[str]:
        return [line for line in self.calls_file.read_text().splitlines() if line.startswith(f"{name} ")]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.fixture
def with_uv(checkout: Checkout) -> Checkout:
    checkout.tool("uv", UV)
    return checkout


def test_uses_the_machines_uv_and_installs_the_lock_with_hashes(with_uv: Checkout) -> None:
    ended = with_uv.run("plan", "x.osm.pbf")
    assert ended.returncode == 0, ended.stderr
    assert "ran -m api.cli.main plan x.osm.pbf" in ended.stdout
    assert not with_uv.calls("install_uv")
    (sync,) = [c for c in with_uv.calls("uv") if "pip sync --python" in c]
    assert "--require-hashes" in sync
    assert "requirements/runtime.txt" in sync
    assert "requirements/samples.txt" in sync


def test_standard_output_belongs_to_the_command(with_uv: Checkout) -> None:
    ended = with_uv.run("plan")
    assert ended.stdout.startswith("ran ")
    assert "[1/3]" in ended.stderr


def test_a_second_start_installs_nothing(with_uv: Checkout) -> None:
    with_uv.run("plan")
    ended = with_uv.run("plan")
    assert ended.stderr == ""
    assert not with_uv.calls("uv")
    assert len(with_uv.calls("python")) == 1


def test_a_changed_lock_is_installed(with_uv: Checkout) -> None:
    with_uv.run("plan")
    (with_uv.root / "requirements/runtime.txt").write_text("runtime==2\n")
    with_uv.run("plan")
    assert [c for c in with_uv.calls("uv") if "pip sync --python" in c]


def test_tests_need_the_larger_lock_which_serves_every_command(with_uv: Checkout) -> None:
    with_uv.run("plan")
    with_uv.run("test")
    (sync,) = [c for c in with_uv.calls("uv") if "pip sync --python" in c]
    assert "requirements/dev.txt" in sync
    with_uv.run("plan")
    assert not with_uv.calls("uv")


def test_a_changed_lock_does_not_take_the_tests_packages_away(with_uv: Checkout) -> None:
    with_uv.run("test")
    (with_uv.root / "requirements/dev.txt").write_text("dev==2\n")
    with_uv.run("plan")
    (sync,) = [c for c in with_uv.calls("uv") if "pip sync --python" in c]
    assert "requirements/dev.txt" in sync


def test_a_moved_checkout_makes_its_environment_anew(with_uv: Checkout) -> None:
    with_uv.run("plan")
    with_uv.root = with_uv.root.rename(with_uv.root.with_name("elsewhere"))
    with_uv.run("plan")
    assert [c for c in with_uv.calls("uv") if " venv " in c]


def test_a_failed_installation_says_what_to_do_and_is_tried_again(with_uv: Checkout) -> None:
    ended = with_uv.run("plan", UV_FAILS="1")
    assert ended.returncode == 2
    assert "check the network" in ended.stderr.splitlines()[-1]
    assert ended.stdout == ""
    assert with_uv.run("plan").returncode == 0


def test_no_suitable_python_is_one_line(with_uv: Checkout) -> None:
    ended = with_uv.run("plan", OLD="1", WANGGE_PYTHON="python3")
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "wangge: needs Python 3.11, 3.12 or 3.13: install it, or set WANGGE_PYTHON to one"
    ]


def test_pip_fetches_uv_by_its_hash(checkout: Checkout) -> None:
    ended = checkout.run("plan")
    assert ended.returncode == 0, ended.stderr
    (install,) = checkout.calls("install_uv")
    assert "--require-hashes" in install
    assert (checkout.root / ".wangge/uv/bin/uv").exists()


def test_without_pip_debians_is_unpacked_without_privilege(checkout: Checkout) -> None:
    checkout.tool("apt-get", APT_GET)
    checkout.tool("dpkg", DPKG)
    ended = checkout.run("plan", NO_PIP="1")
    assert ended.returncode == 0, ended.stderr
    apt = checkout.calls("apt-get")
    assert "update" not in apt[0]
    # the system's package lists were missing: its own are read, in a folder of its own
    assert f"Dir::State::lists={checkout.root}/.wangge/pip/lists" in apt[1]
    assert apt[1].endswith("update")
    assert len(checkout.calls("dpkg")) == 1
    (install,) = checkout.calls("install_uv")
    assert "pip-23.0.whl/pip" in install


def test_neither_pip_nor_apt_says_what_to_install(checkout: Checkout) -> None:
    ended = checkout.run("plan", NO_PIP="1")
    assert ended.returncode == 2
    assert "install uv or pip" in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"PIP_INDEX_URL": "https://pip.example/simple"}, "index=https://pip.example/simple extra="),
        (
            {"PIP_SAYS": "global.index-url='https://conf.example/simple'\n"},
            "index=https://conf.example/simple extra=",
        ),
        (
            {"PIP_INDEX_URL": "https://pip.example/", "UV_DEFAULT_INDEX": "https://uv.example/"},
            "index=https://uv.example/ extra=",
        ),
        ({"PIP_EXTRA_INDEX_URL": "https://more.example/"}, "index= extra=https://more.example/"),
        ({}, "index= extra="),
    ],
)
def test_the_users_own_index_is_used(with_uv: Checkout, environment: dict[str, str], expected: str) -> None:
    with_uv.run("plan", **environment)
    (sync,) = [c for c in with_uv.calls("uv") if "pip sync --python" in c]
    assert sync.endswith(expected)


def test_a_lock_left_by_a_killed_start_is_taken_over(with_uv: Checkout) -> None:
    stale = with_uv.root / ".wangge/setup.lock"
    stale.mkdir(parents=True)
    gone = subprocess.Popen(["true"])
    gone.wait()
    (stale / "pid").write_text(f"{gone.pid}\n")
    assert with_uv.run("plan").returncode == 0
    assert not stale.exists()


def test_two_first_starts_at_once_install_once(with_uv: Checkout) -> None:
    with_uv.calls_file.write_text("")
    slow = UV.replace(
        '[ "$2 $3" != "pip sync" ] ||', '[ "$2 $3" != "pip sync" ] || sleep 2; [ "$2 $3" != "pip sync" ] ||'
    )
    with_uv.tool("uv", slow)
    command = [str(with_uv.bin / "sh"), str(with_uv.root / "wangge"), "plan"]
    started = [
        subprocess.Popen(command, env=with_uv.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=300) for process in started]
    assert [process.returncode for process in started] == [0, 0], outputs
    assert all(out.startswith("ran ") for out, _ in outputs)
    assert len([c for c in with_uv.calls("uv") if "pip sync --python" in c]) == 1


def test_a_read_only_checkout_keeps_compiled_loops_with_the_user(with_uv: Checkout, tmp_path: Path) -> None:
    with_uv.run("plan")
    cache = with_uv.root / ".wangge/numba"
    (cache / "blocks").mkdir()
    (cache / "blocks/kernel.nbi").write_text("compiled")
    own = tmp_path / "home"
    command = [str(with_uv.bin / "sh"), str(with_uv.root / "wangge"), "plan"]
    user = 65534 if os.geteuid() == 0 else None  # root may write everywhere
    folders = [tmp_path, *tmp_path.parents]
    top = next((k for k, folder in enumerate(folders) if folder.name.startswith("pytest-of-")), 2)
    for folder in folders[: top + 1]:
        folder.chmod(0o755) if folder.owner() == tmp_path.owner() and folder != Path("/tmp") else None
    own.chmod(0o777)
    with_uv.calls_file.chmod(0o666)
    for parent, _, _ in os.walk(with_uv.root / ".wangge"):
        Path(parent).chmod(0o555)
    try:
        ended = subprocess.run(
            command, env=with_uv.environment, capture_output=True, text=True, timeout=300, check=False, user=user
        )
    finally:
        for parent, _, _ in os.walk(with_uv.root / ".wangge"):
            Path(parent).chmod(0o755)
    assert ended.returncode == 0, ended.stderr
    used = Path(ended.stdout.split("cache=")[1].split()[0])
    assert used.is_relative_to(own)
    assert (used / "blocks/kernel.nbi").read_text() == "compiled"
    assert (used / "blocks").stat().st_mode & 0o200


def test_second_start_of_this_checkout_takes_under_five_seconds_of_work() -> None:
    if not (ROOT / ".wangge/venv/stamp").exists():
        pytest.skip("this checkout was not set up by its launcher")
    before = os.times()
    ended = subprocess.run(
        [str(ROOT / "wangge"), "--version"], capture_output=True, text=True, check=False, timeout=300
    )
    assert ended.returncode == 0
    if ended.stderr == "":  # another lock than the stamped one is installed first
        after = os.times()
        assert after.children_user + after.children_system - before.children_user - before.children_system < 5
