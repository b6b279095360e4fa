"""PMTiles: read by the official reader, the same tiles that the service gives."""

from __future__ import annotations

import gzip
import json
from datetime import date
from random import Random

import mapbox_vector_tile
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from pmtiles.reader import MemorySource, Reader, all_tiles
from pmtiles.tile import Compression, TileType, tileid_to_zxy, zxy_to_tileid

from api.cli.main import cli
from api.services.tiles import tile_export
from data import pmtiles
from gis.errors import ConflictError, InputError, NotFoundError
from gis.tiles import pyramid

LAYERS = "grids,buildings,labels"
ABOUT = pmtiles.About((111.0, 27.0, 112.0, 28.0), (111.5, 27.5, 9), 0, 18, {"name": "试"})


@given(st.integers(0, 20).flatmap(lambda z: st.tuples(st.just(z), *[st.integers(0, (1 << z) - 1)] * 2)))
def test_tiles_are_numbered_as_the_format_does(place):
    assert pyramid.tile_id(*place) == zxy_to_tileid(*place)


def _written(tmp_path, tiles):
    file = tmp_path / "a.pmtiles"
    held = pmtiles.write(file, tiles, ABOUT)
    assert list(tmp_path.iterdir()) == [file]
    return held, file.read_bytes()


def test_equal_tiles_are_kept_once_and_runs_joined(tmp_path):
    places = [tileid_to_zxy(k) for k in (0, 5, 6, 7, 9, 10, 30)]
    bodies = [b"one", b"sea", b"sea", b"sea", b"two", b"sea", b""]
    held, archive = _written(tmp_path, zip(places, bodies, strict=True))
    reader = Reader(MemorySource(archive))
    head = reader.header()
    assert held == head["addressed_tiles_count"] == 6
    assert (head["tile_contents_count"], head["tile_entries_count"]) == (3, 4)
    assert head["clustered"]
    assert [gzip.decompress(reader.get(*p)) for p in places[:-1]] == bodies[:-1]
    assert reader.get(*places[-1]) is None
    assert reader.metadata() == {"name": "试"}


def test_large_archives_have_leaves(tmp_path):
    """Bodies of many lengths far apart, so that the directory does not fit the first 16 KiB."""
    random = Random(1)
    numbers = sorted(random.sample(range(100_000, 10_000_000), 8_000))
    bodies = {k: random.randbytes(random.randrange(8, 400)) for k in numbers}
    held, archive = _written(tmp_path, ((tileid_to_zxy(k), b) for k, b in bodies.items()))
    reader = Reader(MemorySource(archive))
    head = reader.header()
    assert head["leaf_directory_length"] > 0
    assert head["root_offset"] + head["root_length"] <= 16_384
    assert held == len(bodies)
    for k in list(bodies)[:: len(bodies) // 50]:
        assert gzip.decompress(reader.get(*tileid_to_zxy(k))) == bodies[k]
    assert reader.get(*tileid_to_zxy(99_999)) is None


def test_a_fault_leaves_the_old_file(tmp_path):
    file = tmp_path / "a.pmtiles"
    file.write_bytes(b"old")

    def broken():
        yield (0, 0, 0), b"one"
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        pmtiles.write(file, broken(), ABOUT)
    with pytest.raises(ValueError, match="out of order"):
        pmtiles.write(file, [((1, 0, 0), b"a"), ((0, 0, 0), b"b")], ABOUT)
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


@pytest.fixture(scope="module")
def engine(world):
    from data.postgres.connect import new_engine

    made = new_engine(world.url)
    yield made
    made.dispose()


@pytest.mark.database
def test_an_archive_holds_the_tiles_of_the_service(engine, client, tmp_path):
    steps = []
    file = tmp_path / "town.pmtiles"
    done = tile_export.export(
        engine, "sample", file, LAYERS, minzoom=10, maxzoom=14, progress=lambda *step: steps.append(step[:2])
    )
    archive = MemorySource(file.read_bytes())
    reader = Reader(archive)
    head = reader.header()
    assert (head["tile_type"], head["tile_compression"]) == (TileType.MVT, Compression.GZIP)
    assert (head["min_zoom"], head["max_zoom"]) == (10, 14)
    found = dict(all_tiles(archive))
    assert len(found) == done.tiles
    assert {z for z, _, _ in found} == set(range(10, 15))
    west, south, east, north = (head[k] / 1e7 for k in ("min_lon_e7", "min_lat_e7", "max_lon_e7", "max_lat_e7"))
    for z in range(10, 15):
        for x, y in pyramid.covering(z, west, south, east, north):
            served = gzip.decompress(
                client.get(f"/tiles/{LAYERS}/{z}/{x}/{y}.mvt", headers={"Accept-Encoding": "gzip"}).data
            )
            assert gzip.decompress(found.get((z, x, y), gzip.compress(b""))) == served
    metadata = reader.metadata()
    assert [n["id"] for n in metadata["vector_layers"]] == LAYERS.split(",")
    assert "OpenStreetMap" in metadata["attribution"]
    for body in found.values():
        for name, layer in mapbox_vector_tile.decode(gzip.decompress(body)).items():
            fields = next(n["fields"] for n in metadata["vector_layers"] if n["id"] == name)
            assert {key for f in layer["features"] for key in f["properties"]} <= set(fields)
    assert steps[0] == ("pmtiles", 0.0)
    assert steps[-1] == ("pmtiles", 1.0)
    assert json.dumps(metadata)


@pytest.mark.database
def test_what_cannot_be_exported(engine, tmp_path):
    file = tmp_path / "a.pmtiles"
    with pytest.raises(NotFoundError):
        tile_export.export(engine, "nowhere", file)
    with pytest.raises(NotFoundError):
        tile_export.export(engine, "sample", file, "grids,secrets")
    with pytest.raises(InputError):
        tile_export.export(engine, "sample", file, minzoom=12, maxzoom=11)
    with pytest.raises(ConflictError):
        tile_export.export(engine, "sample", file, as_of=date(1999, 1, 1))
    assert not list(tmp_path.iterdir())


@pytest.mark.database
def test_the_command(world, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", world.url)
    file = tmp_path / "town.pmtiles"
    done = CliRunner().invoke(
        cli,
        ["export", "pmtiles", "sample", "-o", str(file), "--layers", "grids", "--minzoom", "12", "--maxzoom", "13"],
    )
    assert done.exit_code == 0, done.output
    assert str(file) in done.output.replace("\n", "")
    assert "OpenStreetMap" in done.output
    assert Reader(MemorySource(file.read_bytes())).header()["max_zoom"] == 13
