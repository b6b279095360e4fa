"""Three towns that border on one another, cut from one board and drawn each by itself: its own grids, its own CRS."""

from __future__ import annotations

import functools

import numpy as np
import pyproj
import shapely

#: Metre CRS of the towns; the board is drawn in the first.
CRS = ("EPSG:4547", "EPSG:32649", "EPSG:4546")
ORIGIN = np.array([394_000.0, 3_120_000.0])


def towns(seed: int, side: float, lines: int = 5) -> list[np.ndarray]:
    """Grids of three towns (metres on the board). Borders of grids meet a town's border elsewhere on either side."""
    rng = np.random.default_rng(seed)

    def wander(start, along, share, step):
        across = np.clip(start + np.cumsum(rng.uniform(-step, step, len(along))), 0.1 * side, 0.9 * side)
        xy = np.column_stack([along, across])
        return shapely.LineString(xy if share else xy[:, ::-1])

    border = wander(side / 2, np.linspace(0, side, 60), False, side / 80)
    middle = border.coords[30]
    other = shapely.LineString(
        [middle, *wander(middle[1], np.linspace(middle[0], side, 40)[1:], True, side / 80).coords]
    )
    square = shapely.box(0, 0, side, side)
    regions = shapely.get_parts(
        shapely.polygonize([shapely.union_all([square.exterior, border, other], grid_size=0.01)])
    )
    regions = sorted((r for r in regions if r.area > side), key=lambda r: r.centroid.coords[0])
    made = []
    for region in regions:
        drawn = [region.boundary]
        for k in range(1, lines + 1):
            for flip in (False, True):
                line = wander(k * side / (lines + 1), np.linspace(0, side, 30), flip, side / 60)
                drawn.append(shapely.intersection(line, region))
        faces = shapely.polygonize([shapely.union_all(drawn, grid_size=0.01)])
        made.append(np.array(shapely.get_parts(faces), dtype=object))
    return made


def drawn_in(areas: np.ndarray, crs: str, to: str | None = None) -> np.ndarray:
    """Areas of the board in another metre CRS, rounded to its 1 cm, and from there on in ``to``."""
    there, on = _between(CRS[0], crs), _between(crs, to or crs)

    def move(xy):
        return np.round(np.column_stack(there.transform(*(xy + ORIGIN).T)), 2)

    rounded = shapely.transform(areas, move)
    return np.asarray(shapely.transform(rounded, lambda xy: np.column_stack(on.transform(*xy.T))), dtype=object)


@functools.cache
def _between(crs: str, other: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(crs, other, always_xy=True)
