"""Reads GeoPackages (and a territory from any file GDAL knows) into the columns of the input.

Layers and columns are those of the contract; names are matched without regard to case, and the spellings of
OpenStreetMap exports are understood. Each layer may have its own CRS: all come out in that of the first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyogrio
import pyproj
import shapely
from numpy.typing import NDArray

from data.osm import metres, number
from gis.errors import InputError
from gis.progress import Progress, silent
from gis.territory.check import check_coordinates
from gis.territory.crs import reproject
from gis.territory.layers import (
    make_areas,
    make_atoms,
    make_barriers,
    make_buildings,
    make_sites,
    make_sources,
    make_streets,
    texts,
)
from gis.territory.model import Exclusion, Floats, Geometries, GivenAtoms, Sites, Sources, Texts
from gis.territory.sites import kind_of_word

LAYERS: Final = ("buildings", "streets", "barriers", "compounds", "villager_groups", "communities", "atoms")
#: Layers in which places without residents are looked for by their ``kind``, the first that has any; the CRS of the
#: input is never taken from them.
SITE_LAYERS: Final = ("sites", "landuse", "compounds")

#: column of ours -> spellings accepted, the first that the layer has is read
SPELLINGS: Final[dict[str, tuple[str, ...]]] = {
    "source_id": ("source_id", "osm_id"),
    "use": ("use", "building", "kind_detail"),
    "housenumber": ("housenumber", "addr:housenumber", "addr_housenumber"),
    "street": ("street", "addr:street", "addr_street"),
    "dwellings": ("dwellings", "building:flats", "building_flats"),
    "levels": ("levels", "building:levels", "building_levels"),
    "bridge": ("bridge", "is_bridge"),
    "tunnel": ("tunnel", "is_tunnel"),
    "highway": ("highway", "fclass"),
}
_KINDS: Final[dict[str, str]] = {
    "water": "water", "river": "water", "canal": "water", "stream": "water", "lake": "water",
    "riverbank": "water", "reservoir": "water", "basin": "water", "coastline": "water", "pond": "water",
    "rail": "rail", "railway": "rail", "light_rail": "rail", "subway": "rail", "tram": "rail", "narrow_gauge": "rail",
    "wall": "wall", "walls": "wall", "fence": "wall", "city_wall": "wall", "retaining_wall": "wall",
}  # fmt: skip
_NO: Final = frozenset({"", "no", "false", "0", "0.0", "none", "f"})


@dataclass(frozen=True)
class Table:
    """One layer as read: geometries and raw columns by lower-case name."""

    layer: str
    crs: str
    geometry: Geometries
    fids: NDArray[np.int64]
    columns: dict[str, NDArray[Any]]

    def find(self, name: str) -> NDArray[Any] | None:
        """The column of ours called ``name`` in any of its spellings, None where the layer has none."""
        return next((self.columns[s] for s in SPELLINGS.get(name, (name,)) if s in self.columns), None)

    def text(self, name: str) -> Texts:
        """A text column; missing values are ""."""
        found = self.find(name)
        return texts([""] * len(self.fids) if found is None else [_text(v) for v in found])

    def flag(self, name: str) -> NDArray[np.bool_]:
        """A yes/no column written in any of the usual ways."""
        return np.array([v.lower() not in _NO for v in self.text(name)], dtype=bool)

    def number(self, name: str, parse: Callable[[str], float] = number) -> Floats:
        """A numeric column; text is read by ``parse``; missing values are NaN."""
        found = self.find(name)
        if found is None:
            return np.full(len(self.fids), np.nan)
        if found.dtype.kind in "iufb":
            return found.astype(np.float64)
        return np.array([parse(_text(v)) for v in found], dtype=np.float64)

    def count(self, name: str) -> Floats:
        """A numeric column in which text that is no number is a fault of the input."""

        def strict(value: str) -> float:
            try:
                return float(value) if value.strip() else float("nan")
            except ValueError:
                raise InputError("input.not_a_number", layer=self.layer, column=name, value=value) from None

        return self.number(name, strict)

    def ids(self) -> Texts:
        """``source_id``, else ``osm_id``, else the feature id; a row without a value takes its feature id."""
        found = next((self.columns[s] for s in SPELLINGS["source_id"] if s in self.columns), None)
        own = [str(f) for f in self.fids]
        return texts(own if found is None else [_text(v) or f"fid:{f}" for v, f in zip(found, own, strict=True)])


def _text(value: Any) -> str:
    if value is None or value != value:  # noqa: PLR0124 - NaN is the only value unlike itself
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def read_table(path: Path, layer: str) -> Table:
    """One layer of a file, geometries flat (no Z) and as the file has them, None where unreadable."""
    try:
        meta, fids, wkb, columns = pyogrio.raw.read(path, layer=layer, return_fids=True, force_2d=True)
    except UnicodeDecodeError:
        raise InputError("input.encoding", file=path.name, layer=layer, row=_row_not_utf8(path, layer)) from None
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, RuntimeError, ValueError) as error:
        raise InputError("input.unreadable", file=path.name, detail=_line(error)) from None
    if wkb is None:
        raise InputError("input.no_geometry", file=path.name, layer=layer)
    named = {str(n).lower(): c for n, c in zip(meta["fields"], columns, strict=True)}
    crs = meta["crs"] or ""
    if len(wkb) and not _names_itself(crs):
        raise InputError("input.no_crs", file=path.name, layer=layer)
    return Table(layer, crs, shapely.from_wkb(wkb, on_invalid="ignore"), fids.astype(np.int64), named)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _names_itself(crs: str) -> bool:
    if not crs:
        return False
    known = pyproj.CRS.from_user_input(crs)
    return known.is_geographic or known.is_projected or known.is_compound


def _row_not_utf8(path: Path, layer: str) -> str:
    """Row of the first text in a GeoPackage table that is not UTF-8, "?" where it cannot be said."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            connection.text_factory = bytes
            quoted = '"' + layer.replace('"', '""') + '"'
            for count, row in enumerate(connection.execute(f"SELECT rowid, * FROM {quoted}"), start=1):  # noqa: S608
                for value in row[1:]:
                    try:
                        if isinstance(value, bytes) and not value.startswith(b"GP"):
                            value.decode("utf-8")
                    except UnicodeDecodeError:
                        return str(row[0] or count)
    except sqlite3.Error:
        return "?"
    return "?"


