"""The commands for codes and plates in use, as a person types them."""

from __future__ import annotations

import io

import pytest
from click.testing import CliRunner
from PIL import Image

from api.cli.main import cli
from tests.published_world import KEY, plate_url

pytestmark = pytest.mark.database


@pytest.fixture
def run(world, tmp_path):
    """Run a command on the small published world; its output, and the exit status when it is not as expected."""

    def run(*arguments, status=0, lang="en", given=None):
        environment = {"DATABASE_URL": world.url, "WANGGE_LANG": lang}
        done = CliRunner().invoke(
            cli, [str(a) for a in arguments], env=environment, standalone_mode=False, input=given
        )
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert (done.return_value or 0) == status, done.output
        return done.output

    return run


@pytest.fixture(scope="module")
def place(world):
    """Where the good address's building stands, WGS84."""
    polygon = next(p for g, p in world.grids[min(world.grids)] if g.endswith("0" * 11 + "0"))
    return world.wgs84(min(world.grids), polygon.centroid.x, polygon.centroid.y)


def test_a_plate_from_the_batch_to_the_wall_and_back(run, world, place, tmp_path):
    code, (lon, lat) = world.codes["good"], place
    assert "printed=2 revoked=1" in run("plates", "batches", "sample")
    Image.new("RGB", (30, 20)).save(tmp_path / "p.jpg")
    at = ("--lon", lon, "--lat", lat, "--crs", "wgs84")
    said = run("plates", "install", code, *at, "--by", "Li", "--on", "2021-01-02", "--photo", tmp_path / "p.jpg")
    assert "in place" in said
    assert f"{code}\tinstalled\t2021-01-02\t" in run("plates", "list", "sample", "--status", "installed")
    run("plates", "photo", code, "-o", tmp_path / "wall.jpg")
    assert Image.open(io.BytesIO((tmp_path / "wall.jpg").read_bytes())).size == (30, 20)
    far = ("--lon", lon + 0.01, "--lat", lat, "--crs", "wgs84")
    assert "not in place" in run("plates", "check", code, *far, status=3)
    assert "seems moved" in run("plates", "suspicious", "sample")
    assert "settled" in run("plates", "settle", code, "--note", "ok")
    assert code not in run("plates", "suspicious", "sample")
    assert "lost" in run("plates", "mark", code, "lost")
    assert code in run("plates", "reprint-list", "sample")
    (tmp_path / "hung.csv").write_text(f"plate,lon,lat\n{code},{lon},{lat}\n12345678901147,,\n", "utf-8")
    assert "Row 2" in run("plates", "install", "--file", tmp_path / "hung.csv", status=2)
    done = run("plates", "install", "--file", tmp_path / "hung.csv", "--skip-faults", status=0)
    assert "0 plates recorded as installed, 2 rows faulty" in done
    (tmp_path / "hung.csv").write_text(f"plate,lon,lat,crs\n{code},{lon},{lat},wgs84\n", "utf-8")
    assert "1 plates recorded" in run("plates", "install", "--file", tmp_path / "hung.csv")


def test_keys_and_a_list_that_is_asked_offline(run, world, tmp_path):
    file, link = tmp_path / "plates.wgl", plate_url("plates.example", world.codes["good"], "A", KEY)
    key = run("plates", "signed-list", "sample", "-o", file).split()[-1]
    assert key in run("plates", "keys", "list")
    assert "genuine" in run("plates", "verify", file, link, "--key", key)
    assert "真牌" in run("plates", "verify", file, link, "--key", key, lang="zh-CN")
    forged = link[:-1] + ("A" if link[-1] != "A" else "B")
    said = run("plates", "verify", file, "-", "--key", key, status=3, given=f"{link}\n{forged}\n\n")
    assert ("genuine" in said, "forged" in said) == (True, True)
    assert "not in place" in run(
        "plates", "verify", file, link, "--key", key, "--lon", 112, "--lat", 28, "--crs", "wgs84", status=3
    )
    assert len(run("plates", "keys", "rotate", "--lists").split()[-1]) == 43
    assert "B" in run("plates", "keys", "rotate")
    assert key in run("plates", "keys", "list")  # retired, and still there


def test_codes_end_and_say_so(run, world, tmp_path):
    code = world.codes["lost"]
    assert "also named" in run("address", "name", code, "东门3栋", "--kind", "alias")
    assert "P-9" in run("address", "codes", "link", code, "police", "P-9", "--from", "2020-01-01")
    assert code in run("address", "codes", "find", "P-9")
    assert "no longer" in run("address", "codes", "unlink", "police", "P-9")
    (tmp_path / "f.csv").write_text(f"foreign_code,code\nQ-1,{code}\nQ-2,1\n", "utf-8")
    faults = tmp_path / "faults.csv"
    said = run(
        "address", "codes", "import", "sample", tmp_path / "f.csv", "--system", "x", "--faults", faults, status=2
    )
    assert "Row 3" in said
    assert "mistyped" in faults.read_text("utf-8-sig")
    assert "1 linked" in run(
        "address", "codes", "import", "sample", tmp_path / "f.csv", "--system", "x", "--skip-faults"
    )
    assert "merged" in run("address", "merge", code, "--into", world.codes["good"])
    told = run("address", "history", code)
    for words in ("name given", "foreign code linked", "address merged", "Q-1"):
        assert words in told


def test_reports_are_listed_with_their_photos(run, app, client, world, tmp_path):

    out = io.BytesIO()
    Image.new("RGB", (30, 20)).save(out, "JPEG")
    tail = plate_url("plates.example", world.codes["good"], "A", KEY).rpartition("/")[2]
    client.post(
        f"/d/{tail}/report", data={"text": "灯\n坏了", "photo": (io.BytesIO(out.getvalue()), "a.jpg")},
        content_type="multipart/form-data",
    )  # fmt: skip
    said = run("plates", "reports", "sample", "--photos", tmp_path / "new")
    assert "灯 坏了" in said
    assert (tmp_path / "new" / f"{said.split()[0]}.jpg").read_bytes()[:2] == b"\xff\xd8"
    assert "None" in run("plates", "reports", "sample", "--kind", "elsewhere")
    assert "0 hashes" in run("plates", "forget")
