"""The town as columns: one table a layer, geometry in EPSG:4547."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

#: CGCS2000 / 3-degree Gauss-Krueger CM 114E, easting and northing in metres.
CRS: Final = "EPSG:4547"
#: Where the main cross lies: about 113.0 E, 28.0 N.
CENTRE: Final = (401_700.0, 3_098_600.0)

# fmt: off
#: Columns of every layer: name -> kind, ``text``, ``int``, ``float`` or ``bool``. ``None`` is allowed in all.
LAYERS: Final[Mapping[str, Mapping[str, str]]] = {
    "communities": {"source_id": "text", "code": "text", "name": "text", "kind": "text", "division": "text"},
    "villager_groups": {"source_id": "text", "code": "text", "name": "text", "community": "text"},
    "compounds": {"source_id": "text", "name": "text", "base_name": "text", "phase": "text", "kind": "text",
                  "community": "text"},
    "streets": {
        "source_id": "text", "highway": "text", "name": "text", "bridge": "text", "tunnel": "text",
        "oneway": "text", "layer": "int", "junction": "text", "service": "text",
    },
    "barriers": {"source_id": "text", "kind": "text", "name": "text", "tunnel": "text"},
    "buildings": {
        "source_id": "text", "use": "text", "name": "text", "housenumber": "text", "street": "text",
        "households": "int", "occupied_households": "int", "dwellings": "int", "levels": "int", "height": "float",
        "units": "int", "floors": "int", "compound": "text", "community": "text", "villager_group": "text",
        "work_shops": "float", "work_organisations": "float",
    },
    "addresses": {
        "source_id": "text", "kind": "text", "building": "text", "street": "text", "housenumber": "text",
        "compound": "text", "block": "text", "unit": "text", "community": "text",
    },
    "landuse": {"source_id": "text", "kind": "text", "name": "text"},
    "divisions": {"source_id": "text", "code": "text", "name": "text", "level": "text", "parent": "text"},
    "workers": {"source_id": "text", "name": "text", "organisation": "text", "phone": "text"},
    "posts": {"source_id": "text", "title": "text", "community": "text", "level": "text", "phone": "text"},
    "assignments": {
        "source_id": "text", "worker": "text", "post": "text", "community": "text", "area_kind": "text",
        "area": "text", "valid_from": "text",
    },
    "mistakes": {
        "source_id": "text", "kind": "text", "layer": "text", "feature": "text", "other": "text", "note": "text",
    },
}
# fmt: on


@dataclass
class Table:
    """Rows of one layer in the order of the file; a layer without places has only ``None`` geometries."""

    layer: str
    geometry: list[Any] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, geometry: Any, **values: Any) -> dict[str, Any]:
        """Append one feature and number it: the row may still be filled in."""
        unknown = set(values) - set(LAYERS[self.layer])
        if unknown:
            raise KeyError(f"{self.layer} has no {sorted(unknown)}")
        row = {"source_id": f"{self.layer[:2]}{len(self.rows) + 1}", **values}
        self.geometry.append(geometry)
        self.rows.append(row)
        return row

    def column(self, name: str) -> list[Any]:
        """One column, ``None`` where it was not set."""
        return [row.get(name) for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[Any, dict[str, Any]]]:
        return iter(zip(self.geometry, self.rows, strict=True))


@dataclass
class Town:
    """Every layer by name, in the order of ``LAYERS``; the ``size`` that was asked for, in buildings."""

    seed: int
    size: int
    tables: dict[str, Table] = field(default_factory=lambda: {name: Table(name) for name in LAYERS})

    def __getitem__(self, layer: str) -> Table:
        return self.tables[layer]
