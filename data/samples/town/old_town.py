"""The old core: crooked lanes, narrow shop houses wall to wall, and work-unit blocks between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from data.samples.town.compounds import fill_with_slabs
from data.samples.town.shapes import Cut, lots_along, polygons_only, smaller_pieces, without_overlaps
from data.samples.town.site import Front, Site, StreetLand

BLOCK_AREA = 5200.0
LANES = (("residential", "街"), ("living_street", "巷"), ("living_street", "巷"), ("footway", "里"))


def fill_old_face(site: Site, face: Any, streets: StreetLand) -> None:
    """Lanes and houses of one face of the old core."""
    rng = site.rng
    blocks, cuts = smaller_pieces(face, BLOCK_AREA, rng, wander=1.0)
    for cut in cuts:
        _lane(site, cut)
    lanes = StreetLand([c.shape for c in cuts], [LANES[min(c.depth, 3)][0] for c in cuts]) if cuts else None
    for block in blocks:
        ground = streets.ground(block, 2.0)
        ground = lanes.ground(ground, 0.3) if lanes else ground
        for plot in polygons_only(ground, 250):
            if plot.area > 2600 and rng.random() < 0.22:
                _work_unit(site, plot)
            else:
                _houses(site, plot)


def _lane(site: Site, cut: Cut) -> None:
    highway, suffix = LANES[min(cut.depth, len(LANES) - 1)]
    kind = "street" if suffix == "街" else "lane"
    site.street(cut.shape, highway, site.names.draw(kind, suffix))


def _houses(site: Site, plot: Any) -> None:
    """Rows of houses along the edge of one block, fronts to the lane, yards behind."""
    rng = site.rng
    ring = shapely.get_coordinates(shapely.orient_polygons(plot.simplify(1.2)).exterior)
    lots = lots_along(ring, rng, side=1, back=0.0, frontage=(6.5, 13.0), depth=(9.0, 15.0), vacant=0.09)
    inside = shapely.contains(plot.buffer(0.3), np.array([lot.shape for lot in lots], dtype=object))
    lots = [lot for lot, ok in zip(lots, inside, strict=True) if ok]
    for k in without_overlaps([lot.shape for lot in lots]):
        lot = lots[k]
        levels = int(rng.choice([1, 2, 3, 4], p=[0.2, 0.42, 0.28, 0.1]))
        shop = rng.random() < 0.3
        row = site.building(
            lot.shape, "retail" if shop and levels == 1 else "house", levels=levels, units=1, floors=levels,
            work_shops=float(shop), **_homes(site, levels, shop),
        )  # fmt: skip
        site.fronts.append(Front(lot.front, row, numbered=bool(rng.random() < 0.86)))


def _homes(site: Site, levels: int, shop: bool) -> dict[str, int]:
    homes = max(0, int(site.rng.integers(1, 3)) + (levels > 2) - (shop and levels == 1) * 3)
    return site.dwellings(homes, settled=0.9)


def _work_unit(site: Site, plot: Any) -> None:
    """A few walk-up slabs of the 1980s on a block of their own, without a wall."""
    name = site.names.draw("dormitory", "宿舍")
    rows = fill_with_slabs(site, plot.buffer(-4), name, units=(2, 3), floors=(4, 6), row_step=23.0, settled=0.86)
    if not rows:
        _houses(site, plot)
        return
    site.town["compounds"].add(plot, name=name, base_name=name, phase="", kind="work_unit")
    ends = np.asarray(shapely.get_coordinates(plot.exterior))
    site.fronts.append(Front((float(ends[0, 0]), float(ends[0, 1])), None, compound=name))
