"""Reads what a GeoPackage says of an administration: divisions, staff with their posts, doors of buildings.

Layers (all optional): ``divisions`` (code, name, level, parent), ``workers`` (source_id, name, organisation, phone),
``posts`` (source_id, title, community, level, phone), ``assignments`` (worker, post, valid_from; a point where the
work lies, if known), ``addresses`` (a point each; building, and unit where the door is one's: 2单元; or compound for
its gates; street and housenumber where it carries them).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyogrio
import shapely

from data.postgres.imported.people import Member
from gis.errors import InputError
from gis.territory.crs import reproject

#: What a post's title says of its role; the first word that is contained counts, else ``worker``.
ROLES: Final[tuple[tuple[str, str], ...]] = (
    ("总网格长", "leader"),
    ("网格长", "leader"),
    ("微网格", "steward"),
    ("楼栋长", "steward"),
    ("民警", "cadre"),
    ("督导", "supervisor"),
)
LEVELS: Final = ("province", "city", "county", "town", "community", "group")


@dataclass(frozen=True)
class Division:
    """An administrative division; ``parent`` is a code or ""."""

    code: str
    name: str
    level: str
    parent: str


@dataclass(frozen=True)
class Entrance:
    """A door: the source id of its building, its name ("" where the building has one), a point.

    The gate of a compound has no building but the compound's name. ``street`` and ``housenumber``: what it carries.
    """

    building: str
    name: str
    place: Any
    compound: str = ""
    street: str = ""
    housenumber: str = ""


def read_divisions(path: Path) -> list[Division]:
    """The ``divisions`` layer of a GeoPackage, parents first."""
    rows = _rows(path, "divisions")
    found = [Division(r["code"], r["name"], r["level"], r.get("parent", "")) for r, _ in rows]
    for number, division in enumerate(found):
        if division.level not in LEVELS:
            raise InputError(
                "store.division_level",
                layer="divisions",
                row=number + 1,
                level=division.level,
                known=", ".join(LEVELS),
            )
    return sorted(found, key=lambda d: LEVELS.index(d.level))


def read_staff(path: Path, crs: str) -> list[Member]:
    """Everyone with a post, one entry an assignment; places are moved to ``crs``."""
    workers = {r["source_id"]: r for r, _ in _rows(path, "workers")}
    posts = {r["source_id"]: r for r, _ in _rows(path, "posts")}
    members = []
    for number, (row, place) in enumerate(_rows(path, "assignments", crs)):
        worker, post = workers.get(row["worker"]), posts.get(row["post"])
        if worker is None or post is None:
            missing = row["worker"] if worker is None else row["post"]
            raise InputError("store.assignment_of_nobody", layer="assignments", row=number + 1, missing=missing)
        members.append(
            Member(
                staff_id=worker["source_id"],
                name=worker["name"],
                organisation=worker["organisation"],
                phone=post["phone"] or worker["phone"],
                post=post["source_id"],
                title=post["title"],
                role=role_of(post["title"]),
                community=row.get("community") or post["community"],
                since=_date(row["valid_from"], number),
                place=place,
            )
        )
    return members


def read_entrances(path: Path, crs: str) -> list[Entrance]:
    """The ``addresses`` that are doors of a building or gates of a compound; places are moved to ``crs``.

    Of a building the first door of each name, of a compound the first gate of each name and number.
    """
    found: dict[tuple[str, ...], Entrance] = {}
    for row, place in _rows(path, "addresses", crs):
        if not isinstance(place, shapely.Point) or place.is_empty:
            continue
        building, name = row.get("building", ""), row.get("unit", "") or row.get("name", "")
        compound, carried = row.get("compound", ""), (row.get("street", ""), row.get("housenumber", ""))
        if building:
            found.setdefault((building, name), Entrance(building, name, place, "", *carried))
        elif compound:
            found.setdefault(("", compound, name, *carried), Entrance("", name, place, compound, *carried))
    return list(found.values())


def role_of(title: str) -> str:
    """The role that a post's title tells."""
    return next((role for word, role in ROLES if word in title), "worker")


def _date(value: str, number: int) -> date:
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        raise InputError("store.bad_date", layer="assignments", row=number + 1, value=value) from None


def _rows(path: Path, layer: str, crs: str | None = None) -> list[tuple[Mapping[str, str], Any]]:
    """Rows of a layer as texts, with their geometry (None where there is none); [] where the layer is missing."""
    if path.suffix.lower() != ".gpkg" or layer not in {str(name) for name in pyogrio.list_layers(path)[:, 0]}:
        return []
    meta, _, shapes, columns = pyogrio.raw.read(path, layer=layer)
    geometry = np.full(len(columns[0]), None, dtype=object)
    if shapes is not None and crs is not None:
        geometry = np.asarray(shapely.from_wkb(shapes), dtype=object)
        known = ~shapely.is_missing(geometry)
        geometry[known] = reproject(geometry[known], meta["crs"], crs, layer)
    names = list(meta["fields"])
    rows = zip(*columns, strict=True)
    plain = [{n: "" if v is None or v != v else str(v) for n, v in zip(names, row, strict=True)} for row in rows]  # noqa: PLR0124
    return list(zip(plain, geometry, strict=True))
