"""Search over what is published: addresses, grids, communities, compounds and streets. Reading only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class Hit:
    """One thing found: ``x, y`` in EPSG:3857; ``code`` is an address's."""

    kind: str
    label: str
    detail: str
    x: float
    y: float
    territory: int
    grid_id: str | None = None
    code: str = ""


_ADDRESS = """
SELECT 'address', a.text,
       coalesce(nullif(c.name, ''), nullif(t.title, ''), t.name), ST_X(a.geom_3857), ST_Y(a.geom_3857),
       a.territory_id, bg.grid_id::text, a.code
FROM address a JOIN territory t ON t.id = a.territory_id
LEFT JOIN community c ON c.id = a.community_id
LEFT JOIN building_grid bg ON bg.building_id = a.building_id AND bg.publication_id = ANY(:publications)
WHERE a.territory_id = ANY(:territories) AND a.status = 'issued' AND a.valid_to IS NULL AND {condition}
ORDER BY {order} LIMIT :limit
"""

#: The address a code stands for: its own, or that in which it went up through any number of mergers.
_SURVIVOR = """a.id = (WITH RECURSIVE way(id, status, following, step) AS (
  SELECT id, status, successor_id, 0 FROM address WHERE code = :code
  UNION ALL SELECT n.id, n.status, n.successor_id, step + 1 FROM way JOIN address n ON n.id = way.following
  WHERE way.status = 'merged' AND step < 20)
SELECT id FROM way ORDER BY step DESC LIMIT 1)"""

_BY_CODE = text(_ADDRESS.format(condition=_SURVIVOR, order="a.id"))

#: An exact number first (12 before 12附3 and 112), then standard text beginning with what was typed, then shorter.
_BY_TEXT = text(
    _ADDRESS.format(
        condition="(a.text ILIKE :anywhere OR a.id IN "
        "(SELECT s.address_id FROM address_alias s WHERE s.text ILIKE :anywhere AND s.valid_to IS NULL))",
        order="a.text <> :wanted, a.text NOT ILIKE :ending, array_position(ARRAY['premise','building','entrance',"
        "'unit','floor','room'], a.level), length(a.text), a.text, a.id",
    )
)

_GRIDS = text(
    """
SELECT 'grid', g.name, concat_ws(' · ', g.code, nullif(coalesce(nullif(c.name, ''), g.community), '')),
       ST_X(g.label_3857), ST_Y(g.label_3857), p.territory_id, g.grid_id::text, ''
FROM grid_version g JOIN publication p ON p.id = g.publication_id LEFT JOIN community c ON c.id = g.community_id
WHERE p.id = ANY(:publications) AND p.territory_id = ANY(:territories)
  AND (g.name ILIKE :anywhere OR g.code ILIKE :anywhere)
ORDER BY lower(g.code) <> lower(:wanted) AND g.name <> :wanted, length(g.name), g.code LIMIT :limit
"""
)

_AREAS = """
SELECT '{kind}', a.name, coalesce(nullif(t.title, ''), t.name), ST_X(p.g), ST_Y(p.g), a.territory_id, NULL, ''
FROM {table} a JOIN territory t ON t.id = a.territory_id CROSS JOIN LATERAL ST_PointOnSurface(a.geom_3857) AS p(g)
WHERE a.present AND a.territory_id = ANY(:territories) AND ({condition})
ORDER BY a.name <> :wanted, length(a.name), a.name, a.id LIMIT :limit
"""

_COMMUNITIES = text(
    _AREAS.format(kind="community", table="community", condition="a.name ILIKE :anywhere OR a.code = :wanted")
)
_COMPOUNDS = text(
    _AREAS.format(
        kind="compound",
        table="compound",
        condition="a.name ILIKE :anywhere OR EXISTS (SELECT FROM unnest(a.aliases) x WHERE x ILIKE :anywhere)",
    )
)

_STREETS = text("""
SELECT 'street', s.name, min(coalesce(nullif(t.title, ''), t.name)), ST_X(p.g), ST_Y(p.g), s.territory_id, NULL, ''
FROM (SELECT name, territory_id, (array_agg(geom_3857 ORDER BY ST_Length(geom_3857) DESC, id))[1] AS longest
      FROM street WHERE territory_id = ANY(:territories) AND name ILIKE :anywhere AND name <> ''
      GROUP BY name, territory_id) s
JOIN territory t ON t.id = s.territory_id CROSS JOIN LATERAL ST_LineInterpolatePoint(s.longest, 0.5) AS p(g)
GROUP BY s.name, s.territory_id, p.g
ORDER BY s.name <> :wanted, length(s.name), s.name, s.territory_id LIMIT :limit
""")


def by_code(connection: Connection, code: str, territories: Sequence[int], publications: Sequence[int]) -> list[Hit]:
    """The address with a permanent code."""
    values = {"code": code, "territories": list(territories), "publications": list(publications), "limit": 1}
    return _hits(connection, _BY_CODE, values)


def by_text(
    connection: Connection, wanted: str, territories: Sequence[int], publications: Sequence[int], limit: int
) -> list[Hit]:
    """Grids, addresses, compounds, communities and streets whose name holds ``wanted``; each kind best first."""
    escaped = wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    values = {
        "wanted": wanted,
        "anywhere": f"%{escaped}%",
        "ending": f"%{escaped}",
        "territories": list(territories),
        "publications": list(publications),
        "limit": limit,
    }
    found: list[Hit] = []
    for statement in (_GRIDS, _STREETS, _COMPOUNDS, _COMMUNITIES, _BY_TEXT):
        found += _hits(connection, statement, values)
    return found


def _hits(connection: Connection, statement: Any, values: dict[str, Any]) -> list[Hit]:
    return [Hit(*row) for row in connection.execute(statement, values)]
