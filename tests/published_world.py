"""A small published world: two territories in different metre CRS, with people, addresses and plates."""

from __future__ import annotations

import datetime
import itertools
import json
import uuid
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np
import pyproj
import pytest
import shapely

from gis.addressing.codes import check_digits, plate_url

N = 8  # grids along a side of the first territory
SIDE = 335.0
KEY = b"a secret of thirty-two bytes....."
HOST = "plates.example"
#: In the time zone of the territories, whatever the machine's: no test runs across its midnight.
YESTERDAY = datetime.datetime.now(ZoneInfo("Asia/Shanghai")).date() - datetime.timedelta(days=1)
LONG_AGO = datetime.date(2020, 1, 1)


def code_of(number: int) -> str:
    body = f"{number:012d}"
    return body + check_digits(body)


@dataclass
class World:
    """What was written, for tests to compare with."""

    url: str
    crs: dict[int, str] = field(default_factory=dict)
    grids: dict[int, list[tuple[str, shapely.Polygon]]] = field(default_factory=dict)  # by territory, sorted by id
    old_publication: int = 0
    codes: dict[str, str] = field(default_factory=dict)

    def wgs84(self, territory: int, x, y):
        return pyproj.Transformer.from_crs(self.crs[territory], "EPSG:4326", always_xy=True).transform(x, y)


