"""Every name by which the buildings of a territory are known, for matching tables."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from data.postgres.imported.territories import Territory
from gis.territory.matching import Register


@dataclass(frozen=True)
class Known:
    """A building of the latest sources as a list shows it."""

    id: int
    source_id: str
    label: str
    households: int
    occupied: int | None


_BUILDINGS = """
SELECT b.id, b.source_id, b.name, b.street || b.housenumber AS door, b.households, b.counted,
       coalesce(p.name, '') AS compound, coalesce(c.name, '') AS community,
       coalesce(p.aliases, '{}') AS aliases
FROM building b LEFT JOIN compound p ON p.id = b.compound_id LEFT JOIN community c ON c.id = b.community_id
WHERE b.territory_id = :territory AND b.present ORDER BY b.position, b.id
"""

_ADDRESSES = """
SELECT a.building_id, a.text FROM address a
WHERE a.territory_id = :territory AND a.status = 'issued' AND a.level IN ('premise', 'building')
UNION SELECT a.building_id, x.text FROM address a JOIN address_alias x ON x.address_id = a.id
WHERE a.territory_id = :territory AND a.status = 'issued' AND a.level IN ('premise', 'building')
"""


def load(connection: Connection, territory: Territory) -> tuple[Register, list[Known]]:
    """The register, and the buildings whose positions it gives.

    A building is known by its door number, its standard addresses and their aliases, its own name, and its name
    after that of its compound or community: 翠湖公馆一期1栋.
    """
    addresses: dict[int, list[str]] = {}
    for building, spelling in connection.execute(text(_ADDRESSES), {"territory": territory.id}):
        addresses.setdefault(building, []).append(spelling)
    register = Register()
    known: list[Known] = []
    for row in connection.execute(text(_BUILDINGS), {"territory": territory.id}):
        compounds = [n for n in (row.compound, *row.aliases) if n]
        areas = [*compounds, *([row.community] if row.community else [])]
        full = [area + row.name for area in areas] if row.name else []
        doors = [row.door] if row.door.strip() else []
        spellings = [*doors, *[row.community + d for d in doors], *full, *addresses.get(row.id, [])]
        register.add(len(known), row.source_id, spellings, [row.name, *full])
        label = (full or doors or addresses.get(row.id) or [row.name])[0] or row.source_id
        known.append(Known(row.id, row.source_id, label, row.households, row.counted))
    return register, known
