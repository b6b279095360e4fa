"""A throw-away database in which a city is published, made by the product's own steps, and the peers' tables of it.

It stands in a cluster of its own, never in a person's. Making it takes minutes at full size, so it is kept as a
template named by what it depends on; every run works on a clone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from api.services import importing
from api.services.plans import partitioning, publishing
from api.services.plans.planning import Job, ruleset_of
from benchmarks.runner import ROOT, Say
from benchmarks.serving_city import city_sources
from data.postgres.connect import engine_of
from data.postgres.server import migrate
from data.postgres.server.cluster import Cluster

#: Buildings a grid: 2,000 grids in a city of 100,000 buildings.
A_GRID: Final = 50
CITY: Final = "city"
SINCE: Final = date(2024, 1, 1)
#: What the template depends on, beside the number of buildings; the schema is brought up to date in every clone.
_MADE_BY: Final = ("data/samples/city/*.py", "benchmarks/serving_city.py")

#: The same features and properties as our layers, in the form that suits a server that asks PostGIS: one table a
#: layer, web mercator stored, GiST index, rows in the order of the map.
_PEER_TABLES: Final = """
DROP SCHEMA IF EXISTS peer CASCADE;
CREATE SCHEMA peer;
CREATE TABLE peer.buildings AS
SELECT b.id, nullif(b.name, '') AS name, nullif(b.use, '') AS use, b.households, x.grid_id::text AS grid_id,
       x.code AS grid, c.name AS community, b.geom_3857::geometry(Geometry, 3857) AS geom
FROM building b LEFT JOIN building_grid g ON g.building_id = b.id
LEFT JOIN grid_version x ON x.publication_id = g.publication_id AND x.grid_id = g.grid_id
LEFT JOIN community c ON c.id = coalesce(x.community_id, b.community_id)
WHERE b.present ORDER BY ST_GeoHash(ST_Transform(ST_PointOnSurface(b.geom_3857), 4326));
CREATE TABLE peer.grids AS
SELECT row_number() OVER (ORDER BY g.grid_id)::int AS id, g.grid_id::text AS grid_id, g.code, g.name, g.kind,
       coalesce(nullif(c.name, ''), g.community) AS community, g.households, 0 AS tone,
       g.geom_3857::geometry(Geometry, 3857) AS geom
FROM grid_version g LEFT JOIN community c ON c.id = g.community_id;
CREATE TABLE peer.places AS
SELECT g.grid_id, g.code, g.name, coalesce(nullif(c.name, ''), g.community) AS community,
       g.geom AS geom, ST_Boundary(g.geom) AS border
FROM grid_version g LEFT JOIN community c ON c.id = g.community_id;
UPDATE peer.places SET geom = ST_SetSRID(geom, 4547), border = ST_SetSRID(border, 4547);
ALTER TABLE peer.buildings ADD PRIMARY KEY (id);
ALTER TABLE peer.grids ADD PRIMARY KEY (id);
ALTER TABLE peer.places ADD PRIMARY KEY (grid_id);
CREATE INDEX ON peer.buildings USING gist (geom);
CREATE INDEX ON peer.grids USING gist (geom);
CREATE INDEX ON peer.places USING gist (geom);
"""


@dataclass(frozen=True)
class Served:
    """A published city: where its database stands, and how much it holds."""

    url: str
    cluster: Cluster
    counts: dict[str, int]

    @property
    def name(self) -> str:
        """The database's name."""
        return self.url.partition("?")[0].rpartition("/")[2]


@contextmanager
def served_city(buildings: int, say: Say, cluster: Cluster | None = None) -> Iterator[Served]:
    """A clone of the published city, dropped at the end; our own server is then stopped.

    On a ``cluster`` of somebody else nothing is left behind, the template neither.
    """
    at = cluster or Cluster("pg-bench", durable=False)
    at.up()
    name = f"city_run_{os.getpid()}"
    try:
        if cluster is None:
            _ask(at, _clone(name, _template(at, buildings, say)))
        else:
            _ask(at, _empty(name))
            _publish(at.url(name), buildings, say)
        url = at.url(name)
        migrate.upgrade(url)  # the template may be older than the newest schema
        with _connected(url) as connection:
            connection.execute(_PEER_TABLES)
            connection.execute("VACUUM ANALYZE")
        yield Served(url, at, _counts(url))
    finally:
        _ask(at, _drop(name))
        if cluster is None:
            at.down()


def _template(at: Cluster, buildings: int, say: Say) -> str:
    name = f"city_{buildings}_{_fingerprint()}"
    if _exists(at, name):
        return name
    for old in _named(at, f"city_{buildings}_"):
        _ask(at, _drop(old))
    say(f"city of {buildings:,} buildings: made once, then kept")
    making = f"making_{os.getpid()}"
    _ask(at, _drop(making), _empty(making))
    _publish(at.url(making), buildings, say)
    _ask(at, sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(making), sql.Identifier(name)))
    return name


def _publish(url: str, buildings: int, say: Say) -> None:
    sources = city_sources(buildings)
    assert sources.atoms is not None
    mean = int(sources.atoms.households.sum()) // (buildings // A_GRID)
    rules = ruleset_of("default", minimum=mean * 2 // 3, maximum=mean * 4 // 3, target=mean)
    migrate.upgrade(url)
    with engine_of(url) as engine:
        say("import")
        importing.import_sources(
            engine, sources, CITY, ruleset=rules, origin="benchmark", title="Benchmark", fictitious=True
        )
        say("plan")
        done = partitioning.partition(engine, CITY, Job(rules, iterations=1), progress=_no_proof)
        if done.kept is not None:
            Path(done.kept).unlink(missing_ok=True)
        say("publish")
        publishing.publish(engine, CITY, since=SINCE, demo_people=True)
    say("done")


def _no_proof(step: str, done: float, note: str = "") -> None:
    """Ends the planning, as Ctrl-C does, before it is proven how good the plan is: for serving any plan will do."""
    if step == "prove":
        raise KeyboardInterrupt


def _fingerprint() -> str:
    files = sorted({f for pattern in _MADE_BY for f in Path(ROOT).glob(pattern)})
    return hashlib.sha256(b"\0".join(f.read_bytes() for f in files)).hexdigest()[:12]


def _counts(url: str) -> dict[str, int]:
    tables = ("grid_version", "building", "street", "community", "atom", "address")
    with _connected(url) as connection:
        return {t: int(_one(connection, f"SELECT count(*) FROM {t}")) for t in tables}


def _one(connection: psycopg.Connection[Any], query: str) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def plain_url(url: str) -> str:
    """The address as psycopg and libpq read it."""
    return url.replace("postgresql+psycopg://", "postgresql://")


def _connected(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(plain_url(url), autocommit=True)


def _ask(at: Cluster, *statements: sql.Composable) -> None:
    with _connected(at.url()) as connection:
        for statement in statements:
            connection.execute(statement.as_string())


def _exists(at: Cluster, name: str) -> bool:
    return name in _named(at, name)


def _named(at: Cluster, start: str) -> list[str]:
    with _connected(at.url()) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (start,))
        return [name for (name,) in rows]


def _drop(name: str) -> sql.Composable:
    return sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))


def _empty(name: str) -> sql.Composable:
    return sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))


def _clone(name: str, template: str) -> sql.Composable:
    return sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
        sql.Identifier(name), sql.Identifier(template)
    )
