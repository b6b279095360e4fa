"""The steps before a plan, each by itself: check an input, show its blocks, write its atoms and their graph."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from api.services.plans.planning import Cut, communities_of, cut, require_writable
from data.files import read_sources
from data.plan_files import atom_ids, block_labels, block_polygons, layer, write_layers
from gis.districting.rulesets import Ruleset
from gis.progress import Progress, silent
from gis.territory.check import prepare
from gis.territory.classes import BORDER_CLASSES
from gis.territory.households import estimate
from gis.territory.model import Exclusion

BLOCKS: Final = {"blocks": "Polygon"}
#: A file of atoms is an input of ``plan`` as well.
ATOMS: Final = {"atoms": "Polygon", "edges": "", "streets": "LineString"}


@dataclass(frozen=True)
class Checked:
    """What an input holds: features a layer, households by how they were found, and all that was left out."""

    crs: str
    features: dict[str, int]
    households: dict[str, int]
    excluded: tuple[Exclusion, ...]


@dataclass(frozen=True)
class Written:
    """What a file of blocks or atoms holds."""

    blocks: int
    atoms: int
    edges: int
    households: int


def check_file(source: str | Path, territory: str | Path | None = None, progress: Progress = silent) -> Checked:
    """Read and check an input as ``plan`` would. Raises :class:`InputError` for a fault of the whole input."""
    sources = prepare(read_sources(source, territory, progress))
    estimated = estimate(sources.buildings)
    found: Counter[str] = Counter()
    for origin, count in zip(estimated.source, estimated.households, strict=True):
        found[str(origin)] += int(count)
    layers = ("communities", "villager_groups", "compounds", "streets", "barriers", "buildings")
    features = {name: len(getattr(sources, name)) for name in layers}
    if sources.atoms is not None:
        features["atoms"] = len(sources.atoms)
    return Checked(sources.crs, features, dict(sorted(found.items())), sources.excluded)


def blocks_file(source: str | Path, output: str | Path, ruleset: Ruleset, progress: Progress = silent) -> Written:
    """Write the blocks of an input with their households."""
    made = _cut(source, output, ruleset, progress)
    columns = {"block": block_labels(made.sources, made.atom_set), "households": _per_block(made)}
    tables = {"blocks": layer(block_polygons(made.atom_set), columns)}
    return _write(output, tables, BLOCKS, made)


def atoms_file(source: str | Path, output: str | Path, ruleset: Ruleset, progress: Progress = silent) -> Written:
    """Write the atoms of an input and the metres of border they share by class."""
    made = _cut(source, output, ruleset, progress)
    return _write(output, {"atoms": _atoms(made), "edges": _edges(made), "streets": _streets(made)}, ATOMS, made)


def _cut(source: str | Path, output: str | Path, ruleset: Ruleset, progress: Progress) -> Cut:
    require_writable(source, output, None)
    return cut(prepare(read_sources(source, None, progress)), ruleset, progress=progress)


def _per_block(made: Cut) -> Any:
    return np.bincount(made.atom_set.block, made.households).astype(np.int64)


def _atoms(made: Cut) -> Any:
    areas = communities_of(made)
    community = np.full(len(made.households), "", object) if areas is None else areas.code[made.atom_set.community]
    columns = {
        "source_id": atom_ids(made.sources, made.atom_set),
        "block": block_labels(made.sources, made.atom_set)[made.atom_set.block],
        "community": community,
        "households": made.households,
        "work": made.work,
    }
    return layer(made.atom_set.geometry, columns)


def _streets(made: Cut) -> Any:
    """The streets that borders may run on, so that a plan of these atoms knows them."""
    streets = made.sources.streets
    columns = {"source_id": streets.source_id, "highway": streets.highway, "name": streets.name}
    return layer(streets.geometry, columns)


def _edges(made: Cut) -> Any:
    """One row for each pair of neighbours; a column of metres for each class of border that occurs."""
    import pandas

    ids, graph = atom_ids(made.sources, made.atom_set), made.graph
    used = [c for c in range(len(BORDER_CLASSES)) if graph.metres[:, c].any()]
    metres = {f"m_{BORDER_CLASSES[c]}": graph.metres[:, c] for c in used}
    return pandas.DataFrame({"left": ids[graph.heads], "right": ids[graph.tails], **metres})


def _write(output: str | Path, tables: dict[str, Any], kinds: dict[str, str], made: Cut) -> Written:
    write_layers(output, tables, kinds, made.atom_set.crs, attribution=made.sources.attribution)
    return Written(
        int(made.atom_set.block.max()) + 1,
        len(made.atom_set.geometry),
        len(made.graph.heads),
        int(made.households.sum()),
    )
