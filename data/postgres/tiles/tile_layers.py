"""The layers of tiles: from which zoom on, with which properties, and the rows they are read from.

A layer's rows are ``id, <properties>, <hidden>, zoom, geom``; ``zoom`` is the first one that shows the row, ``e.box``
the place asked for (EPSG:3857). Layers without rows are made of a whole plan (``read_tile_plans`` beside this file).
Ids and order depend on the feature alone, never on what else the territory holds: a tile changes only when something
in it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_TEXT, _NUMBER, _FLAG = "String", "Number", "Boolean"

_MAIN: Final = "('motorway','trunk','primary','motorway_link','trunk_link','primary_link')"
_MIDDLE: Final = "('secondary','tertiary','secondary_link','tertiary_link')"
_PATHS: Final = "('footway','path','steps','cycleway','track','bridleway','corridor','service')"


@dataclass(frozen=True)
class Layer:
    """A served layer.

    ``fields``: properties with their TileJSON type. ``hidden``: columns that only filters use. ``tables``: whose
    changes it shows, as ``tile_version.layer`` names them. ``draft``: rows for a plan version never published, where
    they differ. ``daily``: what shows depends on the day itself.
    """

    name: str
    minzoom: int
    fields: Mapping[str, str]
    tables: tuple[str, ...]
    rows: str = ""
    draft: str = ""
    hidden: tuple[str, ...] = ("community_code",)
    daily: bool = False

    def rows_of(self, *, draft: bool) -> str:
        """The rows of what is published, or of a draft."""
        return self.draft if draft and self.draft else self.rows

    @property
    def filters(self) -> tuple[str, ...]:
        """Properties a caller may filter by."""
        return tuple(dict.fromkeys([*self.fields, *(key for key in self.hidden if key != "community_code")]))

    @staticmethod
    def keys_of(name: str) -> tuple[str, ...]:
        """Columns that a filter looks at: a community is asked for by name or code."""
        return ("community", "community_code") if name == "community" else (name,)


_BARRIER: Final = """
SELECT b.id, nullif(b.name, '') AS name, 8 AS zoom, b.geom_3857 AS geom FROM barrier b
WHERE b.geom_3857 && e.box AND b.kind = '{kind}' AND NOT b.tunnel AND b.territory_id = %(territory)s
ORDER BY b.id
"""

_STREETS: Final = f"""
SELECT s.id, nullif(s.name, '') AS name, s.highway, s.bridge,
       CASE WHEN s.highway IN {_MAIN} THEN 10 WHEN s.highway IN {_MIDDLE} THEN 12
            WHEN s.highway IN {_PATHS} THEN 15 ELSE 13 END AS zoom, s.geom_3857 AS geom
FROM street s WHERE s.geom_3857 && e.box AND s.territory_id = %(territory)s AND NOT s.tunnel
ORDER BY s.highway IN {_MAIN}, s.highway IN {_MIDDLE}, s.id
"""  # noqa: S608  constants above

_BUILDINGS: Final = """
SELECT b.id, nullif(b.name, '') AS name, nullif(b.use, '') AS use, b.households,
       x.grid_id::text AS grid_id, x.code AS grid, c.name AS community, c.code AS community_code,
       CASE WHEN ST_Area(b.geom_3857) > 300 THEN 13 ELSE 14 END AS zoom, b.geom_3857 AS geom
FROM building b {grid} LEFT JOIN community c ON c.id = coalesce(x.community_id, b.community_id)
WHERE b.geom_3857 && e.box AND b.present AND b.territory_id = %(territory)s
ORDER BY b.id
"""
_BUILDING_PUBLISHED: Final = """
LEFT JOIN building_grid bg ON bg.building_id = b.id AND bg.publication_id = %(publication)s
LEFT JOIN grid_version x ON x.publication_id = bg.publication_id AND x.grid_id = bg.grid_id
"""
_BUILDING_DRAFT: Final = """
LEFT JOIN (SELECT ab.building_id, g.* FROM plan_version v JOIN atom_building ab ON ab.atom_set_id = v.atom_set_id
           JOIN version_grid g ON g.plan_version_id = v.id AND g.number = v.grid_of_atom[ab.position + 1]
           WHERE v.id = %(version)s) x ON x.building_id = b.id
"""

#: Atoms and blocks are numbered by their set and place: below 2^53 together, as every reader can hold.
_ATOMS: Final = """
SELECT a.atom_set_id * 16777216 + a.position AS id, a.position, a.block, a.households, g.code AS grid,
       coalesce(nullif(c.name, ''), g.community) AS community, c.code AS community_code,
       14 AS zoom, a.geom_3857 AS geom
FROM {of} JOIN atom a ON a.atom_set_id = v.atom_set_id
LEFT JOIN {grid} AND g.number = v.grid_of_atom[a.position + 1]
LEFT JOIN community c ON c.id = coalesce(g.community_id, a.community_id)
WHERE {id} AND a.geom_3857 && e.box
ORDER BY a.position
"""
_BLOCKS: Final = """
SELECT a.atom_set_id * 16777216 + a.block AS id, a.block, sum(a.households)::int AS households,
       13 AS zoom, ST_Union(a.geom_3857) AS geom
