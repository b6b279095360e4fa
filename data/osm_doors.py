"""Whose doors and address points the nodes of an OpenStreetMap extract are."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Final

import numpy as np
import shapely

from gis.territory.model import Buildings, Geometries, Ints, MapDoors

#: Doors and address points this near to a building (degrees, about a metre) are its own.
ON_BUILDING: Final = 1e-5


def of_buildings(found: MapDoors, kinds: list[str], buildings: Buildings) -> MapDoors:
    """Doors and address points on or in a building, each with the smallest that has it.

    A number is said once a building (shops repeat it), by a door where one has it, and not where the building says it
    itself. A door without a number counts where it is the main or only one: of several nobody knows which is meant.
    """
    if not len(found) or not len(buildings):
        return found.take(np.zeros(len(found), dtype=bool))
    row = _building_of(found.geometry, buildings.geometry)
    numbered = found.housenumber != ""
    bare = Counter(row[~numbered].tolist())
    main = Counter(int(r) for r, kind in zip(row, kinds, strict=True) if kind == "main")
    said = {
        (k, _bare(n)): {str(s)} for k, (s, n) in enumerate(zip(buildings.street, buildings.housenumber, strict=True))
    }
    has_number = set(row[numbered].tolist())
    keep = []
    # doors before shops, those that name their street before those that do not
    for k in sorted(np.flatnonzero(row >= 0).tolist(), key=lambda k: (not kinds[k], found.street[k] == "", k)):
        r, street = int(row[k]), str(found.street[k])
        if numbered[k]:
            streets = said.setdefault((r, _bare(found.housenumber[k])), set())
            if not streets or (street and not streets & {street, ""}):
                keep.append(k)
            streets.add(street)
        elif r not in has_number and (bare[r] == 1 or (kinds[k] == "main" and main[r] == 1)):
            keep.append(k)
    chosen = np.array(sorted(keep), dtype=np.int64)
    return replace(found.take(chosen), building=buildings.source_id[row[chosen]])


def _bare(number: str) -> str:
    """A number as it is compared: 16 B and 16b are one."""
    return "".join(str(number).split()).casefold()


def _building_of(points: Geometries, footprints: Geometries) -> Ints:
    """The smallest building on or in which each point lies, -1 for none."""
    area = shapely.get_dimensions(footprints) == 2
    areas = footprints.copy()
    areas[~area] = None
    tree = shapely.STRtree(areas)
    point, row = tree.query(points, predicate="dwithin", distance=ON_BUILDING)
    found = np.full(len(points), -1, dtype=np.int64)
    order = np.lexsort((row, -shapely.area(footprints[row]), point))
    found[point[order]] = row[order]  # the smallest is written last
    return found
