"""From loose pieces of one name to chains: one line a street where its shape allows it.

Centrelines are noded at shared vertices; each connected component gives its longest shortest path as a spine,
parallels near it are taken in, what lies further off becomes a branch; spines whose ends face each other over
a gap are joined.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gis.territory.model import Floats, Geometries, Ints

#: Parts of the same name nearer to the spine than this are its other carriageway or a short side part.
TWIN_M: Final = 40.0
#: Ends this near are joined whatever their direction.
NEAR_GAP_M: Final = 60.0
#: Wider gaps (a jog at a crossing, a park, a motorway, a river) are bridged where the one piece goes on ahead of
#: the other: metres of gap, and the most that either end may turn towards the other (radians).
AHEAD: Final = ((300.0, 1.3), (600.0, 1.0), (1000.0, 0.8), (2000.0, 0.4))
#: Short lanes of one name are one up to this gap where the one lies straight ahead of the other (radians).
SAME_LANE_M: Final = 800.0
STRAIGHT: Final = 0.2
#: Branches shorter than this are taken in.
STUB_M: Final = 30.0

_Adjacency = dict[int, dict[int, float]]


@dataclass(frozen=True)
class Chain:
    """One line of a street; ``gaps``: how many gaps it bridges; ``branch``: it leaves another spine."""

    line: shapely.LineString
    loop: bool = False
    branch: bool = False
    collapsed: bool = False
    gaps: int = 0


def of_lines(lines: Geometries) -> list[Chain]:
    """Chains of the centrelines of one name (metre CRS), the longest first."""
    nodes, graph = _graph(lines)
    chains = [c for part in _components(graph) for c in _peel(nodes, {n: graph[n] for n in part}, branch=False)]
    return _joined(_without_twins(chains))


def connected(count: int, heads: NDArray[Any], tails: NDArray[Any]) -> Ints:
    """Component number of each of ``count`` things joined by (head, tail) pairs."""
    links = coo_array((np.ones(len(heads), dtype=np.int8), (heads, tails)), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def _graph(lines: Geometries) -> tuple[Floats, _Adjacency]:
    """Vertices on the 1 cm grid, and metres between those that follow each other on a line."""
    xy, line = shapely.get_coordinates(lines, return_index=True)
    nodes, index = np.unique(np.round(xy, 2), axis=0, return_inverse=True)
    index = index.ravel()
    graph: _Adjacency = defaultdict(dict)
    follows = np.flatnonzero((line[1:] == line[:-1]) & (index[1:] != index[:-1]))
    metres = np.hypot(*(nodes[index[follows + 1]] - nodes[index[follows]]).T)
    for a, b, m in zip(index[follows].tolist(), index[follows + 1].tolist(), metres.tolist(), strict=True):
        graph[a][b] = graph[b][a] = m
    return nodes, graph


def _components(graph: _Adjacency) -> list[list[int]]:
    seen: set[int] = set()
    parts = []
    for first in graph:
        if first in seen:
            continue
        part, stack = [], [first]
        seen.add(first)
        while stack:
            node = stack.pop()
            part.append(node)
            fresh = [n for n in graph[node] if n not in seen]
            seen.update(fresh)
            stack += fresh
        parts.append(sorted(part))
    return parts


def _peel(nodes: Floats, graph: _Adjacency, *, branch: bool) -> list[Chain]:
    """The spine of a component, then those of what lies far off it."""
    path = _cycle(graph) if all(len(v) == 2 for v in graph.values()) else _longest(graph)
    if len(path) < 2:
        return []
    line = shapely.LineString(nodes[path])
    on_path = set(pairwise(path)) | set(pairwise(path[::-1]))
    rest = [(a, b) for a in graph for b in graph[a] if a < b and (a, b) not in on_path]
    chain = Chain(line, loop=path[0] == path[-1], branch=branch, collapsed=bool(rest))
    if not rest:
        return [chain]
    middles = shapely.points((nodes[[a for a, _ in rest]] + nodes[[b for _, b in rest]]) / 2)
    far = np.asarray(shapely.distance(middles, line)) > TWIN_M
    left: _Adjacency = defaultdict(dict)
    for (a, b), off in zip(rest, far, strict=True):
        if off:
            left[a][b] = left[b][a] = graph[a][b]
    more = [c for part in _components(left) for c in _peel(nodes, {n: left[n] for n in part}, branch=True)]
    return [chain, *(c for c in more if c.line.length >= STUB_M)]


def _cycle(graph: _Adjacency) -> list[int]:
    first = min(graph)
    path, before, node = [first], first, min(graph[first])
    while node != first:
        path.append(node)
        before, node = node, next((n for n in graph[node] if n != before), first)
    return [*path, first]


def _longest(graph: _Adjacency) -> list[int]:
    """Nearly the longest shortest path: twice to the furthest node, from a dead end where there is one."""
    ends = [n for n in graph if len(graph[n]) == 1]
    distance, _ = _distances(graph, min(ends or graph))
    first = max(distance, key=lambda n: (distance[n], -n))
    distance, before = _distances(graph, first)
    node = max(distance, key=lambda n: (distance[n], -n))
    path = [node]
    while node != first:
        node = before[node]
        path.append(node)
    return path


def _distances(graph: _Adjacency, first: int) -> tuple[dict[int, float], dict[int, int]]:
    """Dijkstra: metres from ``first`` to every node, and the node before each."""
    distance = {first: 0.0}
    before: dict[int, int] = {}
    heap = [(0.0, first)]
    while heap:
        so_far, node = heapq.heappop(heap)
        if so_far > distance[node]:
            continue
        for other, metres in graph[node].items():
            if so_far + metres < distance.get(other, np.inf):
                distance[other] = so_far + metres
                before[other] = node
                heapq.heappush(heap, (so_far + metres, other))
    return distance, before


def _without_twins(chains: list[Chain]) -> list[Chain]:
    """Drop a chain that runs beside a longer one for most of its way: the other carriageway."""
    chains = sorted(chains, key=lambda c: (-c.line.length, c.line.bounds))
    kept: list[Chain] = []
    for chain in chains:
        points = shapely.line_interpolate_point(chain.line, np.linspace(0, 1, 9), normalized=True)
        twin = next((i for i, k in enumerate(kept) if (shapely.distance(points, k.line) < TWIN_M).mean() > 0.8), None)
        if twin is None:
            kept.append(chain)
        else:
            kept[twin] = replace(kept[twin], collapsed=True)
    return kept


def _joined(chains: list[Chain]) -> list[Chain]:
    """Join chains end to end until none is left to join: a longer chain reaches further."""
    while len(chains) > 1 and len(joined := _joined_once(chains)) < len(chains):
        chains = joined
    return chains


def _joined_once(chains: list[Chain]) -> list[Chain]:
    """Join chains end to end, the smallest gap first; each end is used once and no ring is closed."""
    at, heading = _ends(chains)
    length = np.repeat(shapely.length(np.array([c.line for c in chains], dtype=object)), 2)
    heads, tails, gaps = _facing_ends(at, heading, length)
    partner: dict[int, int] = {}
    root = list(range(len(chains)))

    def find(i: int) -> int:
        while root[i] != i:
            i = root[i]
        return i

    for k in np.lexsort((tails, heads, gaps)):
        a, b = int(heads[k]), int(tails[k])
        if a in partner or b in partner or find(a // 2) == find(b // 2):
            continue
        partner[a], partner[b] = b, a
        root[find(a // 2)] = find(b // 2)
    return sorted(_walk(chains, partner), key=lambda c: (-c.line.length, c.line.bounds))


def _ends(chains: list[Chain]) -> tuple[Floats, Floats]:
    """Position of each chain's two ends (2i its start, 2i+1 its end) and the unit vector outward there."""
    lines = np.repeat(np.array([c.line for c in chains], dtype=object), 2)
    length = shapely.length(lines)
    is_end = np.arange(len(lines)) % 2 == 1
    inner = np.minimum(60.0, length)
    at = shapely.get_coordinates(shapely.line_interpolate_point(lines, np.where(is_end, length, 0.0)))
    behind = shapely.get_coordinates(shapely.line_interpolate_point(lines, np.where(is_end, length - inner, inner)))
    out = at - behind
    return at, out / np.maximum(np.hypot(*out.T), 1e-9)[:, None]


