"""Makes the whole town, step by step, from one seed."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import shapely

from data.samples.town.divisions import Community, urban_communities, write_communities
from data.samples.town.frame import HALF_WIDTH, Frame, make_frame
from data.samples.town.mistakes import make_mistakes
from data.samples.town.model import Town
from data.samples.town.names import Names, words
from data.samples.town.numbering import number_doors
from data.samples.town.people import fill_posts
from data.samples.town.quarters import fill_faces, uses_of_cells
from data.samples.town.railway import add_railway_and_river, add_station
from data.samples.town.site import Site, StreetLand
from data.samples.town.villages import HOUSES_A_GROUP, fill_village, villages_of
from gis.progress import Progress, silent

#: Buildings an average superblock gets, and the least share of all buildings that stand in villages.
A_CELL: Final = 56
RURAL: Final = 0.34
SMALL: Final = 2400


def make_town(size: int = SMALL, seed: int = 1, *, progress: Progress = silent) -> Town:
    """A plausible Chinese county town of about ``size`` buildings.

    Deterministic: one seed and size give one town with one version of numpy and GEOS. Geometry is in
    EPSG:4547, on the 1 cm grid.
    """
    rng = np.random.default_rng([seed, size])
    names = Names(np.random.default_rng([seed, size, 1]))
    town = Town(seed, size)
    frame = make_frame(max(16, round(size * (1 - RURAL) / A_CELL)), rng, _street_names(names))
    site = Site(town, frame, names, rng)
    streets = _skeleton(site, frame)
    progress("town", 0.1)
    fill_faces(site, frame.faces, uses_of_cells(frame, frame.faces, rng), streets)
    progress("town", 0.6)
    communities = urban_communities(site, frame.faces, frame.river_row)
    add_station(site, streets)
    communities += _country(site, max(round(0.08 * size), size - len(town["buildings"])), streets)
    progress("town", 0.8)
    add_railway_and_river(site)
    number_doors(site)
    write_communities(site, communities)
    fill_posts(site)
    make_mistakes(site)
    progress("town", 1.0)
    return town


def _street_names(names: Names) -> dict[str, Any]:
    w = words()
    return {
        "main_column": w["main_streets"][0],
        "main_row": w["main_streets"][1],
        "ring": w["ring"],
        "riverside": w["riverside"],
        "street": lambda suffix: names.draw("street", suffix),
        "road": lambda: names.draw("street", "公路"),
    }


def _skeleton(site: Site, frame: Frame) -> StreetLand:
    """The streets of the skeleton, and the land they take."""
    shapes, classes = [], []
    for piece in frame.pieces:
        if piece.highway:
            bridge = {"bridge": "yes", "layer": 1} if piece.bridge else {}
            site.street(piece.shape, piece.highway, piece.name, **bridge)
            shapes.append(piece.shape)
            classes.append(piece.highway)
    assert set(classes) <= set(HALF_WIDTH)
    return StreetLand(shapes, classes)


def _country(site: Site, houses: int, streets: StreetLand) -> list[Community]:
    """Villages around the ring with about so many houses."""
    groups = max(12, round(houses / HOUSES_A_GROUP))
    villages = villages_of(site.frame.faces, groups)
    area = left = sum(f.shape.area for v in villages for f in v)
    found = []
    for village in villages:
        name = site.names.draw("village")
        own = sum(f.shape.area for f in village)
        before = len(site.town["buildings"])
        members = fill_village(site, village, name, round(houses * own / left), area / groups, streets)
        houses -= len(site.town["buildings"]) - before
        left -= own
        shape = shapely.coverage_union_all([g for _, g in members])
        found.append(Community(shape, True, name, members))
    return found
