"""Street and barrier classes: which lines enclose blocks, and how they rank as borders."""

from __future__ import annotations

from typing import Final

#: First level: these enclose blocks. Rank: the higher, the more a border wants to run there.
STREET_RANK: Final[dict[str, int]] = {
    "motorway": 9,
    "trunk": 9,
    "primary": 8,
    "secondary": 7,
    "tertiary": 6,
    "unclassified": 5,
    "residential": 5,
    "living_street": 4,
    "pedestrian": 4,
    "road": 4,
    "busway": 4,
    "motorway_link": 9,
    "trunk_link": 9,
    "primary_link": 8,
    "secondary_link": 7,
    "tertiary_link": 6,
}

#: Second level: these divide only blocks with more households than one grid may hold.
LANE_RANK: Final[dict[str, int]] = {
    "service": 3,
    "track": 2,
    "footway": 2,
    "path": 2,
    "cycleway": 2,
    "steps": 2,
    "bridleway": 2,
    "corridor": 2,
}

MAIN_STREETS: Final[frozenset[str]] = frozenset(
    {"motorway", "trunk", "primary", "secondary", "tertiary"}
    | {f"{k}_link" for k in ("motorway", "trunk", "primary", "secondary", "tertiary")}
)

#: OSM ``railway`` values read as barriers, when the way carries no ``service`` tag.
RAILWAYS: Final[frozenset[str]] = frozenset({"rail", "light_rail", "subway", "tram", "narrow_gauge"})

#: OSM ``waterway`` lines read as barriers; areas of ``natural=water`` and ``waterway=riverbank`` as well.
WATERWAYS: Final[frozenset[str]] = frozenset({"river", "canal", "stream"})

#: Classes that are no highway value.
BARRIER_KINDS: Final[tuple[str, ...]] = ("water", "rail", "wall")
COMMUNITY: Final = "community"
NONE: Final = "none"

#: Every class a border segment may have; arrays store the position in this tuple.
BORDER_CLASSES: Final[tuple[str, ...]] = (NONE, COMMUNITY, *BARRIER_KINDS, *STREET_RANK, *LANE_RANK)
CLASS_INDEX: Final[dict[str, int]] = {name: i for i, name in enumerate(BORDER_CLASSES)}

#: Why a border segment is where it is; arrays store the position in this tuple.
BASES: Final[tuple[str, ...]] = ("cell", "street", "barrier", "moved", "community")
BASIS_INDEX: Final[dict[str, int]] = {name: i for i, name in enumerate(BASES)}
