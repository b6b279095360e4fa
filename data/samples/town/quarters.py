"""Which quarter goes where in the lattice, and the quarters that are neither old town nor compound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from data.samples.town.compounds import STYLES, fill_compound
from data.samples.town.frame import Face, Frame
from data.samples.town.old_town import fill_old_face
from data.samples.town.shapes import LocalFrame, boxes, polygons_only, smaller_pieces
from data.samples.town.site import Site, StreetLand

PARCEL_AREA: Final = 40_000.0
OLD_SHARE: Final = 0.17


def uses_of_cells(frame: Frame, faces: list[Face], rng: np.random.Generator) -> dict[tuple[int, int], str]:
    """``old``, ``park``, ``business_park`` or ``new`` for every cell inside the ring."""
    cells = sorted({f.cell for f in faces if f.cell is not None})
    middles = np.array([_middle(frame, c) for c in cells])
    away = np.hypot(middles[:, 0], middles[:, 1] * 1.2)
    away[middles[:, 1] < frame.rows[frame.river_row]] += 1e6  # the old town stands on the north bank
    order = np.argsort(away, kind="stable")
    count = max(4, round(OLD_SHARE * len(cells)))
    uses = {cells[i]: "old" for i in order[:count].tolist()}
    by_corner = sorted(cells, key=lambda c: (-(_middle(frame, c)[0] - 0.6 * _middle(frame, c)[1]), c))
    industry = [c for c in by_corner if c not in uses][: max(1, round(0.06 * len(cells)))]
    uses |= dict.fromkeys(industry, "business_park")
    banks = [c for c in cells if c[1] in (frame.river_row - 1, frame.river_row) and c not in uses]
    banks.sort(key=lambda c: (abs(_middle(frame, c)[0] + 330), c))
    uses |= dict.fromkeys(banks[: max(1, round(0.03 * len(cells)))], "park")
    return {c: uses.get(c, "new") for c in cells}


def _middle(frame: Frame, cell: tuple[int, int]) -> tuple[float, float]:
    i, j = cell
    return float(frame.columns[i] + frame.columns[i + 1]) / 2, float(frame.rows[j] + frame.rows[j + 1]) / 2


#: Parcels given to public uses, one each in turn over the new quarters: about one parcel in four.
PUBLIC: Final = ("school", "", "", "mall", "", "", "school", "", "hospital", "", "", "office", "", "")


def fill_faces(site: Site, faces: list[Face], uses: dict[tuple[int, int], str], streets: StreetLand) -> None:
    """Fill every face inside the ring."""
    turn = 0
    for face in faces:
        if face.cell is None:
            continue
        if face.strip:
            _bank(site, face)
        elif uses[face.cell] == "old":
            fill_old_face(site, face.shape, streets)
        elif uses[face.cell] == "park":
            _park(site, face.shape, streets)
        elif uses[face.cell] == "business_park":
            _business_park(site, face.shape, streets)
        else:
            turn = _new_quarter(site, face.shape, streets, turn)


def _bank(site: Site, face: Face) -> None:
    green = face.shape.difference(site.frame.river.buffer(2))
    for part in polygons_only(green, 300):
        site.town["landuse"].add(part, kind="green", name="")


def _new_quarter(site: Site, face: Any, streets: StreetLand, turn: int) -> int:
    """Cut a superblock into parcels; phases of one compound fill neighbouring ones."""
    rng = site.rng
    parcels, cuts = smaller_pieces(face, PARCEL_AREA, rng, wander=0.12)
    given = []
    for parcel in parcels:
        use = PUBLIC[turn % len(PUBLIC)]
        turn += 1
        if use and parcel.area > 28_000:
            parts, more = smaller_pieces(parcel, 0.5 * parcel.area, rng, wander=0.1)
            cuts += more
            given += [(parts[0], use), *((part, "") for part in parts[1:])]
        else:
            given.append((parcel, use))
    for cut in cuts:
        site.street(cut.shape, "residential", site.names.draw("street", str(rng.choice(["路", "街"]))))
    land = StreetLand(
        [*streets.around(face), *(c.shape for c in cuts)], [*streets.classes(face), *["residential"] * len(cuts)]
    )
    base = site.names.draw("compound")
    style = STYLES[int(rng.choice(len(STYLES), p=[0.36, 0.2, 0.28, 0.16]))]
    phase, number, goes_on = 1, 1, bool(rng.random() < 0.5)
    many = sum(not use for _, use in given) > 1
    for parcel, use in given:
        if use and parcel.area > 7000:
            SPECIAL[use](site, parcel, land)
            continue
        after = fill_compound(
            site, parcel, land, base=base, phase=phase if many else 0, style=style, first_number=number
        )
        if after > number:
            phase, number = phase + 1, after if goes_on else 1
        if phase > 3:
            base, phase, number = site.names.draw("compound"), 1, 1
            style = STYLES[int(rng.choice(len(STYLES)))]
    return turn


def _plot(parcel: Any, streets: StreetLand, more: float) -> Any:
    plots = polygons_only(streets.ground(parcel, more).simplify(0.8), 2000)
    return max(plots, key=lambda p: p.area) if plots else None


def _grid(
    site: Site, plot: Any, use: str, *, size: tuple[float, float], gap: tuple[float, float], levels: tuple[int, int],
    inset: float, most: int = 10_000, **more: Any,
) -> int:  # fmt: skip
    """Up to ``most`` equal footprints in a square grid on a plot; returns how many."""
    local = LocalFrame.of(plot)
    land = local.inward(plot).buffer(-inset)
    if land.is_empty:
        return 0
    west, south, east, north = land.bounds
    x, y = (
        a.ravel()
        for a in np.meshgrid(_steps(west, east, size[0], gap[0]), _steps(south, north, size[1], gap[1])[::-1])
    )
    shapes = boxes(x, y, np.full(len(x), size[0]), np.full(len(x), size[1])) if len(x) else []
    fitting = [s for s in shapes if land.contains(s)][:most]
    for shape in fitting:
        storeys = int(site.rng.integers(levels[0], levels[1] + 1))
        site.building(
            local.outward(shape), use, levels=storeys, units=1, floors=storeys, households=0, occupied_households=0,
            dwellings=0, **more,
        )  # fmt: skip
    return len(fitting)


def _steps(low: float, high: float, size: float, gap: float) -> NDArray[np.float64]:
    """Lower ends of as many things of one size as fit between two ends, gaps between them, in the middle."""
    count = int((high - low + gap) // (size + gap))
    start = low + (high - low - count * size - (count - 1) * gap) / 2
    return np.asarray(start + (size + gap) * np.arange(count), dtype=np.float64)


def _fit(
    site: Site, plots: list[Any], use: str, *, sizes: tuple[tuple[float, float], ...], **more: Any
) -> None:  # fmt: skip
    """The first size of footprint of which at least one finds room on the first plot that takes it."""
    for plot in plots:
        for size in sizes:
            if _grid(site, plot, use, size=size, **more):
                return


def _place(site: Site, plot: Any, kind: str, name: str, *, wall: bool) -> None:
    site.town["landuse"].add(plot, kind=kind, name=name)
    if wall:
        site.town["compounds"].add(plot, name=name, base_name=name, phase="", kind=kind)


def _school(site: Site, parcel: Any, streets: StreetLand) -> None:
    plot = _plot(parcel, streets, 4)
    if plot is None:
        return
    name = site.names.draw("school")
    _place(site, plot, "school", name, wall=True)
    local = LocalFrame.of(plot)
    land = local.inward(plot)
    west, south, east, north = land.bounds
    split = west + 0.48 * (east - west)
    field = land.intersection(shapely.box(split, south, east, north)).buffer(-12)
    at = field.centroid
    pitch = shapely.box(-30, -55, 30, 55) if north - south > 150 else shapely.box(-22, -38, 22, 38)
    if field.contains(shapely.transform(pitch, lambda p: p + np.array([at.x, at.y]))):
        site.town["landuse"].add(
            local.outward(shapely.transform(pitch, lambda p: p + np.array([at.x, at.y]))), kind="pitch", name=""
        )
    half = local.outward(land.intersection(shapely.box(west, south, split, north)))
    _fit(site, [half, plot], "school", sizes=((52, 14), (40, 12), (28, 12)), gap=(12, 26), levels=(4, 5), inset=5,
         most=6, name=name, work_organisations=1.0)  # fmt: skip


def _mall(site: Site, parcel: Any, streets: StreetLand) -> None:
    plot = _plot(parcel, streets, 4)
    if plot is None:
        return
    name = site.names.draw("mall")
    _place(site, plot, "commercial", name, wall=False)
    _fit(site, [plot], "commercial", sizes=((120, 90), (90, 70), (70, 52), (52, 40), (36, 24)), gap=(26, 26),
         levels=(4, 6), inset=9, most=2, name=name, work_shops=120.0)  # fmt: skip


def _hospital(site: Site, parcel: Any, streets: StreetLand) -> None:
    plot = _plot(parcel, streets, 4)
    if plot is not None:
        name = site.names.draw("hospital")
        _place(site, plot, "hospital", name, wall=True)
        _fit(site, [plot], "hospital", sizes=((64, 20), (48, 18), (32, 16)), gap=(20, 28), levels=(6, 15), inset=9,
             most=5, name=name, work_organisations=2.0)  # fmt: skip


def _office(site: Site, parcel: Any, streets: StreetLand) -> None:
    plot = _plot(parcel, streets, 4)
    if plot is not None:
        name = site.names.draw("office")
        _place(site, plot, "office", name, wall=False)
        _fit(site, [plot], "office", sizes=((72, 18), (54, 16), (36, 14)), gap=(22, 30), levels=(5, 12), inset=10,
             most=4, name=name, work_organisations=8.0)  # fmt: skip


SPECIAL: Final[dict[str, Callable[[Site, Any, StreetLand], None]]] = {
    "school": _school,
    "mall": _mall,
    "hospital": _hospital,
    "office": _office,
}


def _business_park(site: Site, face: Any, streets: StreetLand) -> None:
    """Large halls on service roads, one compound."""
    parcels, cuts = smaller_pieces(face, 30_000, site.rng)
    name = site.names.draw("business_park")
    for cut in cuts:
        site.street(cut.shape, "service", "")
    land = StreetLand([*streets.around(face), *(c.shape for c in cuts)],
                      [*streets.classes(face), *["service"] * len(cuts)])  # fmt: skip
    ground = _plot(face, streets, 3)
    if ground is not None:
        _place(site, ground, "business_park", name, wall=True)
    for parcel in parcels:
        plot = _plot(parcel, land, 4)
        if plot is not None:
            size = [(62.0, 38.0), (84.0, 46.0), (46.0, 30.0)][int(site.rng.integers(3))]
            _grid(site, plot, "industrial", size=size, gap=(16, 18), levels=(1, 5), inset=6, name=name,
                  work_organisations=float(site.rng.integers(1, 6)))  # fmt: skip


def _park(site: Site, face: Any, streets: StreetLand) -> None:
    """Lawn, pond, crossing footways and two pavilions."""
    plot = _plot(face, streets, 2)
    if plot is None:
        return
    name = site.names.draw("park")
    _place(site, plot, "park", name, wall=False)
    _, cuts = smaller_pieces(face, 22_000, site.rng, wander=1.6)
    paths = shapely.union_all([c.shape for c in cuts]) if cuts else shapely.GeometryCollection()
    for cut in cuts:
        site.street(cut.shape, "footway", "")
    room = plot.buffer(-22).difference(paths.buffer(9))
    parts = sorted(polygons_only(room, 900), key=lambda p: -p.area)
    if parts:
        pond = parts[0].buffer(-6).buffer(-6, join_style="round").buffer(6).simplify(0.8)
        for water in polygons_only(shapely.set_precision(pond, 0.01), 200):
            site.town["barriers"].add(water, kind="water", name="")
    for part in parts[1:3]:
        at = np.round(shapely.get_coordinates(part.representative_point())[0], 2)
        site.building(shapely.box(*(at - 5), *(at + 5)), "pavilion", levels=1, units=0, floors=1, households=0,
                      occupied_households=0, dwellings=0, name="亭")  # fmt: skip
