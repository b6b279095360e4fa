"""The server as a process, and lookup on the command line."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.cli.main import cli
from api.cli.serve import address, choose_port
from gis.errors import InputError, SetupError
from tests.ports import free_port
from tests.running_server import PATIENCE

ROOT = Path(__file__).parents[2]


def environment(world, folder: Path) -> dict[str, str]:
    ours = {"DATABASE_URL": world.url, "PYTHONPATH": str(ROOT), "WANGGE_LANG": "en", "WANGGE_CACHE": str(folder)}
    return {**os.environ, **ours}


def test_ports():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SetupError, match=r"serve\.port"):
            choose_port("127.0.0.1", taken.getsockname()[1])
    assert choose_port("127.0.0.1", 0) > 1023
    assert address("0.0.0.0", 8000) == "http://localhost:8000/"
    assert address("2001:db8::1", 80) == "http://[2001:db8::1]:80/"


@pytest.mark.database
def test_serve_answers_and_stops(world, tmp_path):
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "api.cli.main", "serve", "--port", str(port), "--workers", "1"],
        env=environment(world, tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
    )  # fmt: skip
    try:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=PATIENCE) as answer:
                    assert json.load(answer)["status"] == "ok"
                break
            except OSError:
                assert server.poll() is None, server.stdout.read()
                time.sleep(0.4)
        else:
            pytest.fail("the server did not answer")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/territories", timeout=PATIENCE) as answer:
            assert len(json.load(answer)["territories"]) == 2
    finally:
        server.send_signal(signal.SIGINT)
        said, _ = server.communicate(timeout=PATIENCE)
    assert f"http://localhost:{port}/" in said


@pytest.mark.database
def test_lookup_command(world, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", world.url)
    monkeypatch.setenv("WANGGE_LANG", "en")
    monkeypatch.setenv("WANGGE_CACHE", "")
    territory = min(world.grids)
    middles = [(g, p.centroid.x, p.centroid.y) for g, p in world.grids[territory]]
    _, x, y = middles[0]
    run = CliRunner()
    one = run.invoke(cli, ["lookup", str(x), str(y), "--crs", "EPSG:4547", "--accuracy", "1"])
    assert one.exit_code == 0, one.output
    assert "m to the border" in one.output
    points, out = tmp_path / "points.csv", tmp_path / "out.csv"
    points.write_text("easting,northing\n" + "".join(f"{x},{y}\n" for _, x, y in middles), encoding="utf-8")
    many = run.invoke(cli, ["lookup", "--file", str(points), "-o", str(out), "--crs", "EPSG:4547"])
    assert many.exit_code == 0, many.output
    lines = out.read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[3] for line in lines[1:]] == [g for g, _, _ in middles]
    assert set(tmp_path.iterdir()) == {out, points}
    table, again = tmp_path / "points.arrow", tmp_path / "again.csv"
    made = run.invoke(cli, ["lookup", "--file", str(points), "-o", str(table), "--crs", "EPSG:4547"])
    assert made.exit_code == 0, made.output
    back = run.invoke(cli, ["lookup", "--file", str(table), "-o", str(again), "--crs", "EPSG:4547"])
    assert back.exit_code == 0, back.output
    rows = list(csv.reader(io.StringIO(again.read_text(encoding="utf-8"))))
    assert rows[0][:4] == ["easting", "northing", "status_", "grid_id_"]  # what came along goes along
    assert [row[1] for row in rows] == [row.split(",")[1] for row in points.read_text(encoding="utf-8").splitlines()]
    at = rows[0].index("grid_id")
    assert [row[at] for row in rows[1:]] == [g for g, _, _ in middles]
    never = run.invoke(cli, ["lookup", str(x), str(y), "--crs", "EPSG:4547", "--as-of", "1999-01-01"])
    assert never.output.strip() == "Nothing is published for 1999-01-01: there is no grid to name."


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["1", "2"], "lookup.datum_missing"),
        (["1", "2", "--crs", "gps"], "lookup.datum_unknown"),
        (["1", "--crs", "wgs84"], "lookup.arguments"),
        (["--file", "nowhere.csv", "-o", "out.csv", "--crs", "wgs84"], "lookup.file_missing"),
        (["--file", "nowhere.csv", "--crs", "wgs84"], "lookup.arguments"),
        (["--file", "points.xlsx", "-o", "out.csv", "--crs", "wgs84"], "lookup.file_kind"),
        (["--file", "nowhere.csv", "-o", "out.shp", "--crs", "wgs84"], "lookup.file_kind"),
    ],
)
def test_lookup_command_refuses_before_it_starts_anything(arguments, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    result = CliRunner().invoke(cli, ["lookup", *arguments])
    assert isinstance(result.exception, InputError)
    assert result.exception.code == code
    assert list(tmp_path.iterdir()) == []


@pytest.mark.database
def test_a_given_server_without_the_schema_is_refused_in_one_line(world, monkeypatch):
    import psycopg

    plain = world.url.replace("postgresql+psycopg://", "postgresql://")
    head, _, tail = plain.partition("?")
    bare = f"{head}_bare"
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{bare.rpartition("/")[2]}"')
    try:
        monkeypatch.setenv("DATABASE_URL", f"{bare}?{tail}")
        for arguments in (["lookup", "1", "2", "--crs", "wgs84"], ["serve", "--port", "0"], ["demo", "--no-serve"]):
            result = CliRunner().invoke(cli, arguments)
            assert isinstance(result.exception, SetupError), result.output
            assert result.exception.code == "db_old_schema"
    finally:
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{bare.rpartition("/")[2]}" WITH (FORCE)')
