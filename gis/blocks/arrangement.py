"""Faces of a planar graph, and the polygons of labelled faces: exact, on integer centimetres.

Half-edge 2k runs along edge k from head to tail, half-edge 2k + 1 back; a face lies on the left of its
half-edges. Face -1 is the outside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gis.compiling import njit
from gis.territory.model import Bools, Geometries, Ints

#: Centimetres in a metre: the grid of every topology.
SCALE = 100.0


def to_grid(metres: NDArray[np.float64]) -> Ints:
    """Metres to the nearest integer centimetres."""
    whole: Ints = np.rint(metres * SCALE).astype(np.int64)
    return whole


def to_metres(grid: Ints) -> NDArray[np.float64]:
    """Integer centimetres to metres."""
    metres: NDArray[np.float64] = grid / SCALE
    return metres


@dataclass(frozen=True)
class Faces:
    """``of`` (2·edges,): face on the left of each half-edge; ``count`` faces; ``twice`` their doubled area
    without what other components cut out, in cm²."""

    of: Ints
    count: int
    twice: Ints


def without_dangles(nodes: int, heads: Ints, tails: Ints) -> Bools:
    """Which edges remain when loose ends are pruned again and again."""
    kept: Bools = _prune(nodes, heads, tails)
    return kept


def faces_of(nodes: Ints, heads: Ints, tails: Ints) -> Faces:
    """Trace the faces of a planar graph; loose parts lie inside the face around them."""
    if not len(heads):
        return Faces(np.zeros(0, np.int64), 0, np.zeros(0, np.int64))
    following = _following(nodes, heads, tails, np.ones(2 * len(heads), bool))
    ring, start, items = _rings(following)
    origins = _origins(heads, tails)
    twice = _twice_areas(nodes, origins, start, items)
    positive = twice > 0
    number = np.cumsum(positive) - 1
    face = np.where(positive, number, -1)
    _, component = connected_components(
        coo_array((np.ones(len(heads), np.int8), (heads, tails)), shape=(len(nodes), len(nodes))), directed=False
    )
    inside = _containing(nodes, origins, start, items, twice, component)
    face = np.where(positive, face, np.where(inside >= 0, face[inside], -1))
    return Faces(face[ring], int(positive.sum()), twice[positive])


def polygons(nodes: Ints, heads: Ints, tails: Ints, label: Ints) -> tuple[Geometries, Ints]:
    """Polygons of labelled half-edges, in metres, and the label of each, sorted by label.

    ``label`` (2·edges,): what lies on the left of each half-edge, -1 for nothing. A label whose faces do not
    hang together along edges gives several polygons.
    """
    border = (label[0::2] != label[1::2]).repeat(2) & (label >= 0)
    following = _following(nodes, heads, tails, border)
    origins = _origins(heads, tails)
    points, start, owner = _simple_rings(following, border, origins, label, len(nodes))
    if len(owner) == 0:
        return np.zeros(0, object), np.zeros(0, np.int64)
    closed = np.diff(start)
    ring_of = np.repeat(np.arange(len(owner)), closed)
    x, y = (nodes[points] - nodes[points[start[:-1]]][ring_of]).T
    twice = np.add.reduceat(x[:-1] * y[1:] - x[1:] * y[:-1], start[:-1])
    # the product that bridges two rings is zero: every ring starts and ends at its own base point
    rings = shapely.linearrings(to_metres(nodes[points]), indices=ring_of)
    return _assemble(np.asarray(rings), owner, twice > 0)


def _assemble(rings: Geometries, owner: Ints, shell: Bools) -> tuple[Geometries, Ints]:
    order = np.lexsort((np.arange(len(owner)), ~shell, owner))
    rings, owner, shell = rings[order], owner[order], shell[order]
    shells_of = np.bincount(owner[shell], minlength=int(owner.max()) + 1)
    simple = shells_of[owner] == 1
    labels, index = np.unique(owner[simple], return_inverse=True)
    made = np.asarray(shapely.polygons(rings[simple], indices=index)) if len(labels) else np.zeros(0, object)
    more, more_labels = _several(rings[~simple], owner[~simple], shell[~simple])
    everything = np.concatenate([made, more])
    names = np.concatenate([labels, more_labels])
    sort = np.argsort(names, kind="stable")
    return everything[sort], names[sort]


def _several(rings: Geometries, owner: Ints, shell: Bools) -> tuple[Geometries, Ints]:
    """Labels of several shells: each hole goes to the smallest shell of its label around it."""
    out, names = [], []
    for name in np.unique(owner):
        mine = owner == name
        shells = shapely.polygons(rings[mine & shell])
        holes: list[list[shapely.LinearRing]] = [[] for _ in shells]
        by_size = np.argsort(shapely.area(shells), kind="stable")
        for hole in rings[mine & ~shell]:
            inner = shapely.polygons(hole)
            around = [k for k in by_size if shells[k].covers(inner)]
            if around:
                holes[int(around[0])].append(hole)
        out += [shapely.Polygon(s.exterior, h) for s, h in zip(shells, holes, strict=True)]
        names += [name] * len(shells)
    return np.array(out, dtype=object), np.array(names, dtype=np.int64)


def _origins(heads: Ints, tails: Ints) -> Ints:
    return np.stack([heads, tails], axis=1).ravel()


def _following(nodes: Ints, heads: Ints, tails: Ints, wanted: Bools) -> Ints:
    """The next half-edge around the region on the left of each wanted half-edge (-1 for the others)."""
    result: Ints = _turn(nodes, _origins(heads, tails), wanted)
    return result


@njit(cache=True)
def _before(nodes, origins, g, h):  # type: ignore[no-untyped-def]
    """Does half-edge g come before h, counter-clockwise from the east, at their common origin? Exact."""
    x, y = nodes[origins[g]]
    gx, gy = nodes[origins[g ^ 1], 0] - x, nodes[origins[g ^ 1], 1] - y
    hx, hy = nodes[origins[h ^ 1], 0] - x, nodes[origins[h ^ 1], 1] - y
    g_low = gy < 0 or (gy == 0 and gx < 0)
    h_low = hy < 0 or (hy == 0 and hx < 0)
    if g_low != h_low:
        return h_low
    return gx * hy - gy * hx > 0


@njit(cache=True)
def _turn(nodes, origins, wanted):  # type: ignore[no-untyped-def]
    first = np.zeros(len(nodes) + 1, np.int64)
    for h in range(len(origins)):
        first[origins[h] + 1] += 1
    first = np.cumsum(first)
    fill = first[:-1].copy()
    order = np.empty(len(origins), np.int64)
    for h in range(len(origins)):
        v = origins[h]
        k = fill[v]
        fill[v] += 1
        while k > first[v] and _before(nodes, origins, h, order[k - 1]):
            order[k] = order[k - 1]
            k -= 1
        order[k] = h
    place = np.empty(len(order), np.int64)
    for k in range(len(order)):
        place[order[k]] = k
    following = np.full(len(order), -1, np.int64)
    for h in range(len(order)):
        if not wanted[h]:
            continue
        twin = h ^ 1
        v = origins[twin]
        k = place[twin]
        for _ in range(first[v + 1] - first[v]):
            k = k - 1 if k > first[v] else first[v + 1] - 1
            if wanted[order[k]]:
                break
        following[h] = order[k]
    return following


@njit(cache=True)
def _rings(following):  # type: ignore[no-untyped-def]
    """Ring of each half-edge; half-edges of ring r in order are ``items[start[r]:start[r + 1]]``."""
    ring = np.full(len(following), -1, np.int64)
    items = np.empty(len(following), np.int64)
    start = np.empty(len(following) + 1, np.int64)
    n, used = 0, 0
    for h in range(len(following)):
        if ring[h] >= 0:
            continue
        start[n] = used
        k = h
        while ring[k] < 0:
            ring[k] = n
            items[used] = k
            used += 1
            k = following[k]
        n += 1
    start[n] = used
    return ring, start[: n + 1].copy(), items


@njit(cache=True)
def _twice_areas(nodes, origins, start, items):  # type: ignore[no-untyped-def]
    out = np.zeros(len(start) - 1, np.int64)
    for r in range(len(out)):
        bx, by = nodes[origins[items[start[r]]]]
        total = 0
        for k in range(start[r], start[r + 1]):
            u, v = origins[items[k]], origins[items[k] ^ 1]
            total += (nodes[u, 0] - bx) * (nodes[v, 1] - by) - (nodes[v, 0] - bx) * (nodes[u, 1] - by)
        out[r] = total
    return out


@njit(cache=True)
def _crosses(px: int, py: int, ax: int, ay: int, bx: int, by: int) -> bool:
    """Does the ray from a point to the right cross a segment?"""
    if (ay > py) == (by > py):
        return False
    return bool(((bx - ax) * (py - ay) - (by - ay) * (px - ax) > 0) == (by > ay))


@njit(cache=True)
def _containing(nodes, origins, start, items, twice, component):  # type: ignore[no-untyped-def]
    """For each ring that is not a face: the smallest face ring of another component around it, or -1."""
    n = len(start) - 1
    box = np.empty((n, 4), np.int64)
    for r in range(n):
        x, y = nodes[origins[items[start[r]]]]
        box[r, 0], box[r, 1], box[r, 2], box[r, 3] = x, y, x, y
        for k in range(start[r], start[r + 1]):
            x, y = nodes[origins[items[k]]]
            box[r, 0], box[r, 1] = min(box[r, 0], x), min(box[r, 1], y)
            box[r, 2], box[r, 3] = max(box[r, 2], x), max(box[r, 3], y)
    inside = np.full(n, -1, np.int64)
    components = component.max() + 1
    if components == 1:
        return inside
    for r in range(n):
        if twice[r] > 0:
            continue
        u = origins[items[start[r]]]
        px, py = nodes[u]
        for s in range(n):
            if twice[s] <= 0 or px < box[s, 0] or px > box[s, 2] or py < box[s, 1] or py > box[s, 3]:
                continue
            if component[origins[items[start[s]]]] == component[u]:
                continue
            if inside[r] >= 0 and twice[inside[r]] <= twice[s]:
                continue
            odd = False
            for k in range(start[s], start[s + 1]):
                ax, ay = nodes[origins[items[k]]]
                bx, by = nodes[origins[items[k] ^ 1]]
                odd ^= _crosses(px, py, ax, ay, bx, by)
            if odd:
                inside[r] = s
    return inside


@njit(cache=True)
def _simple_rings(following, border, origins, label, n_nodes):  # type: ignore[no-untyped-def]
    """Closed rings of nodes without repeated nodes: a ring that touches itself is split there."""
    size = 0
    for h in range(len(border)):
        size += border[h]
    points = np.empty(2 * size + 1, np.int64)
    start = np.empty(size + 1, np.int64)
    owner = np.empty(size, np.int64)
    seen = np.full(n_nodes, -1, np.int64)
    stack = np.empty(size + 1, np.int64)
    done = np.zeros(len(border), np.bool_)
    rings, used = 0, 0
    start[0] = 0
    for h in range(len(border)):
        if not border[h] or done[h]:
            continue
        depth = 0
        k = h
        while not done[k]:
            done[k] = True
            u = origins[k]
            seen[u] = depth
            stack[depth] = u
            depth += 1
            v = origins[k ^ 1]
            if seen[v] >= 0:
                low = seen[v]
                for d in range(low, depth):
                    points[used] = stack[d]
                    seen[stack[d]] = -1
                    used += 1
                points[used] = v
                used += 1
                owner[rings] = label[h]
                rings += 1
                start[rings] = used
                depth = low
            k = following[k]
    return points[:used].copy(), start[: rings + 1].copy(), owner[:rings].copy()


@njit(cache=True)
def _prune(n_nodes, heads, tails):  # type: ignore[no-untyped-def]
    degree = np.zeros(n_nodes, np.int64)
    total = np.zeros(n_nodes, np.int64)  # xor of the edges at a node: the only edge left when the degree is 1
    for e in range(len(heads)):
        for v in (heads[e], tails[e]):
            degree[v] += 1
            total[v] ^= e
    kept = np.ones(len(heads), np.bool_)
    for first in range(n_nodes):
        v = first
        while degree[v] == 1:
            e = total[v]
            kept[e] = False
            other = tails[e] if heads[e] == v else heads[e]
            for w in (v, other):
                degree[w] -= 1
                total[w] ^= e
            v = other
    return kept
