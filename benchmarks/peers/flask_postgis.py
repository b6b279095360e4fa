"""Point in grid as it is usually written: a Flask application that asks PostGIS, with a pool and a prepared query."""

from __future__ import annotations

import os

from flask import Flask, jsonify, request
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

app = Flask(__name__)
pool = ConnectionPool(os.environ["DATABASE_URL"], min_size=4, max_size=4, kwargs={"autocommit": True}, open=True)

FIND = """
WITH p AS MATERIALIZED (SELECT ST_Transform(ST_SetSRID(ST_MakePoint(%s, %s), 4326), 4547) AS point)
SELECT g.grid_id::text AS grid_id, g.code, g.name, g.community, ST_Distance(g.border, p.point) AS edge_m,
       coalesce(people.list, '[]'::json) AS people
FROM p JOIN peer.places g ON ST_Covers(g.geom, p.point)
LEFT JOIN LATERAL (
  SELECT json_agg(json_build_object('name', n.name, 'post', o.title,
                                    'phone', coalesce(nullif(n.public_phone, ''), o.public_phone))) AS list
  FROM assignment a JOIN person n ON n.id = a.person_id JOIN post o ON o.id = a.post_id
  WHERE a.grid_id = g.grid_id AND a.valid_from <= CURRENT_DATE
    AND (a.valid_to IS NULL OR a.valid_to > CURRENT_DATE)) people ON true
ORDER BY g.grid_id LIMIT 1
"""


@app.get("/ready")
def ready():
    """Whether it runs."""
    return "ready"


@app.get("/api/lookup")
def lookup():
    """The grid of one WGS84 position."""
    lon, lat = float(request.args["lon"]), float(request.args["lat"])
    with pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(FIND, (lon, lat), prepare=True).fetchone()
    if row is None:
        return jsonify(status="outside", wgs84=[lon, lat], candidates=[], people=[])
    edge = round(row["edge_m"], 2)
    near = [{"grid_id": row["grid_id"], "code": row["code"], "distance_m": 0.0}]
    return jsonify(status="certain", wgs84=[lon, lat], **{**row, "edge_m": edge}, candidates=near)
