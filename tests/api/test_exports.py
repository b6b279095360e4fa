"""Downloads: each format opened with another program than wrote it, and compared with what was drawn."""

from __future__ import annotations

import io
import json
import sqlite3
import struct
import zipfile
from contextlib import closing

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from click.testing import CliRunner

from api.cli.main import cli
from api.services.features import exporting
from api.services.features.exporting import Order
from gis.errors import ConflictError, InputError, NotFoundError

pytestmark = pytest.mark.database
COUNTS = {"grids": 64, "communities": 2, "buildings": 3, "addresses": 2}


@pytest.fixture(scope="module")
def engine(world):
    from data.postgres.connect import new_engine

    made = new_engine(world.url)
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def drawn(world):
    """The grids of the sample by id, in its metre CRS."""
    return dict(world.grids[next(t for t, crs in world.crs.items() if crs == "EPSG:4547")])


def export(engine, tmp_path, kind, **options):
    done = exporting.export(engine, Order("sample", kind, **options), tmp_path / f"out{exporting.FORMATS[kind]}")
    assert list(tmp_path.iterdir()) == [done.file]  # nothing temporary is left
    return done


def bare(polygon):
    """Without repeated vertices, which some formats leave out."""
    return shapely.remove_repeated_points(polygon).normalize()


def same(found, drawn, tolerance=0.0):
    """Ids, attributes and geometry of the grids as drawn."""
    assert sorted(found.grid_id) == sorted(drawn)
    for row in found.itertuples():
        number = int(row.code.rpartition("-")[2])
        assert (row.households, row.name, row.kind) == (400 + number, f"第{number + 1}网格", "residential")
        assert row.community == ("东湖社区" if number < 32 else "西湖社区")
        polygon = shapely.get_parts(row.geometry)[0]
        if tolerance:
            assert polygon.symmetric_difference(drawn[row.grid_id]).area < tolerance
        else:
            want = drawn[row.grid_id]
            assert bare(polygon).equals_exact(bare(want), 0)


def test_geopackage(engine, tmp_path, drawn, world):
    done = export(engine, tmp_path, "gpkg")
    assert done.counts == COUNTS
    with closing(sqlite3.connect(done.file)) as file:
        tables = dict(file.execute("SELECT table_name, srs_id FROM gpkg_contents"))
        assert set(tables) == set(COUNTS)
        for name, count in COUNTS.items():
            assert file.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] == count
        columns = [c[0] for c in file.execute("SELECT * FROM grids LIMIT 0").description]
        rows = [dict(zip(columns, r, strict=True)) for r in file.execute("SELECT * FROM grids")]
        (shape,) = file.execute("SELECT geometry_type_name FROM gpkg_geometry_columns WHERE table_name = 'grids'")
        codes = {r[0] for r in file.execute("SELECT code FROM addresses")}
    assert shape == ("MULTIPOLYGON",)
    assert codes == {world.codes["good"], world.codes["lost"]}
    column = "geometry" if "geometry" in columns else "geom"
    for row in rows:  # a GeoPackage's blob: 8 bytes, then an envelope of 4 numbers, then well-known binary
        blob = row.pop(column)
        assert blob[:2] == b"GP"
        row["geometry"] = shapely.from_wkb(blob[8 + {0: 0, 1: 32}[blob[3] >> 1 & 7] :])
    same(geopandas.GeoDataFrame(rows, geometry="geometry"), drawn)


def test_geoparquet(engine, tmp_path, drawn):
    done = export(engine, tmp_path, "geoparquet", layers=("grids",))
    found = geopandas.read_parquet(done.file)
    assert found.crs.to_epsg() == 4547
    same(found, drawn)


def test_flatgeobuf(engine, tmp_path, drawn):
    done = export(engine, tmp_path, "flatgeobuf", layers=("grids",))
    found = pyogrio.read_dataframe(done.file)
    assert found.crs.to_epsg() == 4547
    same(found, drawn)


