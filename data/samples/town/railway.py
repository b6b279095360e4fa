"""River and railway as barriers, and the station on the town's side of the line."""

from __future__ import annotations

import numpy as np
import shapely

from data.samples.town.names import words
from data.samples.town.shapes import LocalFrame
from data.samples.town.site import Site, StreetLand


def add_railway_and_river(site: Site) -> None:
    """The river as an area and as a line, the railway as a line."""
    w = words()
    frame, barriers = site.frame, site.town["barriers"]
    barriers.add(frame.river, kind="water", name=w["river"])
    barriers.add(frame.river_line, kind="water", name=w["river"])
    barriers.add(frame.railway, kind="rail", name=w["railway"])


def add_station(site: Site, streets: StreetLand) -> None:
    """Station, forecourt and its street, beside the line where the eastern main road comes by."""
    w = words()
    rail = site.frame.railway
    town = site.frame.warp(np.array([[site.frame.columns[-1], 0.0]]))[0]
    roads = [
        road
        for road, highway in zip(streets.around(rail), streets.classes(rail), strict=True)
        if highway == "primary"
    ]
    if not roads:
        return
    crossing = shapely.line_locate_point(rail, roads[0].intersection(rail).centroid)
    at = shapely.line_interpolate_point(rail, crossing + 130)
    ahead = shapely.line_interpolate_point(rail, crossing + 131)
    angle = float(np.arctan2(ahead.y - at.y, ahead.x - at.x))
    local = LocalFrame(np.array([at.x, at.y]), angle)
    side = 1 if shapely.transform(shapely.Point(town), local.inward_points).y > 0 else -1
    hall = shapely.box(-38, 13, 38, 32)
    court = shapely.box(-45, 34, 45, 78)
    platform = shapely.box(-110, 4, 110, 9)
    if side < 0:
        hall, court, platform = (shapely.transform(s, lambda p: p * [1, -1]) for s in (hall, court, platform))
    hall, court, platform = (local.outward(s) for s in (hall, court, platform))
    none = {"households": 0, "occupied_households": 0, "dwellings": 0}
    site.building(
        hall, "train_station", levels=2, units=1, floors=2, name=w["station"], work_organisations=1.0, **none
    )
    site.town["landuse"].add(court, kind="square", name=w["station"] + "站前广场")
    site.town["landuse"].add(platform, kind="platform", name="")
    vertices = shapely.get_coordinates(roads[0])[1:-1]
    middle = court.centroid
    start = vertices[int(np.argmin(np.hypot(*(vertices - [middle.x, middle.y]).T)))]
    street = shapely.LineString(np.round([start, [middle.x, middle.y]], 2))
    site.street(street, "tertiary", w["station_street"])
    site.reserved.append(shapely.union_all([hall, court, platform]).convex_hull.buffer(18))
    site.reserved.append(street.buffer(16))
