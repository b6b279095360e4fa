"""The city that is served: the project's synthetic one, laid on the map, with footprints, streets and land use."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from data.samples.city import City, make
from data.samples.city.homes import GATED, PARK, TOWER, VILLA, WALK_UP, WATER
from gis.territory.layers import make_atoms, make_barriers, make_buildings, make_sources, make_streets
from gis.territory.model import Floats, Geometries, Sources

#: Buildings of the full size; grids and streets follow from it.
BUILDINGS: Final = 100_000
#: Atoms the generator lays for every one asked for, by trial.
_ATOMS: Final = 1.16
#: Where the city lies: CGCS2000 / 3-degree Gauss-Krueger CM 114E, around Changsha.
CRS: Final = "EPSG:4547"
CORNER: Final = (395_000.0, 3_115_000.0)

_USE: Final = {VILLA: "house", WALK_UP: "apartments", TOWER: "apartments", GATED: "residential"}
_HIGHWAY: Final = ("", "residential", "secondary", "primary")
_NAMES: Final = "人民解放湘江芙蓉建设中山五一韶山劳动城南东风书院白沙青山迎宾远大万家朝阳" * 2


def city_sources(buildings: int = BUILDINGS, seed: int = 1) -> Sources:
    """A city of about so many buildings and a fifth as many streets, as if from a file with an ``atoms`` layer."""
    city = make(round(buildings / _ATOMS * 1.01), seed)
    rng = np.random.default_rng([seed, buildings, 7])
    ground = _placed(city.geometry)
    lived = np.flatnonzero((city.use != PARK) & (city.use != WATER))
    number = np.arange(len(lived))
    streets = np.argsort(-shapely.length(city.streets), kind="stable")[: buildings // 5]
    return make_sources(
        CRS,
        atoms=make_atoms(ground, city.households, block=[str(b) for b in city.block]),
        buildings=make_buildings(
            footprints(ground[lived], rng),
            source_id=[f"b{i}" for i in lived],
            use=[_USE[u] for u in city.use[lived]],
            name=[f"{i % 37 + 1}栋" if i % 5 == 0 else "" for i in number],
            households=city.households[lived],
        ),
        streets=make_streets(
            _placed(city.streets[streets]),
            source_id=[f"s{i}" for i in streets],
            highway=[_HIGHWAY[k] for k in city.street_class[streets]],
            name=[f"{_NAMES[2 * (i % 18) : 2 * (i % 18) + 2]}{i // 18 + 1}路" for i in range(len(streets))],
        ),
        barriers=_water(city, ground),
        digest=f"city {buildings} {seed}",
    )


def footprints(cells: Geometries, rng: np.random.Generator) -> Geometries:
    """A building in each cell: a rectangle along it, every second an L, every fiftieth around a court."""
    centre = shapely.get_coordinates(shapely.centroid(cells))
    corners = shapely.get_coordinates(shapely.get_exterior_ring(shapely.oriented_envelope(cells)))
    box = corners.reshape(len(cells), 5, 2)[:, :4]
    middle = box.mean(axis=1, keepdims=True)
    size = rng.uniform(0.45, 0.6, (len(cells), 1, 1))
    box = centre[:, None] + (box - middle) * size
    out = np.empty(len(cells), dtype=object)
    kind = np.where(np.arange(len(cells)) % 50 == 0, 2, np.arange(len(cells)) % 2)
    out[kind == 0] = shapely.polygons(box[kind == 0])
    out[kind == 1] = shapely.polygons(_angle(box[kind == 1]))
    court = centre[:, None] + (box - centre[:, None]) * 0.4
    ring = shapely.linearrings(court[kind == 2])
    out[kind == 2] = shapely.polygons(shapely.linearrings(box[kind == 2]), holes=ring[:, None])
    return out


def _angle(box: Floats) -> Floats:
    """An L of each (n, 4, 2) rectangle: a quarter taken from its third corner."""
    a, b, c, d = (box[:, k] for k in range(4))
    half_bc, half_cd = (b + c) / 2, (c + d) / 2
    return np.stack([a, b, half_bc, (a + c) / 2, half_cd, d], axis=1)


def _water(city: City, ground: Geometries) -> object:
    wet = ground[city.use == WATER]
    parts = shapely.get_parts(shapely.coverage_union_all(wet)) if len(wet) else np.empty(0, dtype=object)
    return make_barriers(parts, kind=["water"] * len(parts), name=["浏阳河"] * len(parts))


def _placed(shapes: Geometries) -> Geometries:
    """Shapes of the generator's plane moved to their place on the map."""

    def move(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return xy + np.array(CORNER)

    return np.asarray(shapely.transform(shapes, move), dtype=object)