def test_geojson_several_layers_are_zipped(engine, tmp_path, drawn, world):
    done = export(engine, tmp_path, "geojson")
    assert done.file.suffix == ".zip"
    with zipfile.ZipFile(done.file) as archive:
        assert sorted(archive.namelist()) == sorted(f"{n}.geojson" for n in COUNTS)
        found = json.loads(archive.read("grids.geojson"))
        houses = json.loads(archive.read("buildings.geojson"))
    assert len(houses["features"]) == 3
    frame = geopandas.GeoDataFrame.from_features(found["features"], crs="EPSG:4326")
    west, south, east, north = frame.total_bounds
    assert 112 < west < east < 114
    assert 28 < south < north < 29
    same(frame.to_crs("EPSG:4547"), drawn, tolerance=1.0)  # square metres: a millimetre along a kilometre and a half


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_shapefile(engine, tmp_path, drawn, encoding):
    done = export(engine, tmp_path, "shapefile", encoding=encoding)
    assert {k: v for k, v in done.counts.items() if v} == COUNTS
    with zipfile.ZipFile(done.file) as archive:
        names = archive.namelist()
        assert {"grids.shp", "grids.dbf", "grids.shx", "grids.prj", "grids.cpg", "fields.csv"} <= set(names)
        assert not any("points" in n for n in names)
        assert archive.read("grids.cpg").decode("ascii").strip().upper() == encoding.upper()
        table = archive.read("grids.dbf")
        fields = archive.read("fields.csv").decode("utf-8-sig").splitlines()
        archive.extractall(tmp_path / "open")
    assert "grids,on_street,on_street_share,边界沿街比例" in fields
    count, head, size = struct.unpack("<xxxxIHH", table[:12])
    assert count == 64
    raw = table[head : head + size].decode(encoding)
    assert "网格" in raw
    assert "东湖社区" in table[head:].decode(encoding)
    found = pyogrio.read_dataframe(tmp_path / "open" / "grids.shp")
    assert found.crs.to_epsg() == 4547
    assert all(len(c) <= 10 for c in found.columns)
    same(found, drawn)


def test_gbk_lacks_characters(engine, tmp_path, world):
    import psycopg

    url = world.url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE building SET name = '𠮷庐' WHERE source_id = 'b0'")
    with pytest.raises(InputError, match=r"export\.encoding") as fault:
        exporting.export(engine, Order("sample", "shapefile", encoding="gbk"), tmp_path / "x.zip")
    assert fault.value.values["character"] == "𠮷"
    assert list(tmp_path.iterdir()) == []


def test_xlsx(engine, tmp_path, drawn):
    done = export(engine, tmp_path, "xlsx", language="zh-CN")
    assert set(pyogrio.list_layers(done.file)[:, 0]) == set(COUNTS)
    grids = pyogrio.read_dataframe(done.file, layer="grids")
    assert len(grids) == 64
    assert list(grids["户数"]) == [400 + int(c.rpartition("-")[2]) for c in grids["编码"]]
    assert sorted(grids["网格永久标识"]) == sorted(drawn)
    spots = geopandas.points_from_xy(grids["lon"], grids["lat"], crs="EPSG:4326").to_crs("EPSG:4547")
    for grid, spot in zip(grids["网格永久标识"], spots, strict=True):
        assert drawn[grid].contains(spot)


def test_a_community_and_a_grid(engine, tmp_path, drawn):
    path = tmp_path / "part.gpkg"
    done = exporting.export(engine, Order("sample", "gpkg", community="430104007000"), path)
    assert done.counts == {"grids": 32, "communities": 1, "buildings": 0, "addresses": 2}
    by_name = exporting.export(engine, Order("sample", "gpkg", community="东湖社区"), path)
    assert by_name.counts == done.counts
    grid = next(iter(drawn))
    for said in (grid, grid.upper()):
        one = exporting.export(engine, Order("sample", "gpkg", grid=said, layers=("grids", "communities")), path)
        assert one.counts == {"grids": 1, "communities": 1}
    moved = exporting.export(engine, Order("sample", "gpkg", grid=grid, layers=("grids",), srid=3857), path)
    assert pyogrio.read_info(moved.file)["crs"] == "EPSG:3857"