def _facing_ends(at: Floats, heading: Floats, length: Floats) -> tuple[Ints, Ints, Floats]:
    """Pairs of ends of different chains that may be joined, and the gap between them.

    A gap wider than both chains together is not bridged: short lanes of one name far apart are two places.
    """
    heads, tails = np.triu_indices(len(at), k=1)
    step = at[tails] - at[heads]
    gap = np.hypot(*step.T)
    keep = (heads // 2 != tails // 2) & (gap <= AHEAD[-1][0])
    heads, tails, step, gap = heads[keep], tails[keep], step[keep], gap[keep]
    metres = np.maximum(gap, 1e-9)
    cosines = np.stack(
        [
            -(heading[heads] * heading[tails]).sum(axis=1),
            (heading[heads] * step).sum(axis=1) / metres,
            -(heading[tails] * step).sum(axis=1) / metres,
        ]
    )
    turn = np.arccos(np.clip(cosines, -1.0, 1.0)).max(axis=0)
    fine = gap <= NEAR_GAP_M
    for reach, most in AHEAD:
        fine |= (gap <= reach) & (turn <= most)
    within = np.where(turn <= STRAIGHT, SAME_LANE_M, AHEAD[0][0])
    fine &= gap <= np.maximum(within, length[heads] + length[tails])
    return heads[fine].astype(np.int64), tails[fine].astype(np.int64), gap[fine]


def _walk(chains: list[Chain], partner: dict[int, int]) -> list[Chain]:
    """Follow the joints from every free end and put the lines together."""
    done: set[int] = set()
    joined = []
    for start in range(2 * len(chains)):
        if start in partner or start // 2 in done:
            continue
        members, parts, end = [], [], start
        while True:
            chain = end // 2
            done.add(chain)
            members.append(chains[chain])
            xy = shapely.get_coordinates(chains[chain].line)
            parts.append(xy if end % 2 == 0 else xy[::-1])
            far = end ^ 1
            if far not in partner:
                break
            end = partner[far]
        joined.append(
            Chain(
                shapely.LineString(np.concatenate(parts)) if len(parts) > 1 else members[0].line,
                loop=len(members) == 1 and members[0].loop,
                branch=all(m.branch for m in members),
                collapsed=any(m.collapsed for m in members),
                gaps=len(members) - 1 + sum(m.gaps for m in members),
            )
        )
    return joined