def _usable(table: Table, dims: Sequence[int], layer: str, excluded: list[Exclusion]) -> NDArray[np.bool_]:
    """Rows that hold a geometry of one of ``dims`` dimensions; the others are listed with their reason."""
    ids = table.ids()
    missing = shapely.is_missing(table.geometry)
    empty = ~missing & shapely.is_empty(table.geometry)
    wrong = ~missing & ~empty & ~np.isin(shapely.get_dimensions(table.geometry), dims)
    wrong |= ~missing & (shapely.get_type_id(table.geometry) == 7)
    for reason, rows in (("no_geometry", missing), ("empty", empty), ("wrong_geometry", wrong)):
        excluded += [Exclusion(layer, ids[i], reason, _given(table, int(i))) for i in np.flatnonzero(rows)]
    return ~(missing | empty | wrong)


def _given(table: Table, row: int) -> int:
    value = table.columns.get("households")
    if value is None or value.dtype.kind not in "iuf" or not np.isfinite(float(value[row])):
        return 0
    return int(value[row])


def _exploded(table: Table, keep: NDArray[np.bool_]) -> tuple[Geometries, NDArray[np.int64]]:
    """Single lines of the kept rows, with the row each came from."""
    rows = np.flatnonzero(keep)
    parts, owner = shapely.get_parts(table.geometry[rows], return_index=True)
    return parts, rows[owner]


