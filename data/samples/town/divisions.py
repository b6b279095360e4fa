"""Communities: an exact coverage made of whole faces, with official-style codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely

from data.samples.town.frame import Face
from data.samples.town.names import words
from data.samples.town.site import Site

#: Households a community is aimed at.
TARGET: Final = 2000
Cells = list[tuple[int, int]]


@dataclass(frozen=True)
class Community:
    """One community before it has a code: its faces, and its villager groups if it is a village."""

    shape: Any
    rural: bool
    name: str
    groups: list[tuple[str, Any]]


def households_of_cells(site: Site, faces: list[Face]) -> dict[tuple[int, int], int]:
    """Households in every lattice cell."""
    inner = [f for f in faces if f.cell is not None]
    found = which_face(site, inner)
    total = {f.cell: 0 for f in inner if f.cell is not None}
    for row, k in zip(site.town["buildings"].rows, found.tolist(), strict=True):
        if k >= 0:
            cell = inner[k].cell
            assert cell is not None
            total[cell] += row["households"]
    return total


def which_face(site: Site, shapes: list[Any]) -> Any:
    """For each building the position of the face or shape its centre lies in, -1 for none."""
    middles = shapely.point_on_surface(np.array(site.town["buildings"].geometry, dtype=object))
    tree = shapely.STRtree([getattr(s, "shape", s) for s in shapes])
    building, face = tree.query(middles, predicate="intersects")
    result = np.full(len(middles), -1)
    result[building[::-1]] = face[::-1]
    return result


def urban_communities(site: Site, faces: list[Face], river_row: int) -> list[Community]:
    """Cut each bank's cells into rectangles of about ``TARGET`` households; whole cells, never across the river."""
    weight = households_of_cells(site, faces)
    found = []
    for bank in (True, False):
        cells = [c for c in sorted(weight) if (c[1] >= river_row) == bank]
        count = max(1, round(sum(weight[c] for c in cells) / TARGET))
        for group in _split(cells, weight, count):
            members = set(group)
            shape = shapely.coverage_union_all([f.shape for f in faces if f.cell in members])
            found.append(Community(shape, False, site.names.draw("community"), []))
    return found


def _split(cells: Cells, weight: dict[tuple[int, int], int], count: int) -> list[Cells]:
    """Rectangles of cells: the straight cut that comes nearest to the wanted shares, again and again."""
    if count <= 1 or len(cells) < 2:
        return [cells]
    best: tuple[float, int, int, int] | None = None
    total = sum(weight[c] for c in cells)
    for axis in (0, 1):
        for line in sorted({c[axis] for c in cells})[1:]:
            low = sum(weight[c] for c in cells if c[axis] < line)
            first = int(np.clip(round(count * low / max(total, 1)), 1, count - 1))
            uneven = abs(low / first - total / count) + abs((total - low) / (count - first) - total / count)
            if best is None or (uneven, axis, line) < best[:3]:
                best = (uneven, axis, line, first)
    assert best is not None
    _, axis, line, first = best
    low_cells = [c for c in cells if c[axis] < line]
    high_cells = [c for c in cells if c[axis] >= line]
    return _split(low_cells, weight, first) + _split(high_cells, weight, count - first)


def write_communities(site: Site, communities: list[Community]) -> None:
    """Give codes, west to east and north to south, and fill communities, groups, divisions, and the buildings'."""
    w = words()
    county = w["county_code"]
    town = site.town
    urban = _reading_order([c for c in communities if not c.rural])
    rural = _reading_order([c for c in communities if c.rural])
    town["divisions"].add(None, code=county, name=w["county"], level="county", parent="")
    homes: list[Community] = []
    for k, some in enumerate(_shares(urban, 12)):
        code = f"{county}{k + 1:03d}"
        names = w["subdistricts"]
        _division(site, code, names[k] if k < len(names) else f"第{k + 1}街道", county)
        homes += _numbered(site, some, code, 1, "urban")
    for k, some in enumerate(_shares(rural, 20)):
        code = f"{county}{100 + k:03d}"
        names = w["towns"]
        _division(site, code, names[k] if k < len(names) else f"第{k + 1}镇", county)
        homes += _numbered(site, some, code, 201, "rural")
    _tell_buildings(site, homes)


def _shares(items: list[Community], size: int) -> list[list[Community]]:
    return [items[i : i + size] for i in range(0, len(items), size)]


def _division(site: Site, code: str, name: str, county: str) -> None:
    site.town["divisions"].add(None, code=code, name=name, level="town", parent=county)


def _numbered(site: Site, members: list[Community], parent: str, first: int, kind: str) -> list[Community]:
    for k, community in enumerate(members):
        code = f"{parent}{first + k:03d}"
        site.town["communities"].add(community.shape, code=code, name=community.name, kind=kind, division=parent)
        for g, (name, shape) in enumerate(community.groups, 1):
            site.town["villager_groups"].add(shape, code=f"{code}{g:02d}", name=name, community=code)
    return members


def _reading_order(items: list[Community]) -> list[Community]:
    """From north to south in bands, from west to east within each."""
    middle = [c.shape.representative_point() for c in items]
    return [items[k] for k in sorted(range(len(items)), key=lambda k: (-round(middle[k].y / 500), middle[k].x))]


def _tell_buildings(site: Site, communities: list[Community]) -> None:
    town = site.town
    rows = town["buildings"].rows
    found = which_face(site, [c.shape for c in communities])
    for row, k in zip(rows, found.tolist(), strict=True):
        row["community"] = town["communities"].rows[k]["code"] if k >= 0 else None
    if len(town["villager_groups"]):
        for row, k in zip(rows, which_face(site, town["villager_groups"].geometry).tolist(), strict=True):
            row["villager_group"] = town["villager_groups"].rows[k]["name"] if k >= 0 else None
    codes = town["communities"].column("code")
    for layer in ("compounds", "addresses"):
        shapes = [g if g.geom_type == "Point" else g.representative_point() for g in town[layer].geometry]
        item, community = shapely.STRtree(town["communities"].geometry).query(shapes, predicate="intersects")
        for i, c in zip(item[::-1].tolist(), community[::-1].tolist(), strict=True):
            town[layer].rows[i]["community"] = codes[c]