@pytest.mark.parametrize(
    ("order", "kind", "code"),
    [
        (Order("nowhere", "gpkg"), NotFoundError, "export.unpublished"),
        (Order("sample", "gpkg", community="x"), NotFoundError, "export.no_community"),
        (Order("sample", "gpkg", grid="x"), NotFoundError, "export.no_grid"),
        (Order("sample", "dxf"), InputError, "export.format"),
        (Order("sample", "gpkg", layers=("people",)), InputError, "export.layer"),
        (Order("sample", "gpkg", layers=()), InputError, "export.layer"),
        (Order("sample", "gpkg", encoding="gbk"), InputError, "export.only_shapefile"),
        (Order("sample", "shapefile", encoding="big5"), InputError, "export.unknown_encoding"),
        (Order("sample", "geojson", srid=4547), InputError, "export.degrees"),
        (Order("sample", "gpkg", srid=999999), InputError, "features.crs"),
    ],
)
def test_bad_orders_write_nothing(engine, tmp_path, order, kind, code):
    with pytest.raises(kind) as fault:
        exporting.export(engine, order, tmp_path / "out.gpkg")
    assert fault.value.code == code
    assert list(tmp_path.iterdir()) == []


def test_over_http(client, drawn, app):
    asked = {"territory": "sample", "format": "geojson", "layers": "grids"}
    with client.get("/api/download", query_string=asked) as answer:
        assert answer.mimetype == "application/geo+json"
        assert "sample.geojson" in answer.headers["Content-Disposition"]
        assert len(json.loads(answer.get_data())["features"]) == 64
    with client.get("/api/download?territory=sample&format=shapefile") as packed:
        assert packed.mimetype == "application/zip"
        assert zipfile.ZipFile(io.BytesIO(packed.get_data())).testzip() is None
    missing = client.get("/api/download?territory=nowhere")
    assert (missing.status_code, missing.get_json()["code"]) == (404, "export.unpublished")
    listed = {t["territory"]: t["title"] for t in client.get("/api/territories").get_json()["territories"]}
    assert all(name in missing.get_json()["detail"] for name in listed)
    with client.get("/api/download", query_string=asked | {"territory": listed["sample"]}) as by_title:
        assert len(json.loads(by_title.get_data())["features"]) == 64
    assert client.get("/api/download?territory=sample&format=dwg").status_code == 400
    assert client.get("/api/download").status_code == 400
    assert client.get("/api/download?territory=a%00b").status_code == 400


def test_a_misspelt_part_does_not_give_the_whole_town(client):
    answer = client.get("/api/download?territory=sample&comunity=c0")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "features.parameter")


def test_names_and_sizes_are_told(client):
    with client.get("/api/download?territory=sample&format=xlsx&community=东湖社区&layers=grids") as answer:
        said = answer.headers["Content-Disposition"]
        assert "filename*=UTF-8''sample-%E4%B8%9C%E6%B9%96%E7%A4%BE%E5%8C%BA.xlsx" in said  # RFC 5987
        assert answer.content_length == len(answer.get_data())


def test_names_fit_on_a_disk():
    name = exporting.file_name(Order("区" * 100, "gpkg", community="../" + "社" * 90))
    assert len(f".{name}.12345678".encode()) < 255
    assert "/" not in name
    assert name.endswith(".gpkg")