def _streets(table: Table, excluded: list[Exclusion]) -> Any:
    geometry, rows = _exploded(table, _usable(table, (1,), "streets", excluded))
    highway = table.text("highway")
    highway[highway == ""] = "residential"
    levels = np.nan_to_num(table.number("layer", _signed)).astype(np.int64)
    return make_streets(
        geometry,
        source_id=table.ids()[rows],
        highway=highway[rows],
        name=table.text("name")[rows],
        bridge=table.flag("bridge")[rows],
        tunnel=table.flag("tunnel")[rows],
        oneway=table.flag("oneway")[rows],
        layer=levels[rows],
        junction=table.text("junction")[rows],
        service=table.text("service")[rows],
    )


def _signed(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return float("nan")


def _barriers(table: Table, excluded: list[Exclusion]) -> Any:
    keep = _usable(table, (1, 2), "barriers", excluded)
    kinds = table.text("kind")
    for other in ("natural", "waterway", "railway", "barrier"):
        kinds = texts([k or v for k, v in zip(kinds, table.text(other), strict=True)])
    kinds = texts([_KINDS.get(k.lower(), "") for k in kinds])
    unknown = keep & (kinds == "")
    excluded += [Exclusion("barriers", table.ids()[i], "unknown_kind") for i in np.flatnonzero(unknown)]
    rows = np.flatnonzero(keep & ~unknown)
    lines = shapely.get_dimensions(table.geometry[rows]) == 1
    parts, owner = shapely.get_parts(table.geometry[rows[lines]], return_index=True)
    geometry = np.concatenate([table.geometry[rows[~lines]], parts])
    rows = np.concatenate([rows[~lines], rows[lines][owner]])
    return make_barriers(
        geometry,
        source_id=table.ids()[rows],
        kind=kinds[rows],
        name=table.text("name")[rows],
        tunnel=table.flag("tunnel")[rows],
    )


def _buildings(table: Table, excluded: list[Exclusion]) -> Any:
    keep = _usable(table, (0, 2), "buildings", excluded)
    work = {k: table.count(k)[keep] for k in table.columns if k.startswith("work_")}
    return make_buildings(
        table.geometry[keep],
        work=work,  # type: ignore[arg-type]
        source_id=table.ids()[keep],
        use=table.text("use")[keep],
        name=table.text("name")[keep],
        housenumber=table.text("housenumber")[keep],
        street=table.text("street")[keep],
        households=table.count("households")[keep],
        occupied_households=table.count("occupied_households")[keep],
        dwellings=table.number("dwellings")[keep],
        levels=table.number("levels")[keep],
        height=table.number("height", metres)[keep],
        units=table.number("units")[keep],
        floors=table.number("floors")[keep],
    )


def _areas(table: Table, excluded: list[Exclusion]) -> Any:
    keep = _usable(table, (2,), table.layer, excluded)
    return make_areas(
        table.geometry[keep],
        source_id=table.ids()[keep],
        code=table.text("code")[keep],
        name=table.text("name")[keep],
    )


def _atoms(table: Table) -> GivenAtoms:
    """Taken as they are: nothing is excluded, what is wrong is a fault of the whole input."""
    ids = table.ids()
    counts = table.count("households")
    for i in np.flatnonzero(~np.isfinite(counts)):
        raise InputError("input.atom_households", layer="atoms", row=ids[i])
    for i in np.flatnonzero((counts < 0) | (counts != np.floor(counts))):
        raise InputError("input.households", layer="atoms", row=ids[i], column="households", value=f"{counts[i]:g}")
    bad = shapely.is_missing(table.geometry) | (shapely.get_dimensions(table.geometry) != 2)
    for i in np.flatnonzero(bad):
        raise InputError("input.atoms_geometry", layer="atoms", row=ids[i])
    geometry = table.geometry.copy()
    one = (shapely.get_type_id(geometry) == 6) & (shapely.get_num_geometries(geometry) == 1)
    geometry[one] = shapely.get_geometry(geometry[one], 0)
    return make_atoms(
        geometry,
        counts.astype(np.int64),
        source_id=list(ids),
        block=list(table.text("block")),
        community=list(table.text("community")),
        work=table.number("work"),
    )


def layers_of(path: Path) -> list[str]:
    """Names of the layers of a file; :class:`InputError` when GDAL cannot read it."""
    try:
        return [str(name) for name in pyogrio.list_layers(path)[:, 0]]
    except (pyogrio.errors.DataSourceError, RuntimeError, ValueError) as error:
        raise InputError("input.unreadable", file=path.name, detail=_line(error)) from None


def read_geopackage(path: str | Path, *, progress: Progress = silent) -> Sources:
    """Read every layer of the contract from a GeoPackage, all in the CRS of its first layer.

    Raises :class:`InputError` for a file that is no GeoPackage, layers without a CRS, or values that are no numbers.
    """
    file = Path(path)
    names = {n.lower(): n for n in layers_of(file)}
    wanted = [name for name in LAYERS if name in names]
    if not wanted:
        raise InputError("input.no_layers", file=file.name, layers=", ".join(LAYERS), found=", ".join(names) or "-")
    tables: dict[str, Table] = {}
    for count, name in enumerate(wanted):
        progress("read", count / len(wanted), name)
        table = read_table(file, names[name])
        if len(table.fids):
            tables[name] = table
    if not tables:
        raise InputError("input.empty_layers", file=file.name, layers=", ".join(wanted))
    read = _assemble(tables)
    return replace(read, sites=_sites(file, names, read.crs))


def _sites(file: Path, names: dict[str, str], crs: str) -> Sites:
    """Places without residents, from the first layer that marks any; rows of no known kind mean nothing here."""
    for layer in SITE_LAYERS:
        if layer not in names:
            continue
        try:
            table = read_table(file, names[layer])
        except InputError:
            if layer == "landuse":  # a layer for drawing: not ours to refuse
                continue
            raise
        kinds = texts([kind_of_word(k) for k in table.text("kind")])
        usable = ~shapely.is_missing(table.geometry) & (shapely.get_dimensions(table.geometry) == 2)
        rows = np.flatnonzero((kinds != "") & usable)
        if len(rows):
            return make_sites(
                reproject(table.geometry[rows], table.crs, crs, layer),
                source_id=table.ids()[rows],
                kind=kinds[rows],
                name=table.text("name")[rows],
            )
    return make_sites([])


def _assemble(tables: dict[str, Table]) -> Sources:
    excluded: list[Exclusion] = []
    crs = next(iter(tables.values())).crs
    made: dict[str, Any] = {}
    builders: dict[str, Callable[[Table, list[Exclusion]], Any]] = {
        "buildings": _buildings,
        "streets": _streets,
        "barriers": _barriers,
        "compounds": _areas,
        "villager_groups": _areas,
        "communities": _areas,
    }
    for name, table in tables.items():
        check_coordinates(table.geometry, table.crs, name)
        moved = Table(name, crs, reproject(table.geometry, table.crs, crs, name), table.fids, table.columns)
        made[name] = _atoms(moved) if name == "atoms" else builders[name](moved, excluded)
    return make_sources(crs, **made, excluded=tuple(excluded))


def read_territory(path: str | Path, crs: str) -> Any:
    """The union of all polygons of a file's first polygon layer, in ``crs``."""
    file = Path(path)
    for layer in layers_of(file):
        table = read_table(file, layer)
        areas = table.geometry[~shapely.is_missing(table.geometry)]
        areas = areas[shapely.get_dimensions(areas) == 2]
        if len(areas):
            check_coordinates(areas, table.crs, "territory")
            valid = shapely.make_valid(reproject(areas, table.crs, crs, layer))
            return shapely.union_all([p for p in shapely.get_parts(valid) if shapely.get_dimensions(p) == 2])
    raise InputError("input.no_territory", file=file.name)
