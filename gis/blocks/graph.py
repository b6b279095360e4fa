"""Contiguity graph: metres of shared border by class, from border segments."""

from __future__ import annotations

import numpy as np

from gis.blocks.model import Graph, Segments
from gis.territory.classes import BORDER_CLASSES
from gis.territory.model import Floats


def graph_of(segments: Segments, atoms: int) -> Graph:
    """Rook contiguity of ``atoms`` atoms; touching in a point is no edge."""
    classes = len(BORDER_CLASSES)
    keys = segments.left.astype(np.int64) * max(atoms, 1) + segments.right
    pairs, edge = np.unique(keys, return_inverse=True)
    metres: Floats = (
        np.bincount(edge * classes + segments.kind, weights=segments.metres, minlength=len(pairs) * classes)
        .astype(np.float64)
        .reshape(len(pairs), classes)
    )
    n = max(atoms, 1)
    return Graph((pairs // n).astype(np.int32), (pairs % n).astype(np.int32), metres)
