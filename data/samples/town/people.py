"""Posts and the people who hold them. Names are invented; the duty phones use an area code that does not exist."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import shapely

from data.samples.town.names import words
from data.samples.town.site import Site

#: Counted households one full-time grid worker answers for.
A_WORKER: Final = 430
SINCE: Final = "2024-01-01"
POLICE: Final = "社区民警"


def fill_posts(site: Site) -> None:
    """A head of grids for every community, and one worker for about every ``A_WORKER`` households."""
    town = site.town
    buildings = town["buildings"]
    places = np.array([(p.x, p.y) for p in shapely.centroid(buildings.geometry)])
    code = np.array([row["community"] or "" for row in buildings.rows])
    homes = np.array([row["households"] or 0 for row in buildings.rows])
    for shape, community in zip(town["communities"].geometry, town["communities"].rows, strict=True):
        own = np.flatnonzero(code == community["code"])
        middle = shapely.point_on_surface(shape)
        for title in ("总网格长", POLICE):
            _appoint(site, title, community, "community", "community", community["name"], middle)
        count = max(1, round(homes[own].sum() / A_WORKER))
        for part in _parts(places[own], homes[own], count):
            kind, area = _area(site, [buildings.rows[own[k]] for k in part])
            at = shapely.Point(np.round(np.average(places[own[part]], axis=0), 2))
            _appoint(site, "专职网格员", community, "grid", kind, area, at)


def _parts(places: Any, homes: Any, count: int) -> list[Any]:
    """Positions cut into ``count`` parts of equal households, along the longer side each time."""
    if count <= 1 or len(places) < 2:
        return [np.arange(len(places))]
    axis = int(np.argmax(np.ptp(places, axis=0)))
    order = np.argsort(places[:, axis], kind="stable")
    share = np.cumsum(homes[order]) / max(1, homes.sum())
    half = count // 2
    cut = int(np.clip(np.searchsorted(share, half / count), 1, len(order) - 1))
    first, second = order[:cut], order[cut:]
    return [first[p] for p in _parts(places[first], homes[first], half)] + [
        second[p] for p in _parts(places[second], homes[second], count - half)
    ]


def _area(site: Site, rows: list[dict[str, Any]]) -> tuple[str, str]:
    """What the worker's area is called: the compound, villager group or street most of its households are in."""
    votes: dict[tuple[str, str], int] = {}
    for row in rows:
        for kind in ("compound", "villager_group", "street"):
            if row.get(kind):
                votes[kind, row[kind]] = votes.get((kind, row[kind]), 0) + (row["households"] or 0)
    if not votes:
        return "community", ""
    return max(sorted(votes), key=lambda key: votes[key])


def _appoint(
    site: Site, title: str, community: dict[str, Any], level: str, kind: str, area: str, at: Any
) -> None:  # fmt: skip
    town = site.town
    number = len(town["posts"]) + 1
    office = community["name"] + ("村委会" if community["kind"] == "rural" else "居委会")
    if title == POLICE:
        office = words()["county"] + "公安局"
    post = town["posts"].add(
        None, title=title, community=community["code"], level=level, phone=f"0000-{5550000 + number:07d}"
    )
    worker = town["workers"].add(None, name=site.names.draw("person"), organisation=office, phone=post["phone"])
    town["assignments"].add(
        at, worker=worker["source_id"], post=post["source_id"], community=community["code"], area_kind=kind,
        area=area, valid_from=SINCE,
    )  # fmt: skip
