"""Reads grids that were drawn elsewhere: plan files, atoms with a ``grid`` column, any layer of polygons."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely

from data.gis_files import Table, layers_of, read_table
from gis.districting.carry import Drawn
from gis.errors import InputError
from gis.territory.check import check_coordinates
from gis.territory.crs import reproject
from gis.territory.model import Geometries, Ints, Texts

#: Columns that hold a grid's code, name, community, kind in layers of others; the first that is there counts.
CODE: Final = ("code", "grid_code", "grid", "编码", "网格编码", "网格编号", "编号", "gridcode")
NAME: Final = ("name", "grid_name", "名称", "网格名称", "gridname")
COMMUNITY: Final = ("community", "community_code", "社区编码", "社区", "sqbm")
KIND: Final = ("kind", "类型")
GRID_ID: Final = ("grid_id",)
#: Ends of the names of files that may hold such a layer.
READABLE: Final = (".gpkg", ".geojson", ".json", ".shp", ".fgb")


def read_drawn(path: str | Path, crs: str) -> Drawn:
    """The grids of a file, in ``crs``.

    A plan file gives its grids, its atoms and the grid of every building; a file whose layer ``atoms`` has a column
    ``grid`` gives those; of any other file the first layer of polygons is taken, one grid a code (or row).
    Raises :class:`InputError` where there is no such layer, a code is missing, or a polygon cannot be used.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError("input.missing_file", file=str(path))
    if not file.name.lower().endswith(READABLE):
        raise InputError("drawn.kind", file=file.name, kinds=", ".join(READABLE))
    names = {name.lower(): name for name in layers_of(file)}
    atoms = read_table(file, names["atoms"]) if "atoms" in names else None
    if atoms is not None and atoms.find("grid") is not None:
        grids = read_table(file, names["grids"]) if "grids" in names else None
        buildings = read_table(file, names["buildings"]) if grids is not None and "buildings" in names else None
        return _of_plan(file, crs, atoms, grids, buildings)
    for name in names.values():
        table = read_table(file, name)
        if (shapely.get_dimensions(table.geometry) == 2).any():
            return _of_layer(file, crs, table)
    raise InputError("drawn.no_polygons", file=file.name)


def has_micro(path: str | Path) -> bool:
    """Whether a file carries micro-grids 微网格 beside its grids."""
    return "micro_grids" in {name.lower() for name in layers_of(Path(path))}


def _of_plan(file: Path, crs: str, atoms: Table, grids: Table | None, buildings: Table | None) -> Drawn:
    of_atom = atoms.text("grid")
    if grids is None:
        found = list(dict.fromkeys(c for c in of_atom if c))
        code, name, kind, community, ids = _plain(found, of_atom, atoms)
    else:
        code, name, kind = grids.text("code"), grids.text("name"), grids.text("kind")
        community, ids = grids.text("community"), grids.text("grid_id")
    titles = None if grids is None or grids.find("community_name") is None else grids.text("community_name")
    place = {str(c): g for g, c in enumerate(code)}
    _refuse(file, code, place)
    if any(c and str(c) not in place for c in of_atom):
        lost = next(c for c in of_atom if c and str(c) not in place)
        raise InputError("drawn.unknown_grid", file=file.name, layer="atoms", grid=lost)
    inside = np.array([bool(c) for c in of_atom]) & (shapely.get_dimensions(atoms.geometry) == 2)
    shapes = _shapes(atoms.geometry[inside], atoms.crs, crs, "atoms")
    known: dict[str, int] = {}
    if buildings is not None:
        pairs = zip(buildings.text("source_id"), buildings.text("grid"), strict=True)
        known = {str(b): place[str(g)] for b, g in pairs if str(g) in place}
    return Drawn(code, name, kind, community, ids, shapes, _places(of_atom[inside], place), known, titles)


def _plain(found: list[str], of_atom: Texts, atoms: Table) -> tuple[Texts, Texts, Texts, Texts, Texts]:
    """Grids of which no more is known than which atoms they hold."""
    first = [int(np.flatnonzero(of_atom == c)[0]) for c in found]
    code, empty = np.array(found, object), np.full(len(found), "", object)
    return code, code.copy(), np.full(len(found), "residential", object), atoms.text("community")[first], empty


def _of_layer(file: Path, crs: str, table: Table) -> Drawn:
    keep = np.flatnonzero(shapely.get_dimensions(table.geometry) == 2)
    name = _column(table, NAME)[keep]
    own = _column(table, CODE)[keep]
    code = np.array([str(c or n) for c, n in zip(own, name, strict=True)], object)
    if not all(code):
        row = int(keep[[bool(c) for c in code].index(False)]) + 1
        raise InputError("drawn.no_code", file=file.name, layer=table.layer, row=row, columns=", ".join(CODE[:4]))
    found = list(dict.fromkeys(code))
    place = {str(c): g for g, c in enumerate(found)}
    first = np.array([list(code).index(c) for c in found], np.int64)
    kind = _column(table, KIND)[keep][first]
    return Drawn(
        code=np.array(found, object),
        name=np.array([n or c for n, c in zip(name[first], found, strict=True)], object),
        kind=np.array([k if k in ("dedicated", "rural") else "residential" for k in kind], object),
        community=_column(table, COMMUNITY)[keep][first],
        grid_id=_column(table, GRID_ID)[keep][first],
        shapes=_shapes(table.geometry[keep], table.crs, crs, table.layer),
        shape_grid=_places(code, place),
        buildings={},
    )


def _refuse(file: Path, code: Texts, place: dict[str, int]) -> None:
    if len(place) < len(code) or "" in place:
        twice = next((str(c) for i, c in enumerate(code) if place[str(c)] != i), "")
        raise InputError("drawn.code_twice", file=file.name, layer="grids", grid=twice)


def _column(table: Table, names: tuple[str, ...]) -> Texts:
    found = next((n for n in names if table.find(n) is not None), names[0])
    return table.text(found)


def _places(code: Any, place: dict[str, int]) -> Ints:
    return np.array([place[str(c)] for c in code], np.int64)


def _shapes(geometry: Geometries, crs: str, to_crs: str, layer: str) -> Geometries:
    """Valid polygons in the CRS of the atoms."""
    check_coordinates(geometry, crs, layer)
    moved = shapely.make_valid(reproject(shapely.make_valid(geometry), crs, to_crs, layer))
    return np.array([shapely.union_all([p for p in shapely.get_parts(g) if p.area > 0]) for g in moved], object)
