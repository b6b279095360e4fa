"""Versions by tile: every change of a served row marks the tiles it touches, in its own transaction.

Statement triggers see the old and the new rows of whoever writes them: imports, publications, edits, hands.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

#: Table -> layers of ``tile_version``, its key, and the columns that tiles show.
_SERVED: Final = {
    "building": ("building", "id", "name,use,households,present,community_id"),
    "street": ("street", "id", "name,highway,bridge,tunnel"),
    "barrier": ("barrier", "id", "name,kind,tunnel"),
    "address": (
        "address",
        "id",
        "code,text,level,building_no,number_text,status,valid_from,valid_to,building_id,community_id",
    ),
    # a publication is a state of its own: only rows that change within one are of interest
    "grid_version": ("grid", "publication_id,grid_id", "code,name,kind,community,community_id,households,label_3857"),
    "micro_grid": ("grid", "id", "publication_id,code,name,households,grid_id"),
    "community": ("grid,building,address", "id", "code,name"),
}
_PUBLISHED: Final = ("grid_version", "micro_grid")
#: Tables that lookups and pages show: their readers are told, no tile changes by them.
_TOLD: Final = ("territory", "person", "post", "assignment", "site", "villager_group", "compound")

#: The statement that marks tiles of layers ($1) with a version ($2), from a query of (territory_id, geom): every tile
#: of zoom 0 to 16 whose box, a sixteenth of a tile wider on each side, touches the box of a geometry. Boxes end 10 km
#: outside the territory, where nothing is served. Text, as only a trigger itself sees its old and new rows.
_MARK: Final = """
CREATE FUNCTION marking_tiles(changed text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT format($q$
WITH world (half, side) AS (VALUES (20037508.342789244::float8, 2 * 20037508.342789244::float8 / 65536)),
boxes AS (
  SELECT c.territory_id, greatest(ST_XMin(c.geom), t.w - 10000) AS w, least(ST_XMax(c.geom), t.e + 10000) AS e,
         greatest(ST_YMin(c.geom), t.s - 10000) AS s, least(ST_YMax(c.geom), t.n + 10000) AS n
  FROM (%s) c JOIN (
    SELECT id, ST_XMin(b) AS w, ST_XMax(b) AS e, ST_YMin(b) AS s, ST_YMax(b) AS n
    FROM territory, LATERAL (SELECT Box2D(geom_3857) AS b) AS box) t ON t.id = c.territory_id
  WHERE NOT ST_IsEmpty(c.geom)),
deep AS MATERIALIZED (
  SELECT DISTINCT territory_id, x, y FROM boxes, world,
    generate_series(floor((w + half) / side - 0.0625)::int, floor((e + half) / side + 0.0625)::int) AS x,
    generate_series(floor((half - n) / side - 0.0625)::int, floor((half - s) / side + 0.0625)::int) AS y),
cells AS (
  SELECT DISTINCT d.territory_id, z, cx AS x, cy AS y FROM deep d, generate_series(0, 15) AS z,
    LATERAL (SELECT (1 << (16 - z))::float8 AS side) AS tile,
    generate_series(floor(d.x / side - 0.0625)::int, (ceil((d.x + 1) / side + 0.0625) - 1)::int) AS cx,
    generate_series(floor(d.y / side - 0.0625)::int, (ceil((d.y + 1) / side + 0.0625) - 1)::int) AS cy
  WHERE cx BETWEEN 0 AND (1 << z) - 1 AND cy BETWEEN 0 AND (1 << z) - 1
  UNION ALL SELECT territory_id, 16, x, y FROM deep WHERE x BETWEEN 0 AND 65535 AND y BETWEEN 0 AND 65535),
marked AS (
  INSERT INTO tile_version (territory_id, layer, z, x, y, version)
  SELECT c.territory_id, layer, z, x, y, $2
  FROM cells c, unnest(string_to_array($1, ',')) AS layer ORDER BY 1, 2, 3, 4, 5
  ON CONFLICT (territory_id, layer, z, x, y) DO UPDATE SET version = excluded.version RETURNING 1)
SELECT tell_readers() FROM (SELECT 1 FROM marked LIMIT 1) AS once
$q$, changed) $$
"""

#: Arguments: layers, key, served columns, whether rows belong to a publication.
_CHANGED: Final = """
CREATE FUNCTION tiles_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  territory text := CASE WHEN TG_ARGV[3] = '' THEN 'r.territory_id'
                    ELSE '(SELECT p.territory_id FROM publication p WHERE p.id = r.publication_id)' END;
  columns text := TG_ARGV[2] || ',geom_3857' || CASE WHEN TG_ARGV[3] = '' THEN ',territory_id' ELSE '' END;
  mine text; theirs text; keys text;
  rows text;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    SELECT string_agg('r.' || n, ','), string_agg('o.' || n, ',')
      INTO mine, theirs FROM unnest(string_to_array(columns, ',')) AS n;
    SELECT string_agg(format('r.%1$s = o.%1$s', n), ' AND ') INTO keys FROM unnest(string_to_array(TG_ARGV[1], ',')) AS n;
    rows := format('SELECT %1$s AS territory_id, r.geom_3857 AS geom FROM newer r LEFT JOIN older o ON %2$s'
      ' WHERE ROW(%3$s) IS DISTINCT FROM ROW(%4$s)'
      ' UNION ALL SELECT %1$s, r.geom_3857 FROM older r LEFT JOIN newer o ON %2$s'
      ' WHERE ROW(%3$s) IS DISTINCT FROM ROW(%4$s)', territory, keys, mine, theirs);
  ELSE
    rows := format('SELECT %s AS territory_id, r.geom_3857 AS geom FROM %s r', territory,
      CASE TG_OP WHEN 'INSERT' THEN 'newer' ELSE 'older' END);
  END IF;
  EXECUTE marking_tiles(rows) USING TG_ARGV[0], hashtextextended(gen_random_uuid()::text, 0);
  RETURN NULL;
END $$
"""

#: The grid of a building, outside the transaction that makes its publication.
_BUILDING_GRID: Final = """
CREATE FUNCTION building_grids_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE marking_tiles(format(
    'SELECT b.territory_id, b.geom_3857 AS geom FROM %s r JOIN building b ON b.id = r.building_id'
    ' JOIN publication p ON p.id = r.publication_id WHERE p.xmin <> pg_current_xact_id()::xid',
    CASE TG_OP WHEN 'DELETE' THEN 'older' ELSE 'newer' END)) USING 'building',
    hashtextextended(gen_random_uuid()::text, 0);
  RETURN NULL;
END $$
"""

#: Which publication is in force is a state of the whole territory. Numbers may come again after a restore: this does
#: not.
_PUBLICATION: Final = """
CREATE FUNCTION publications_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('INSERT INTO tile_version (territory_id, layer, z, x, y, version)'
    ' SELECT DISTINCT territory_id, ''publication'', 0, 0, 0, $1 FROM %s ORDER BY 1'
    ' ON CONFLICT (territory_id, layer, z, x, y) DO UPDATE SET version = excluded.version',
    CASE TG_OP WHEN 'DELETE' THEN 'older' ELSE 'newer' END) USING hashtextextended(gen_random_uuid()::text, 0);
  PERFORM tell_readers();
  RETURN NULL;
END $$
"""

#: ``wangge.served`` says to the writer that readers must have heard before it goes on (data/postgres/readers.py).
_TELL: Final = """
CREATE FUNCTION tell_readers() RETURNS void LANGUAGE sql AS $$
  SELECT pg_notify('served', ''), set_config('wangge.served', '1', true) $$
"""
_TOLD_OF: Final = """
CREATE FUNCTION readers_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM tell_readers(); RETURN NULL; END $$
"""

_SEES: Final = {"INSERT": "NEW TABLE AS newer", "DELETE": "OLD TABLE AS older"}


def upgrade() -> None:
    op.create_table(
        "tile_version",
        sa.Column("territory_id", sa.BigInteger(), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("z", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("x", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("y", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_tile_version_territory_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("territory_id", "layer", "z", "x", "y", name=op.f("pk_tile_version")),
    )
    for function in (_TELL, _TOLD_OF, _MARK, _CHANGED, _BUILDING_GRID, _PUBLICATION):
        op.execute(function)
    op.execute(
        "INSERT INTO tile_version SELECT DISTINCT territory_id, 'publication', 0, 0, 0,"
        " hashtextextended(gen_random_uuid()::text, 0) FROM publication"
    )
    for table, arguments in _SERVED.items():
        of_publication = "publication" if table in _PUBLISHED else ""
        given = ", ".join(f"'{a}'" for a in (*arguments, of_publication))
        for event in ("UPDATE", "DELETE") if of_publication else ("INSERT", "UPDATE", "DELETE"):
            _trigger(table, event, f"tiles_changed({given})")
    for event in ("INSERT", "UPDATE", "DELETE"):
        _trigger("building_grid", event, "building_grids_changed()")
        _trigger("publication", event, "publications_changed()")
    for table in _TOLD:
        op.execute(
            f"CREATE TRIGGER served AFTER INSERT OR UPDATE OR DELETE ON {table} EXECUTE FUNCTION readers_told()"
        )


def _trigger(table: str, event: str, call: str) -> None:
    seen = _SEES.get(event, "NEW TABLE AS newer OLD TABLE AS older")
    op.execute(
        f"CREATE TRIGGER served_{event.lower()} AFTER {event} ON {table} REFERENCING {seen} EXECUTE FUNCTION {call}"
    )


def downgrade() -> None:
    for table in _TOLD:
        op.execute(f"DROP TRIGGER IF EXISTS served ON {table}")
    for function in ("readers_told", "publications_changed", "building_grids_changed", "tiles_changed"):
        op.execute(f"DROP FUNCTION {function}() CASCADE")  # with its triggers
    op.execute("DROP FUNCTION marking_tiles(text)")
    op.execute("DROP FUNCTION tell_readers()")
    op.drop_table("tile_version")
