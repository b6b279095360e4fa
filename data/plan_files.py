"""Plan files: a GeoPackage with the layers of the contract, written whole or not at all, and read back.

geopandas and pyogrio (125 MB in memory) are imported where a file is written or read: after the cut is made.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely

from data.plan_inside import about_table, edge_table
from data.street_layer import atom_compounds, compound_names, responsibilities
from gis.blocks.model import AtomSet
from gis.districting.borders import borders_of, grid_polygons
from gis.districting.measures import measure_grids
from gis.districting.model import Plan
from gis.errors import InputError
from gis.territory.crs import reproject
from gis.territory.households import Households
from gis.territory.model import Exclusion, Ints, Sources, Texts

#: Layers in the order they are written, with their geometry type ("" for a plain table).
LAYERS: Final[dict[str, str]] = {
    "territory": "Polygon",
    "grids": "Polygon",
    "atoms": "Polygon",
    "blocks": "Polygon",
    "buildings": "Polygon",
    "borders": "LineString",
    "streets": "LineString",
    "excluded": "",
    "responsibilities": "LineString",
}
#: Version of the layers and columns, in the file's metadata as ``plan_format``. 1 (files without the word) had no
#: ``responsibilities``. A newer file is refused: what it says might be misread.
FORMAT: Final = 2
#: Columns that every reader relies on.
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "grids": ("grid_id", "code", "name", "community", "kind", "households", "counted", "buildings"),
    "atoms": ("atom_id",),
    "buildings": ("source_id", "grid"),
    "borders": ("left", "right", "class", "basis"),
}
#: Layers written and read where they are there: what a plan keeps for later work (see ``plan_inside``), and its
#: second level.
MORE_LAYERS: Final[dict[str, str]] = {"edges": "", "about": "", "micro_grids": "MultiPolygon", "slices": "Polygon"}
#: Grid ids of plan files are made from the input's digest and the grid's code: the same job, the same ids.
_NAMESPACE: Final = uuid.UUID("6f1c2f0e-5d0b-5c7e-9a53-2b7d1f6f0a11")

#: A pandas DataFrame, or a GeoDataFrame where the layer has geometry (geopandas carries no types).
Frame = Any


@dataclass(frozen=True)
class PlanFile:
    """A plan file as read: ``crs`` of its geometry, and one frame a layer (``excluded`` has no geometry).

    ``attribution`` is what its sources ask to be said with every map made of it.
    """

    crs: str
    layers: dict[str, Frame]
    attribution: str = ""


def tables_of(
    sources: Sources,
    atom_set: AtomSet,
    plan: Plan,
    estimated: Households,
    atom_households: Ints,
    atom_work: np.ndarray[Any, np.dtype[np.float64]],
    grid_words: Mapping[str, Texts] | None = None,
) -> dict[str, Frame]:
    """Every layer of a plan file, in the metre CRS of ``atom_set``.

    ``estimated`` is per building of ``sources``; the others are per atom. ``grid_words`` are more columns of
    ``grids``, such as the four bounds in words.
    """
    import pandas

    code = plan.grids.code
    atom_grid = code[plan.assignment]
    building_atom = atom_set.building_atom
    inside = building_atom >= 0
    used = sources.buildings.take(inside)
    whole = shapely.coverage_union_all(atom_set.geometry)
    streets = sources.streets
    kept = _inside(streets.geometry, whole)
    excluded = excluded_of(sources, atom_set, estimated, whole)
    borders = borders_of(atom_set, plan.assignment)
    block_label = block_labels(sources, atom_set)
    held = building_atom[inside]
    return {
        "territory": layer([whole], {}),
        "grids": _grids(sources, atom_set, plan, building_atom, atom_work, grid_words or {}),
        "atoms": layer(
            atom_set.geometry,
            {
                "atom_id": atom_ids(sources, atom_set),
                "block": block_label[atom_set.block],
                "community": _community(plan, plan.atom_community),
                "households": atom_households,
                "work": atom_work,
                "grid": atom_grid,
                "counted": plan.atom_counted,
                "compound": atom_compounds(atom_set.geometry, sources.compounds),
            },
        ),
        "blocks": layer(
            block_polygons(atom_set),
            {
                "block": block_label,
                "households": np.bincount(atom_set.block, atom_households, len(block_label)).astype(np.int64),
            },
        ),
        "buildings": layer(
            used.geometry,
            {
                "source_id": used.source_id,
                "atom": atom_ids(sources, atom_set)[held],
                "grid": atom_grid[held],
                "households": estimated.households[inside],
                "households_source": estimated.source[inside],
                "name": used.name,
                "compound": compound_names(used.geometry, sources.compounds),
            },
        ),
        "borders": layer(
            borders.geometry,
            {
                "left": code[borders.left],
                "right": code[borders.right],
                "class": borders.border_class,
                "basis": borders.basis,
                "source_ids": borders.source_ids,
            },
        ),
        "streets": layer(
            streets.geometry[kept],
            {
                "source_id": streets.source_id[kept],
                "highway": streets.highway[kept],
                "name": streets.name[kept],
            },
        ),
        "excluded": pandas.DataFrame(
            {
                "layer": [e.layer for e in excluded],
                "source_id": [e.source_id for e in excluded],
                "reason": [e.reason for e in excluded],
                "households": np.array([e.households for e in excluded], dtype=np.int64),
            }
        ),
        "responsibilities": layer(*responsibilities(sources, atom_set, plan)),
        "edges": edge_table(sources, atom_set, atom_ids(sources, atom_set)),
        "about": about_table(plan, sources.digest),
    }


def layer(geometry: Any, columns: Mapping[str, Any]) -> Frame:
    """A frame of one layer, its columns in the order given."""
    import geopandas

    frame: Frame = geopandas.GeoDataFrame(dict(columns), geometry=np.asarray(geometry, dtype=object))
    return frame


def _community(plan: Plan, which: Any) -> Texts:
    codes = np.array([c.code for c in plan.communities], dtype=object)
    named: Texts = codes[which]
    return named


def atom_ids(sources: Sources, atom_set: AtomSet) -> Texts:
    """Ids of the atoms: the input's where atoms were given, else their numbers."""
    if sources.atoms is not None:
        return sources.atoms.source_id
    return np.array([str(i) for i in range(len(atom_set.geometry))], dtype=object)


