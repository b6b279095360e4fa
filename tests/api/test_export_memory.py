"""Downloads are streamed: the memory of a large one is that of a small one.

The peak of a process of its own is compared with what the same process took for a smaller file, so neither the
machine nor its load matters. FlatGeobuf is left out: GDAL sorts it in a buffer of up to 100 MB, however large it is.
"""

from __future__ import annotations

import json
import subprocess
import sys

import psycopg
import pytest

from data.export_files import FORMATS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

#: Features of the small and of the large file, each of 3.2 kB: 18 MB more.
FEW, MANY = 1_500, 7_500
#: What a large file may take beyond a small one, in MB.
MORE = 6.0

PEAK = """
import json, shapely, sys
from pathlib import Path
url, folder, kind, few, many = *sys.argv[1:4], int(sys.argv[4]), int(sys.argv[5])
def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(l for l in lines if l.startswith("VmHWM")).split()[1]) / 1024
"""
WRITE = (
    PEAK
    + """
from data.export_files import Stream, write
import pyproj
wkb = shapely.to_wkb(shapely.MultiPolygon([shapely.Point(112.9, 28.2).buffer(1e-4, quad_segs=50)]))
def rows(count):
    return lambda: ([(k, bytes(bytearray(wkb)), f"no. {k}") for k in range(n, n + 500)] for n in range(0, count, 500))
def make(count):
    crs = pyproj.CRS("EPSG:4326").to_wkt()
    made = write(kind, Path(folder) / f"{count}", [Stream("b", [("t", "text")], "MultiPolygon", crs, rows(count))])
    return made.stat().st_size
print(json.dumps([make(few), peak(), make(many), peak()]))
"""
)
EXPORT = (
    PEAK
    + """
from api.services.features.exporting import Order, export
from data.postgres.connect import engine_of
with engine_of(url) as engine:
    def make(community):
        order = Order("sample", kind, community, layers=("buildings",))
        return export(engine, order, Path(folder) / community).counts["buildings"]
    print(json.dumps([make("430104007000"), peak(), make("430104007001"), peak()]))
"""
)
FILL = """
WITH t AS (SELECT id FROM territory WHERE name = 'sample'),
one AS (SELECT geom, ST_Transform(geom, 3857) AS geom_3857 FROM (
  SELECT ST_Buffer(ST_SetSRID(ST_MakePoint(394000, 3120000), 4547), 20, 'quad_segs=50') AS geom) g)
INSERT INTO building (territory_id, position, source_id, households, counted, work, households_source, community_id,
  geom, geom_3857)
SELECT t.id, 1000 + k, 'many ' || k, 3, 3, 1, 'given', c.id,
  ST_Translate(one.geom, 7 * (k %% 80), 7 * (k / 80)), ST_Translate(one.geom_3857, 8 * (k %% 80), 8 * (k / 80))
FROM t, one, generate_series(1, %(count)s) k
JOIN community c ON c.source_id = CASE WHEN k <= %(few)s THEN 'c0' ELSE 'c1' END
WHERE c.territory_id = t.id
"""


def told(script, *arguments, few=FEW, many=MANY):
    given = [sys.executable, "-c", script, *map(str, arguments), str(few), str(many)]
    run = subprocess.run(given, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("kind", [k for k in FORMATS if k != "flatgeobuf"])
def test_files_are_written_row_by_row(tmp_path, kind):
    many = 4_000 if kind == "geojson" else MANY  # the slowest to write
    small, before, large, after = told(WRITE, "", tmp_path, kind, few=500, many=many)
    assert large > 2 * small
    assert after - before < MORE


@pytest.mark.database
def test_rows_are_read_as_they_are_written(world, tmp_path):
    with psycopg.connect(world.url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        connection.execute(FILL, {"count": FEW + MANY, "few": FEW})
    small, before, large, after = told(EXPORT, world.url, tmp_path, "gpkg")
    assert (small, large) == (FEW, MANY)
    assert after - before < MORE
