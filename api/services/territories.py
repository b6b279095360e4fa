"""Published territories and single grids, as the map's panel and card show them."""

from __future__ import annotations

import math
from datetime import date
from uuid import UUID

import numpy as np
import shapely

from api.answers import GridCard, Territories, Territory
from api.services.lookup.lookup import persons
from api.services.published import Published, degrees
from api.services.wording import bounds_sentence
from data.postgres.plans import ledgers, read_published
from data.postgres.plans.read_published import InForce
from gis.errors import NotFoundError


def territories(published: Published, limit: int = 100, after: int = 0) -> Territories:
    """Territories with a publication in force today, by id: ``limit`` of those behind ``after``."""
    standing = published.standing()
    rest = [(i, s) for i, s in zip(standing.infos, standing.snapshots, strict=True) if i.territory > after]
    page = rest[:limit]
    with published.reading() as connection:
        shares = read_published.shares(connection, [i.publication for i, _ in page])
    made = [_territory(i, len(s.grids), int(s.grids.households.sum()), shares[i.publication]) for i, s in page]
    more = f"/api/territories?limit={limit}&after={page[-1][0].territory}" if len(rest) > limit else None
    return Territories(made, more)


def _territory(info: InForce, grids: int, households: int, shares: tuple[float | None, float | None]) -> Territory:
    west, south, east, north = info.bounds
    lon, lat = degrees(np.array([west, east]), np.array([south, north]))
    return Territory(
        id=info.territory,
        name=info.title or info.name,
        title=info.title,
        bbox=(round(float(lon[0]), 7), round(float(lat[0]), 7), round(float(lon[1]), 7), round(float(lat[1]), 7)),
        attribution=info.attribution,
        grids=grids,
        households=households,
        in_range_share=shares[0],
        on_street_share=shares[1],
        crs=info.crs,
        valid_from=info.valid_from,
        version=info.publication,
        fictitious=info.fictitious,
        territory=info.name,
    )


def grid_card(published: Published, grid_id: str, as_of: date | None = None, language: str = "zh-CN") -> GridCard:
    """One grid as published on a day; unknown ids, and grids not in force that day, are not found."""
    try:
        wanted = str(UUID(grid_id))
    except ValueError:
        raise NotFoundError("grids.unknown", grid_id=grid_id[:40]) from None
    with published.reading() as connection:
        publication = read_published.publication_of_grid(connection, wanted, as_of)
        info = next((i for i in published.in_force(connection, as_of) if i.publication == publication), None)
        if info is None:
            raise NotFoundError("grids.unknown", grid_id=wanted)
        snapshot = published.snapshot(connection, info.publication, info.crs, info.revision)
        people = read_published.people(connection, info.day, [wanted]).get(wanted, [])
        bounds = read_published.bounds(connection, info.publication, wanted)
        duties = ledgers.duties(connection, info.publication, wanted).get(wanted, [])
    grids = snapshot.grids
    row = int(np.searchsorted(grids.grid_id.astype(str), wanted))
    share = float(grids.on_street_share[row])
    west, south, east, north = (round(float(v), 7) for v in snapshot.bounds_wgs84[row])
    lon, lat = degrees(*grids.label[row : row + 1].T)
    return GridCard(
        grid_id=wanted,
        code=grids.code[row],
        name=grids.name[row],
        kind=grids.kind[row],
        community=grids.community[row],
        community_code=grids.community_code[row],
        households=int(grids.households[row]),
        counted=int(grids.counted[row]),
        buildings=int(grids.buildings[row]),
        on_street_share=None if math.isnan(share) else share,
        compactness=float(grids.compactness[row]),
        area_m2=round(float(shapely.area(grids.geometry[row])), 1),
        bbox=(west, south, east, north),
        center=(round(float(lon[0]), 7), round(float(lat[0]), 7)),
        note=grids.note[row],
        people=persons(people),
        territory=info.territory,
        valid_from=info.valid_from,
        as_of=info.day,
        version=info.publication,
        bounds=bounds_sentence(bounds, language),
        streets=list(dict.fromkeys(d.street for d in duties if d.street)),
    )
