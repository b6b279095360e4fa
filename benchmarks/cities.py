"""Synthetic cities as graph files that every planner reads, ours and the peers'.

A file is an ``.npz``: ``hh`` households, ``area``, ``perim`` (metres, the city's outer edge included), ``x``, ``y``,
``block`` of every atom; ``eu``, ``ev`` and ``el[:, 4]`` of every edge: shared metres by class (see
``graph_measures.CLASSES``); ``wkb`` and ``wkb_start`` hold the atoms' polygons one after another.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely

from benchmarks.graph_measures import CLASSES, Arrays
from benchmarks.runner import ROOT
from gis.blocks.model import AtomSet, Graph, Segments
from gis.territory.classes import BASIS_INDEX, BORDER_CLASSES, CLASS_INDEX

GENERATOR: Final = ROOT.parent / "shared" / "sketches" / "partition" / "gen.py"
OWN: Final = "the project's own generator"

#: The border class that stands for each column of ``el``.
_KIND: Final = np.array([CLASS_INDEX[name] for name in ("none", *CLASSES[1:])], np.int8)


def generator_name() -> str:
    """Where cities come from: the common generator where it is at hand, else the project's own."""
    return GENERATOR.name if GENERATOR.is_file() else OWN


def make_city(atoms: int, seed: int) -> Arrays:
    """A city of about ``atoms`` atoms: the common generator's, read at run time, or our own."""
    if GENERATOR.is_file():
        spec = importlib.util.spec_from_file_location("city_generator", GENERATOR)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        with np.errstate(all="ignore"):
            city, geometry, _ = module.gen(atoms, seed)
        return {**city, **packed(geometry)}
    from data.samples.city import make

    made = make(atoms, seed)
    return {
        "hh": made.households,
        "area": shapely.area(made.geometry),
        "perim": shapely.length(made.geometry),
        "x": shapely.get_x(shapely.centroid(made.geometry)),
        "y": shapely.get_y(shapely.centroid(made.geometry)),
        "block": made.block,
        "eu": made.heads,
        "ev": made.tails,
        "el": made.metres,
        **packed(made.geometry),
    }


def packed(geometry: np.ndarray) -> Arrays:
    """Polygons as one array of bytes and where each begins."""
    texts = [bytes(w) for w in shapely.to_wkb(geometry)]
    start = np.concatenate([[0], np.cumsum([len(w) for w in texts])]).astype(np.int64)
    return {"wkb": np.frombuffer(b"".join(texts), np.uint8), "wkb_start": start}


def polygons(city: Arrays) -> np.ndarray:
    """The atoms' polygons."""
    raw, at = city["wkb"].tobytes(), city["wkb_start"]
    return np.asarray(shapely.from_wkb([raw[at[i] : at[i + 1]] for i in range(len(at) - 1)]), object)


def save(city: Arrays, path: Path) -> None:
    """Write a city file."""
    np.savez(path, **city)  # type: ignore[arg-type]


def load(path: Path) -> Arrays:
    """Read a city file."""
    with np.load(path) as file:
        return dict(file)


def atom_set_of(city: Arrays) -> tuple[AtomSet, Graph]:
    """The city as the planner takes it. Segments carry the metres shared by class; they lie nowhere on the map."""
    heads, tails, metres = (np.asarray(city[name]) for name in ("eu", "ev", "el"))
    edge, column = np.nonzero(metres > 0)
    end = np.zeros((len(edge), 2))
    end[:, 0] = metres[edge, column]
    cell = column == 0
    geometry = polygons(city)
    segments = Segments(
        left=heads[edge].astype(np.int32),
        right=tails[edge].astype(np.int32),
        start=np.zeros((len(edge), 2)),
        end=end,
        kind=_KIND[column],
        basis=np.where(cell, BASIS_INDEX["cell"], BASIS_INDEX["street"]).astype(np.int8),
        source=np.full(len(edge), -1, np.int32),
    )
    n = len(geometry)
    shared = np.bincount(np.r_[heads, tails], np.tile(metres.sum(axis=1), 2), minlength=n)
    atom_set = AtomSet(
        crs="EPSG:32650",
        geometry=geometry,
        block=city["block"].astype(np.int32),
        community=np.zeros(n, np.int32),
        building_atom=np.zeros(0, np.int32),
        segments=segments,
        outer=np.maximum(city["perim"] - shared, 0.0),
        line_ids=np.zeros(0, object),
    )
    by_class = np.zeros((len(heads), len(BORDER_CLASSES)))
    by_class[:, _KIND] = metres
    return atom_set, Graph(heads.astype(np.int32), tails.astype(np.int32), by_class)


def graph_file(atom_set: AtomSet, graph: Graph, counted: Any, prices: Any) -> Arrays:
    """A real atom set as a city file: each border class goes to the column of the price nearest to its own."""
    from benchmarks.graph_measures import PRICES

    column = np.abs(np.asarray(prices)[:, None] - PRICES[None, :]).argmin(axis=1)
    metres = np.zeros((len(graph.heads), len(PRICES)))
    for kind, c in enumerate(column):
        metres[:, c] += graph.metres[:, kind]
    centre = shapely.centroid(atom_set.geometry)
    return {
        "hh": np.asarray(counted, np.int64),
        "area": shapely.area(atom_set.geometry),
        "perim": shapely.length(atom_set.geometry),
        "x": shapely.get_x(centre),
        "y": shapely.get_y(centre),
        "block": atom_set.block.astype(np.int64),
        "eu": graph.heads.astype(np.int64),
        "ev": graph.tails.astype(np.int64),
        "el": metres,
        **packed(atom_set.geometry),
    }