FROM {of} JOIN atom a ON a.atom_set_id = v.atom_set_id
WHERE {id} AND a.block IN (SELECT n.block FROM atom n WHERE n.atom_set_id = v.atom_set_id AND n.geom_3857 && e.box)
GROUP BY a.atom_set_id, a.block ORDER BY a.block
"""
_PUBLISHED: Final = {
    "of": "publication p JOIN plan_version v ON v.id = p.plan_version_id",
    "id": "p.id = %(publication)s",
    "grid": "grid_version g ON g.publication_id = p.id",
}
_DRAFT: Final = {
    "of": "plan_version v",
    "id": "v.id = %(version)s",
    "grid": "version_grid g ON g.plan_version_id = v.id",
}

_MICRO_GRIDS: Final = """
SELECT ('x' || left(md5(m.grid_id::text || m.code), 12))::bit(48)::bigint AS id, m.code, m.name,
       m.grid_id::text AS grid_id, g.code AS grid, m.households,
       coalesce(nullif(c.name, ''), g.community) AS community, c.code AS community_code,
       14 AS zoom, m.geom_3857 AS geom
FROM micro_grid m JOIN grid_version g ON g.publication_id = m.publication_id AND g.grid_id = m.grid_id
LEFT JOIN community c ON c.id = g.community_id
WHERE m.publication_id = %(publication)s AND m.geom_3857 && e.box
ORDER BY m.code
"""

_ADDRESSES: Final = """
SELECT a.id, a.code, a.text,
       CASE WHEN a.level = 'building' AND a.building_no <> ''
            THEN a.building_no || CASE WHEN a.text LIKE '%%栋%%' THEN '栋' ELSE '' END
            ELSE coalesce(nullif(a.number_text, ''), a.building_no) END AS label,
       c.name AS community, c.code AS community_code, 15 AS zoom, a.geom_3857 AS geom
FROM address a LEFT JOIN community c ON c.id = a.community_id
WHERE a.geom_3857 && e.box AND a.level IN ('premise', 'building') AND a.territory_id = %(territory)s
  AND a.valid_from <= %(day)s::date AND (a.valid_to IS NULL OR a.valid_to > %(day)s::date)
  AND (a.status = 'issued' OR a.valid_to IS NOT NULL)
ORDER BY a.id
"""

#: Every layer in drawing order.
LAYERS: Final[Mapping[str, Layer]] = {
    layer.name: layer
    for layer in (
        Layer("water", 8, {"name": _TEXT}, ("barrier",), _BARRIER.format(kind="water"), hidden=()),
        Layer(
            "communities",
            8,
            {"code": _TEXT, "name": _TEXT, "households": _NUMBER, "grids": _NUMBER},
            ("grid",),
            hidden=("community", "community_code"),
        ),
        Layer(
            "grids",
            8,
            {
                "grid_id": _TEXT,
                "code": _TEXT,
                "name": _TEXT,
                "kind": _TEXT,
                "community": _TEXT,
                "households": _NUMBER,
                "tone": _NUMBER,
            },
            ("grid",),
        ),
        Layer(
            "micro-grids",
            14,
            {
                "code": _TEXT,
                "name": _TEXT,
                "grid_id": _TEXT,
                "grid": _TEXT,
                "community": _TEXT,
                "households": _NUMBER,
            },
            ("grid",),
            _MICRO_GRIDS,
        ),
        Layer(
            "blocks",
            13,
            {"block": _NUMBER, "households": _NUMBER},
            ("grid",),
            _BLOCKS.format(**_PUBLISHED),
            _BLOCKS.format(**_DRAFT),
            hidden=(),
        ),
        Layer(
            "atoms",
            14,
            {"position": _NUMBER, "block": _NUMBER, "households": _NUMBER, "grid": _TEXT, "community": _TEXT},
            ("grid",),
            _ATOMS.format(**_PUBLISHED),
            _ATOMS.format(**_DRAFT),
        ),
        Layer("rail", 10, {"name": _TEXT}, ("barrier",), _BARRIER.format(kind="rail"), hidden=()),
        Layer("streets", 10, {"name": _TEXT, "highway": _TEXT, "bridge": _FLAG}, ("street",), _STREETS, hidden=()),
        Layer(
            "buildings",
            13,
            {
                "name": _TEXT,
                "use": _TEXT,
                "households": _NUMBER,
                "grid_id": _TEXT,
                "grid": _TEXT,
                "community": _TEXT,
            },
            ("building", "grid"),
            _BUILDINGS.format(grid=_BUILDING_PUBLISHED),
            _BUILDINGS.format(grid=_BUILDING_DRAFT),
        ),
        Layer(
            "addresses",
            15,
            {"code": _TEXT, "label": _TEXT, "text": _TEXT, "community": _TEXT},
            ("address",),
            _ADDRESSES,
            daily=True,
        ),
        Layer(
            "labels",
            8,
            {"kind": _TEXT, "code": _TEXT, "name": _TEXT, "grid_id": _TEXT},
            ("grid",),
            hidden=("community", "community_code"),
        ),
    )
}