def lattice(east: float, north: float, seed: int) -> list[shapely.Polygon]:
    """Quarters with shared, wiggly borders on the 1 cm grid."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(N + 1) * SIDE, np.arange(N + 1) * SIDE)
    x, y = x + rng.uniform(-60, 60, x.shape) + east, y + rng.uniform(-60, 60, y.shape) + north
    x, y = np.round(x, 2), np.round(y, 2)
    seams: dict = {}

    def seam(a, b):
        key = (min(a, b), max(a, b))
        if key not in seams:
            p, q = (np.array([x[k], y[k]]) for k in key)
            t = np.linspace(0, 1, 7)[:, None]
            line = p * (1 - t) + q * t
            line[1:-1] += rng.uniform(-12, 12, (5, 2))
            seams[key] = np.round(line, 2)
        return seams[key] if a < b else seams[key][::-1]

    made = []
    for j in range(N):
        for i in range(N):
            ring = [(j, i), (j, i + 1), (j + 1, i + 1), (j + 1, i), (j, i)]
            made.append(shapely.Polygon(np.vstack([seam(a, b) for a, b in itertools.pairwise(ring)])))
    return made


class Writer:
    """Inserts rows; shapes go into ``geom`` and ``geom_3857``."""

    def __init__(self, connection, srid: int) -> None:
        self.connection = connection
        self.srid = srid

    def add(self, table: str, shape=None, back: str = "id", **values):
        columns, marks, given = list(values), ["%s"] * len(values), list(values.values())
        for name in ("geom", "geom_3857", *(["label_3857"] if table == "grid_version" else [])):
            if shape is None:
                break
            columns.append(name)
            mark = "ST_GeomFromWKB(%s, %s)"
            mark = mark if name == "geom" else f"ST_Transform({mark}, 3857)"
            marks.append(f"ST_PointOnSurface({mark})" if name.startswith("label") else mark)
            given += [shape.wkb, self.srid]
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(marks)})"
        row = self.connection.execute(f"{sql} RETURNING {back}" if back else sql, given)
        return row.fetchone()[0] if back else None


def publish(connection, world, name, title, crs, polygons, number):
    """A territory of two communities, planned one grid an atom and published twice."""
    write = Writer(connection, int(crs.split(":")[1]))
    credit = "© OpenStreetMap contributors"
    territory = write.add(
        "territory", shapely.union_all(polygons), name=name, title=title, crs=crs, srid=write.srid, digest="",
        attribution=credit, fictitious=number == 1,
    )  # fmt: skip
    of = {"territory_id": territory}
    communities = []
    n = len(polygons)
    for half in range(2):
        part = shapely.union_all(polygons[half * n // 2 : (half + 1) * n // 2])
        code, label = f"43010400700{half}", f"{'东西'[half]}湖社区"
        communities.append(write.add("community", part, source_id=f"c{half}", code=code, name=label, **of))
    atoms = write.add("atom_set", digest="d", source_digest="", parameters="{}", crs=crs, atoms=n, segments=b"", **of)
    community = [communities[2 * k // n] for k in range(n)]
    for k, p in enumerate(polygons):
        write.add(
            "atom", p, back="", atom_set_id=atoms, position=k, block=k // 2, community_id=community[k],
            households=400 + k, counted=400 + k, work=1, outer_metres=0,
        )  # fmt: skip
    report = json.dumps({"in_range_share": 1.0, "on_street_share": 0.9})
    version = write.add(
        "plan_version", plan_id=write.add("plan", name="p", **of), number=1, atom_set_id=atoms, status="published",
        ruleset="default", seed=1, grid_of_atom=list(range(n)), report=report, certificate="{}",
    )  # fmt: skip
    ids = [str(uuid.UUID(int=(number << 100) + (k * 7919 % 1009) * 2**40 + k)) for k in range(n)]
    for g in ids:
        write.add("grid", back="", grid_id=g, **of)
    publications = []
    for start, end in ((LONG_AGO, YESTERDAY), (YESTERDAY, None)):
        publication = write.add("publication", plan_version_id=version, valid_from=start, valid_to=end, **of)
        publications.append(publication)
        for k, p in enumerate(polygons):
            write.add(
                "grid_version", p, publication_id=publication, grid_id=ids[k], number=k, code=f"{name}-{k:03d}",
                name=f"第{k + 1}网格", kind="residential", community_id=community[k], community="c",
                households=400 + k, counted=400 + k, work=1, buildings=1, on_street_share=0.9, compactness=0.7,
            )  # fmt: skip
    world.crs[territory] = crs
    world.grids[territory] = sorted(zip(ids, polygons, strict=True))
    return territory, communities, publications, ids


def _people(write, territory, ids):
    person = write.add(
        "person", territory_id=territory, staff_id="s1", name="张三", public_phone="0731-5550001", fictitious=True
    )
    post = write.add("post", territory_id=territory, code="p1", title="网格长", role="leader")
    for g in ids[:10]:
        write.add("assignment", person_id=person, post_id=post, grid_id=g, valid_from=YESTERDAY)


def _addresses(write, world, territory, community, publication, ids, polygons):
    """Three premises: a good one, a revoked one, and one whose plate is revoked."""
    of = {"territory_id": territory}
    line = shapely.multilinestrings([[polygons[0].centroid.coords[0], polygons[1].centroid.coords[0]]])
    road = write.add("thoroughfare", line, name="麓山路", valid_from=LONG_AGO, **of)
    batch = write.add("plate_batch", size="small", plates=3, **of)
    write.add("plate_key", back="", key_id="A", host=HOST, secret=KEY)
    for k, (what, status) in enumerate((("good", "issued"), ("revoked", "revoked"), ("lost", "issued"))):
        spot = polygons[k].centroid
        building = write.add(
            "building", spot.buffer(8, quad_segs=2), source_id=f"b{k}", position=k, households=12, counted=12, work=1,
            households_source="given", **of,
        )  # fmt: skip
        write.add("building_grid", back="", publication_id=publication, building_id=building, grid_id=ids[k])
        code = code_of(123456789012 + k)
        address = write.add(
            "address", spot, code=code, level="premise", building_id=building, community_id=community,
            thoroughfare_id=road, number=12 + k, number_text=f"{12 + k}号", text=f"麓山路{12 + k}号", origin="issued",
            status=status, valid_from=LONG_AGO, **of,
        )  # fmt: skip
        payload, state = plate_url(HOST, code, "A", KEY), "revoked" if what == "lost" else "printed"
        write.add("plate", address_id=address, batch_id=batch, key_id="A", payload=payload, status=state)
        world.codes[what] = code


@pytest.fixture(scope="module")
def world(database_url):
    """Two territories: one near Changsha in CGCS2000 (EPSG:4547), one in UTM 35 (EPSG:32635)."""
    import psycopg

    made = World(database_url)
    with psycopg.connect(database_url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        polygons = lattice(394_000.0, 3_120_000.0, 1)
        one, communities, (old, new), ids = publish(connection, made, "sample", "样例", "EPSG:4547", polygons, 1)
        made.old_publication = old
        write = Writer(connection, 4547)
        _people(write, one, ids)
        _addresses(write, made, one, communities[0], new, ids, polygons)
        line = shapely.LineString([polygons[0].centroid, polygons[N - 1].centroid])
        write.add("street", line, territory_id=one, position=0, source_id="s", highway="primary", name="麓山路")
        lake = shapely.box(*polygons[3].bounds)
        write.add("barrier", lake, territory_id=one, position=0, source_id="w", kind="water", name="桃花湖")
        publish(connection, made, "helsinki", "", "EPSG:32635", lattice(385_000.0, 6_671_000.0, 2), 2)
    return made