@pytest.mark.parametrize("kind", list(exporting.FORMATS))
def test_a_grid_in_which_nothing_lies(engine, tmp_path, drawn, kind):
    """Layers without a row are there, with their columns, and other programs open them."""
    done = export(engine, tmp_path, kind, grid="sample-040")
    assert {k: v for k, v in done.counts.items() if v} == {"grids": 1, "communities": 1}
    files = [done.file]
    if done.file.suffix == ".zip":
        with zipfile.ZipFile(done.file) as archive:
            archive.extractall(tmp_path)
        files = [f for f in tmp_path.iterdir() if f.suffix == exporting.FORMATS[kind]]
    assert len(files) == (1 if kind in ("gpkg", "xlsx") else 4)
    empty = 0
    for file in files:
        if kind == "geoparquet":
            found = {file.stem: geopandas.read_parquet(file)}
        else:
            found = {n: pyogrio.read_dataframe(file, layer=n) for n in pyogrio.list_layers(file)[:, 0]}
        for name, frame in found.items():
            if kind == "xlsx" and name in ("buildings", "addresses"):
                frame = frame.iloc[1:]  # a heading alone is read as a row
            assert len(frame) == (1 if name in ("grids", "communities") else 0)
            assert kind == "geojson" or len(frame.columns) > 5
            empty += not len(frame)
    assert empty == 2


def test_a_name_is_no_formula(engine, tmp_path, world):
    """What a stranger wrote as a name is text in every cell, to the letter."""
    import openpyxl
    import psycopg

    names = ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x","y")', "\t=1", "'=1", "=cmd|' /C calc'!A0"]
    url = world.url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url, autocommit=True) as connection:
        kept = connection.execute(
            "SELECT DISTINCT grid_id, name FROM grid_version WHERE code LIKE 'sample%' ORDER BY grid_id LIMIT 8"
        ).fetchall()
        for (grid, _), name in zip(kept, names, strict=True):
            connection.execute("UPDATE grid_version SET name = %s WHERE grid_id = %s", (name, grid))
        done = export(engine, tmp_path, "xlsx", layers=("grids",), language="en")
        for grid, name in kept:
            connection.execute("UPDATE grid_version SET name = %s WHERE grid_id = %s", (name, grid))
    book = openpyxl.load_workbook(done.file)
    cells = [c for row in book["grids"].iter_rows() for c in row]
    assert {c.data_type for c in cells} <= {"s", "n", "d", "inlineStr"}
    assert set(names) <= {c.value for c in cells}
    with zipfile.ZipFile(done.file) as archive:
        assert not any(b"<f>" in archive.read(n) for n in archive.namelist())


def test_no_more_than_a_few_at_a_time(engine):
    downloads = exporting.Downloads(engine, at_once=1)
    assert downloads._free.acquire(blocking=False)
    with pytest.raises(ConflictError, match=r"export\.busy"):
        downloads.make(Order("sample", "gpkg"))
    downloads._free.release()
    file, name = downloads.make(Order("sample", "geojson", layers=("grids",)))
    with file:
        assert (name, file.read(1)) == ("sample.geojson", b"{")


def test_what_is_not_published_is_in_no_file(engine, tmp_path, world):
    """A territory with a draft only has nothing to give."""
    import psycopg

    url = world.url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO territory (name, crs, srid, digest, geom, geom_3857) "
            "SELECT 'drafted', crs, srid, digest, geom, geom_3857 FROM territory WHERE name = 'sample'"
        )
    with pytest.raises(NotFoundError, match=r"export\.unpublished"):
        exporting.export(engine, Order("drafted", "gpkg"), tmp_path / "out.gpkg")


def test_the_command(world, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", world.url)
    monkeypatch.setenv("WANGGE_LANG", "en")
    out = tmp_path / "grids.fgb"
    run = CliRunner().invoke(
        cli, ["export", "flatgeobuf", "-o", str(out), "--territory", "sample", "--layers", "grids"]
    )
    assert run.exit_code == 0, run.output
    assert "64 grids" in run.output
    assert "© OpenStreetMap contributors" in run.output
    assert len(pyogrio.read_dataframe(out)) == 64
    bad = CliRunner().invoke(cli, ["export", "gpkg", "-o", str(out), "--territory", "sample", "--layers", "people"])
    assert isinstance(bad.exception, InputError)


def test_short_names_are_unique():
    from data.export_files import short_names

    found = short_names(["community_code", "community_codes", "community_coder", "name"])
    assert len(set(found.values())) == 4
    assert max(map(len, found.values())) <= 10
    assert np.all([v.isascii() for v in found.values()])