def block_labels(sources: Sources, atom_set: AtomSet) -> Texts:
    """Names of the blocks: the input's where atoms were given with a ``block``, else their numbers."""
    labels = np.array([str(i) for i in range(int(atom_set.block.max()) + 1)], dtype=object)
    if sources.atoms is not None and all(sources.atoms.block):
        labels[atom_set.block] = sources.atoms.block
    return labels


def block_polygons(atom_set: AtomSet) -> Any:
    """One polygon a block, in the order of their numbers."""
    order = np.argsort(atom_set.block, kind="stable")
    members = np.split(atom_set.geometry[order], np.cumsum(np.bincount(atom_set.block))[:-1])
    out = np.empty(len(members), dtype=object)
    out[:] = [shapely.coverage_union_all(atoms) if len(atoms) else shapely.Polygon() for atoms in members]
    return out


def _grids(
    sources: Sources,
    atom_set: AtomSet,
    plan: Plan,
    building_atom: Any,
    atom_work: Any,
    words: Mapping[str, Texts],
) -> Frame:
    grids, n = plan.grids, len(plan.grids)
    own = measure_grids(atom_set, plan)
    held = plan.assignment[building_atom[building_atom >= 0]]
    seed = f"{sources.digest}:{plan.ruleset.digest}:{plan.seed}:{plan.iterations}"
    return layer(
        grid_polygons(atom_set, plan.assignment),
        {
            "grid_id": [str(uuid.uuid5(_NAMESPACE, f"{seed}:{c}")) for c in grids.code],
            "code": grids.code,
            "name": grids.name,
            "community": _community(plan, grids.community),
            "kind": grids.kind,
            "households": grids.households,
            "counted": grids.counted,
            "work": np.bincount(plan.assignment, atom_work, n),
            "buildings": np.bincount(held, minlength=n).astype(np.int64),
            "on_street_share": own.on_street_share,
            "compactness": own.compactness,
            "note": grids.note,
            **words,
        },
    )


def _inside(geometry: Any, territory: Any) -> Any:
    """Which lines and areas reach into the territory; a line along its edge belongs to it."""
    shapely.prepare(territory)
    area = shapely.get_dimensions(geometry) == 2
    return shapely.intersects(territory, geometry) & ~(area & shapely.touches(territory, geometry))


def excluded_of(sources: Sources, atom_set: AtomSet, estimated: Households, territory: Any) -> list[Exclusion]:
    """All features left out, each once; a building's households are those that were given or estimated."""
    out = [*sources.excluded]
    reasons = {(e.layer, e.source_id): e.reason for e in atom_set.excluded}
    for i in np.flatnonzero(atom_set.building_atom < 0):
        key = ("buildings", str(sources.buildings.source_id[i]))
        out.append(Exclusion(*key, reasons.pop(key, "outside"), int(estimated.households[i])))
    out += [e for e in atom_set.excluded if (e.layer, e.source_id) in reasons]
    for layer in ("streets", "barriers", "compounds", "villager_groups"):
        rows = getattr(sources, layer)
        inside = _inside(rows.geometry, territory)
        # A way of several pieces is left out when all its pieces are.
        ids = set(rows.source_id[~inside]) - set(rows.source_id[inside])
        out += [Exclusion(layer, str(i), "outside") for i in ids]
    return sorted(out, key=lambda e: (e.layer, e.reason, e.source_id))


