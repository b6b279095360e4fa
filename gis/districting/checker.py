"""Territories drawn as text: a square atom a letter, a block (or community) a letter. For tests and warming up."""

from __future__ import annotations

import numpy as np
import shapely

from gis.blocks.model import AtomSet, Graph, Segments
from gis.territory.classes import BASIS_INDEX, BORDER_CLASSES, CLASS_INDEX


def board(
    blocks: list[str],
    communities: list[str] | None = None,
    *,
    metres: float = 100.0,
    street: str = "residential",
) -> tuple[AtomSet, Graph]:
    """Squares of ``metres`` a side, row by row from the north-west; a dot is no atom.

    Atoms of one block letter are parted by cells, of two letters by a ``street``. Community letters sort to
    positions; between communities the border class is ``community``.
    """
    places = [(r, c) for r, row in enumerate(blocks) for c, letter in enumerate(row) if letter != "."]
    number = {place: i for i, place in enumerate(places)}
    letters = [blocks[r][c] for r, c in places]
    owners = [communities[r][c] for r, c in places] if communities else ["a"] * len(places)
    block = np.unique(letters, return_inverse=True)[1].astype(np.int32)
    community = np.unique(owners, return_inverse=True)[1].astype(np.int32)
    left, right, begin, end, kind, basis = [], [], [], [], [], []
    for (r, c), i in number.items():
        for place, a, b in (((r, c + 1), (c + 1, -r), (c + 1, -r - 1)), ((r + 1, c), (c, -r - 1), (c + 1, -r - 1))):
            j = number.get(place)
            if j is None:
                continue
            left.append(i)
            right.append(j)
            begin.append(a)
            end.append(b)
            if owners[i] != owners[j]:
                kind.append(CLASS_INDEX["community"])
                basis.append(BASIS_INDEX["community"])
            elif letters[i] == letters[j]:
                kind.append(CLASS_INDEX["none"])
                basis.append(BASIS_INDEX["cell"])
            else:
                kind.append(CLASS_INDEX[street])
                basis.append(BASIS_INDEX["street"])
    segments = Segments(
        left=np.array(left, np.int32),
        right=np.array(right, np.int32),
        start=np.array(begin, np.float64).reshape(-1, 2) * metres,
        end=np.array(end, np.float64).reshape(-1, 2) * metres,
        kind=np.array(kind, np.int8),
        basis=np.array(basis, np.int8),
        source=np.where(np.array(basis, np.int32) == BASIS_INDEX["street"], 0, -1).astype(np.int32),
    )
    shared = np.bincount(np.r_[segments.left, segments.right], minlength=len(places)) * metres
    atom_set = AtomSet(
        crs="EPSG:32649",
        geometry=np.array([_square(r, c, metres) for r, c in places]),
        block=block,
        community=community,
        building_atom=np.arange(len(places), dtype=np.int32),
        segments=segments,
        outer=np.asarray(4 * metres - shared, np.float64),
        line_ids=np.array(["street/1"], object),
    )
    return atom_set, graph_of(segments)


def _square(row: int, column: int, metres: float) -> shapely.Polygon:
    return shapely.box(column * metres, -(row + 1) * metres, (column + 1) * metres, -row * metres)


def graph_of(segments: Segments) -> Graph:
    """The contiguity graph of segments (a plain version; the engine's own is in gis.blocks)."""
    pair, inverse = np.unique(np.stack([segments.left, segments.right], axis=1), axis=0, return_inverse=True)
    metres = np.zeros((len(pair), len(BORDER_CLASSES)))
    np.add.at(metres, (inverse.ravel(), segments.kind.astype(np.int64)), segments.metres)
    return Graph(pair[:, 0].astype(np.int32), pair[:, 1].astype(np.int32), metres)
