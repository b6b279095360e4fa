"""The mistakes that real data has, a few of each, and a table that says where they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from data.samples.town.site import Site


def make_mistakes(site: Site) -> None:
    """Spoil a few features and list every one of them in the ``mistakes`` layer."""
    buildings, streets = site.town["buildings"], site.town["streets"]
    houses = [k for k, r in enumerate(buildings.rows) if r["use"] == "house" and r.get("housenumber")]
    pick = [houses[int(k)] for k in np.linspace(0, len(houses) - 1, 12).round()]
    _duplicate_footprint(site, pick[1])
    _self_crossing(site, pick[3])
    _across_street(site)
    _missing_households(site, [pick[5], pick[7]])
    _wrong_side(site, pick[9])
    _twice(site, houses, pick[2])
    lane = next(k for k, r in enumerate(streets.rows) if r["highway"] == "living_street")
    name = streets.rows[lane]["name"]
    note(site, "unnamed_street", "streets", streets.rows[lane], streets.geometry[lane], note=name)
    streets.rows[lane]["name"] = ""
    second = next(k for k, r in enumerate(streets.rows) if k > lane and r["highway"] == "residential" and r["name"])
    copy = dict(streets.rows[second])
    del copy["source_id"]
    added = streets.add(streets.geometry[second], **copy)
    original = streets.rows[second]["source_id"]
    note(site, "duplicate_street", "streets", added, streets.geometry[second], other=original)


def note(
    site: Site, kind: str, layer: str, row: dict[str, Any], shape: Any, *, other: str = "", note: str = ""
) -> None:
    """List one mistake; ``other`` is the feature it contradicts, ``note`` what would have been right."""
    at = shapely.get_coordinates(shape).mean(axis=0).round(2)
    site.town["mistakes"].add(
        shapely.Point(at), kind=kind, layer=layer, feature=row["source_id"], other=other, note=note
    )


def _duplicate_footprint(site: Site, k: int) -> None:
    buildings = site.town["buildings"]
    own = ("source_id", "housenumber", "street")
    copy = {key: value for key, value in buildings.rows[k].items() if key not in own}
    added = buildings.add(buildings.geometry[k], **copy)
    note(site, "duplicate_footprint", "buildings", added, buildings.geometry[k], other=buildings.rows[k]["source_id"])


def _self_crossing(site: Site, k: int) -> None:
    buildings = site.town["buildings"]
    ring = shapely.get_coordinates(buildings.geometry[k].exterior)
    buildings.geometry[k] = shapely.Polygon(ring[[0, 2, 1, 3, 0]])
    note(site, "self_crossing", "buildings", buildings.rows[k], buildings.geometry[k])


def _across_street(site: Site) -> None:
    """A large footprint drawn over a lane: a gate house or a careless mapper."""
    buildings, streets = site.town["buildings"], site.town["streets"]
    tree = shapely.STRtree(buildings.geometry)
    for k, row in enumerate(streets.rows):
        line = streets.geometry[k]
        if row["highway"] != "living_street" or line.length < 40:
            continue
        a, b = shapely.get_coordinates(shapely.line_interpolate_point(line, [0.5, 0.54], normalized=True))
        along = (b - a) / np.hypot(*(b - a))
        across = np.array([-along[1], along[0]]) * 9.0
        box = shapely.Polygon(np.round([a - across, a + across, a + across + along * 8, a - across + along * 8], 2))
        for other in tree.query(box, predicate="intersects").tolist():
            if buildings.geometry[other].is_valid and buildings.geometry[other].intersection(box).area > 0.3:
                break
        else:
            added = site.building(
                box,
                "house",
                levels=3,
                units=1,
                floors=3,
                community=_community_at(site, box),
                **site.dwellings(2, settled=0.9),
            )
            note(site, "across_street", "buildings", added, box, other=row["source_id"])
            return


def _community_at(site: Site, shape: Any) -> str:
    communities = site.town["communities"]
    inside = shapely.intersects(communities.geometry, shape.centroid)
    return str(communities.rows[int(np.argmax(inside))]["code"])


def _missing_households(site: Site, which: list[int]) -> None:
    buildings = site.town["buildings"]
    for k in which:
        row = buildings.rows[k]
        note(site, "missing_households", "buildings", row, buildings.geometry[k], note=str(row["households"]))
        row["households"] = row["occupied_households"] = row["dwellings"] = None


def _wrong_side(site: Site, k: int) -> None:
    """An even number among the odd ones."""
    buildings = site.town["buildings"]
    row = buildings.rows[k]
    right = int(row["housenumber"].removesuffix("号"))
    taken = {r.get("housenumber") for r in buildings.rows if r.get("street") == row["street"]}
    wrong = next(n for n in range(right + 1, right + 400, 2) if f"{n}号" not in taken)
    _renumber(site, row, f"{wrong}号")
    note(site, "wrong_side", "buildings", row, buildings.geometry[k], note=f"{right}号")


def _twice(site: Site, houses: list[int], first: int) -> None:
    """Two houses of one street with the same number."""
    buildings = site.town["buildings"]
    for k in [h for h in houses if h >= first]:
        row = buildings.rows[k]
        others = [buildings.rows[h] for h in houses if h != k and buildings.rows[h]["street"] == row["street"]]
        if others:
            number = row["housenumber"]
            shape, other = buildings.geometry[k], others[0]
            note(site, "same_number", "buildings", row, shape, other=other["source_id"], note=number)
            _renumber(site, row, other["housenumber"])
            return


def _renumber(site: Site, row: dict[str, Any], number: str) -> None:
    row["housenumber"] = number
    for address in site.town["addresses"].rows:
        if address.get("building") == row["source_id"] and address["kind"] == "door":
            address["housenumber"] = number
