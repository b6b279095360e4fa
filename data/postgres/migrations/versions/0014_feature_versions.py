"""Versions of features: they show more of a row than tiles do, so its change counts for them alone.

A change of such a column is ``tile_version`` 'feature' 0/0/0 of its territory, given in the transaction of the change;
tiles never look at it.
"""

from __future__ import annotations

from typing import Final

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

#: Table -> its key, the columns that features show beside those that tiles show (0010), and the territory of a row.
_SHOWN: Final = {
    "building": ("id", "source_id,street,housenumber,levels,height,households_source", "r.territory_id"),
    "grid_version": (
        "publication_id,grid_id",
        "counted,buildings,on_street_share,compactness,note",
        "(SELECT p.territory_id FROM publication p WHERE p.id = r.publication_id)",
    ),
    "community": ("id", "present", "r.territory_id"),
    "address": ("id", "thoroughfare_id,compound_id,unit,floor,room,origin", "r.territory_id"),
    "thoroughfare": ("id", "name", "r.territory_id"),
    "compound": ("id", "name", "r.territory_id"),
    "territory": ("id", "name,crs,srid,time_zone,geom_3857", "r.id"),
}

#: Arguments: key, shown columns, territory. Rows that come or go are told of by the triggers of tiles.
_CHANGED: Final = """
CREATE FUNCTION features_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  mine text; theirs text; keys text; marked bigint;
BEGIN
  SELECT string_agg('r.' || n, ','), string_agg('o.' || n, ',')
    INTO mine, theirs FROM unnest(string_to_array(TG_ARGV[1], ',')) AS n;
  SELECT string_agg(format('r.%1$s = o.%1$s', n), ' AND ') INTO keys FROM unnest(string_to_array(TG_ARGV[0], ',')) AS n;
  EXECUTE format('INSERT INTO tile_version (territory_id, layer, z, x, y, version)'
    ' SELECT DISTINCT %1$s, ''feature'', 0, 0, 0, $1 FROM newer r JOIN older o ON %2$s'
    ' WHERE ROW(%3$s) IS DISTINCT FROM ROW(%4$s) ORDER BY 1'
    ' ON CONFLICT (territory_id, layer, z, x, y) DO UPDATE SET version = excluded.version',
    TG_ARGV[2], keys, mine, theirs) USING hashtextextended(gen_random_uuid()::text, 0);
  GET DIAGNOSTICS marked = ROW_COUNT;
  IF marked > 0 THEN PERFORM tell_readers(); END IF;
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.execute(_CHANGED)
    for table, arguments in _SHOWN.items():
        given = ", ".join(f"'{a}'" for a in arguments)
        op.execute(
            f"CREATE TRIGGER shown_update AFTER UPDATE ON {table} REFERENCING NEW TABLE AS newer OLD TABLE AS older"
            f" EXECUTE FUNCTION features_changed({given})"
        )


def downgrade() -> None:
    op.execute("DROP FUNCTION features_changed() CASCADE")  # with its triggers
    op.execute("DELETE FROM tile_version WHERE layer = 'feature'")