def write_plan(
    path: str | Path, tables: Mapping[str, Frame], crs: str, *, to_crs: str | None = None, attribution: str = ""
) -> None:
    """Write a plan file; ``to_crs`` re-projects what is written. See :func:`write_layers`."""
    kinds = LAYERS | {name: kind for name, kind in MORE_LAYERS.items() if name in tables}
    write_layers(path, tables, kinds, crs, to_crs=to_crs, attribution=attribution, plan_format=FORMAT)


def write_layers(
    path: str | Path,
    tables: Mapping[str, Frame],
    kinds: Mapping[str, str],
    crs: str,
    *,
    to_crs: str | None = None,
    attribution: str = "",
    plan_format: int | None = None,
) -> None:
    """Write a GeoPackage of the layers ``kinds`` names (with their geometry type) under a temporary name; rename it.

    ``attribution`` goes into the file's own metadata, so that every map made from it can say it.

    Raises :class:`InputError` when the folder cannot be written to.
    """
    import pyogrio

    target = Path(path)
    about = {"attribution": attribution} if attribution else {}
    if plan_format is not None:
        about["plan_format"] = str(plan_format)
    part = target.with_name(f".{target.name}.{os.getpid()}.part.gpkg")
    try:
        for count, (name, kind) in enumerate(kinds.items()):
            frame = _moved(tables[name], crs, to_crs or crs)
            _append(part, name, kind, frame, to_crs or crs, append=count > 0, about=None if count else about)
        part.replace(target)
    except (pyogrio.errors.DataSourceError, OSError) as error:
        raise InputError("plan_file.not_written", file=str(path), detail=str(error)) from None
    finally:
        for left in (part, part.with_name(part.name + "-journal"), part.with_name(part.name + "-wal")):
            left.unlink(missing_ok=True)


def _append(
    part: Path, name: str, kind: str, frame: Frame, crs: str, *, append: bool, about: dict[str, str] | None = None
) -> None:
    import pyogrio

    if not kind:
        pyogrio.write_dataframe(frame, part, layer=name, driver="GPKG", append=append)
        return
    types = {g.geom_type for g in frame.geometry}
    if not types <= {kind}:
        kind = f"Multi{kind}" if types <= {kind, f"Multi{kind}"} else "Unknown"
    pyogrio.write_dataframe(
        frame.set_crs(crs),
        part,
        layer=name,
        driver="GPKG",
        append=append,
        geometry_type=kind,
        promote_to_multi=kind.startswith("Multi"),
        dataset_metadata=about or None,
    )


def _moved(frame: Frame, crs: str, to_crs: str) -> Frame:
    if crs == to_crs or "geometry" not in frame:
        return frame
    return frame.assign(geometry=reproject(frame.geometry.to_numpy(), crs, to_crs))


def read_plan(path: str | Path) -> PlanFile:
    """Read a plan file; every layer becomes a frame (a GeoDataFrame where it has geometry).

    Raises :class:`InputError` when the file is missing, is no plan file, or is one of another version: then the
    layer or column at fault is named.
    """
    import pyogrio

    file = Path(path)
    if not file.is_file():
        raise InputError("input.missing_file", file=str(path))
    try:
        present = {str(name) for name, _ in pyogrio.list_layers(file)}
        about = _about(file, present)
        known = {*LAYERS, *MORE_LAYERS} & present
        layers = {name: pyogrio.read_dataframe(file, layer=name) for name in (*LAYERS, *MORE_LAYERS) if name in known}
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise InputError("plan_file.not_a_plan", file=file.name, detail=str(error)) from None
    for name, columns in COLUMNS.items():
        for column in columns:
            if column not in layers[name]:
                raise InputError("plan_file.no_column", file=file.name, field=f"{name}.{column}")
    return PlanFile(str(layers["grids"].crs), layers, str(about.get("attribution", "")))


def _about(file: Path, present: set[str]) -> dict[str, Any]:
    """The file's own metadata; raises where layers are missing or the file is newer than this program."""
    import pyogrio

    if "grids" not in present:
        raise InputError("plan_file.not_a_plan", file=file.name, detail="grids")
    about = dict(pyogrio.read_info(file, layer="grids")["dataset_metadata"] or {})
    said = str(about.get("plan_format", "1"))
    if not said.isdigit() or int(said) > FORMAT:
        raise InputError("plan_file.other_version", file=file.name, field="plan_format", found=said, known=FORMAT)
    for name in LAYERS:
        if name not in present and not (name == "responsibilities" and said == "1"):
            raise InputError("plan_file.no_layer", file=file.name, field=name)
    return about
