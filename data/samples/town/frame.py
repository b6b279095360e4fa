"""The town's skeleton: main cross, ring road, river, radial roads and the superblocks between them.

Everything is first laid out straight in plan coordinates (u to the east, v to the north, metres, the main
cross near the origin) and noded there; a smooth warp then bends it, so that what met before meets after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from data.samples.town.model import CENTRE
from gis.territory.model import Floats

#: Half the width of river, of river with its green banks, and of railway land, in metres.
RIVER: Final = 34.0
BANK: Final = 62.0
#: Half the width of a street with its pavements, by class, in metres.
HALF_WIDTH: Final[dict[str, float]] = {
    "trunk": 18.0, "primary": 17.0, "secondary": 14.0, "tertiary": 10.0, "unclassified": 5.0, "residential": 6.0,
    "living_street": 3.5, "service": 3.0, "footway": 1.5,
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One line of the skeleton before noding; ``highway`` "" is no street but a border of communities."""

    shape: Any  # shapely LineString in plan coordinates
    highway: str
    name: str
    bridge: bool = False


@dataclass(frozen=True)
class Piece:
    """A line of the skeleton between two junctions, in map coordinates."""

    shape: Any
    highway: str
    name: str
    bridge: bool


@dataclass(frozen=True)
class Face:
    """A piece of land enclosed by skeleton lines. ``cell`` is its (column, row) in the lattice, or None outside
    the ring; ``strip`` marks the river's banks."""

    shape: Any
    cell: tuple[int, int] | None
    plan_point: tuple[float, float]
    strip: bool


@dataclass(frozen=True)
class Frame:
    """The skeleton in map coordinates."""

    pieces: list[Piece]
    faces: list[Face]
    river: Any  # Polygon
    river_line: Any
    railway: Any
    boundary: Any
    ring: Any
    columns: Floats
    rows: Floats
    river_row: int
    main_column: int
    main_row: int
    warp: Warp


class Warp:
    """Bends plan coordinates into map coordinates: gentle in the town, wider outside; rotated by a few degrees."""

    def __init__(self, rng: np.random.Generator, half: tuple[float, float], river: float) -> None:
        self._phase = rng.uniform(0, 2 * np.pi, 6)
        self._turn = np.deg2rad(rng.uniform(6, 14) * rng.choice([-1, 1]))
        self._half = half
        self._river = river

    def __call__(self, uv: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 2) plan metres to (n, 2) map metres on the 1 cm grid."""
        u, v = uv[:, 0], uv[:, 1]
        p = self._phase
        far_u = _smooth((np.abs(u) - self._half[0]) / 700)
        far_v = _smooth((np.abs(v) - self._half[1]) / 700)
        near_river = np.exp(-(((v - self._river) / 620) ** 2))
        x = u + 24 * np.sin(2 * np.pi * v / 1900 + p[0]) + (10 + 55 * far_v) * np.sin(2 * np.pi * v / 830 + p[1])
        y = v + 16 * np.sin(2 * np.pi * u / 1500 + p[2]) + (8 + 50 * far_u) * np.sin(2 * np.pi * u / 900 + p[3])
        y = y + near_river * (105 * np.sin(2 * np.pi * u / 2150 + p[4]) + 30 * np.sin(2 * np.pi * u / 980 + p[5]))
        cos, sin = np.cos(self._turn), np.sin(self._turn)
        return np.round(np.column_stack([cos * x - sin * y, sin * x + cos * y]) + CENTRE, 2)

    def bend(self, shapes: Any, step: float = 22.0) -> Any:
        """Shapes of plan coordinates as map shapes, with a vertex at least every ``step`` metres."""
        return shapely.transform(shapely.segmentize(shapes, step), self)


def _smooth(t: NDArray[np.float64]) -> NDArray[np.float64]:
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def spacing(count: int, rng: np.random.Generator) -> Floats:
    """``count`` superblock widths to one side of the centre: small near it, larger outside."""
    base = np.clip(265 + 42 * np.arange(count), 265, 390)
    return np.round(base * rng.uniform(0.92, 1.08, count))


def lattice(cells: int, rng: np.random.Generator) -> tuple[Floats, Floats, int, int, int]:
    """Lines of a town of about ``cells`` superblocks: columns, rows, and which are river, main column, main row."""
    across = max(4, round(np.sqrt(cells * 1.35)))
    up = max(4, round(cells / across))
    west, south = across // 2, max(1, round(up * 0.3))
    columns = np.concatenate([-np.cumsum(spacing(west, rng))[::-1], [0.0], np.cumsum(spacing(across - west, rng))])
    # the main row is the origin, the river is the row below it
    river = -(spacing(1, rng)[0] + BANK)
    below = river - BANK - np.cumsum(spacing(south, rng) + 30)[::-1]
    above = np.cumsum(spacing(up - south - 1, rng))
    rows = np.concatenate([below, [river, 0.0], above])
    return columns, rows, south, west, south + 1


def make_frame(cells: int, rng: np.random.Generator, names: dict[str, Any]) -> Frame:
    """Lay out the skeleton. ``names``: callables ``street(suffix)`` and fixed names, see ``generate``."""
    columns, rows, river_row, main_column, main_row = lattice(cells, rng)
    river_v = float(rows[river_row])
    west, east, south, north = columns[0], columns[-1], rows[0], rows[-1]
    half = (max(-west, east), max(-south, north))
    warp = Warp(rng, half, river_v)
    corner = 0.75 * min(columns[1] - west, rows[1] - south, 360)
    ring = shapely.box(west, south, east, north).buffer(-corner).buffer(corner, quad_segs=10)
    depth = 600.0 + 0.05 * (east - west)
    boundary = _boundary(rng, (west, south, east, north), depth)
    rail_u = east + 330.0
    lines = _ring_lines(ring, names, (river_v, 0.0))
    lines += _inner(columns, rows, river_row, main_column, main_row, ring, names, rng)
    lines += _radials(columns, rows, river_row, main_column, main_row, ring, boundary, names)
    river_line = shapely.LineString([(-1e5, river_v), (1e5, river_v)]).intersection(boundary)
    lines.append(Line(river_line, "", ""))
    lines.append(Line(boundary.exterior, "", ""))
    pieces, plan_pieces = _node(lines, warp)
    faces = _faces(plan_pieces, warp, ring, columns, rows, river_v)
    bend = warp.bend
    span = boundary.bounds
    river = _river_band(rng, river_v, span).intersection(boundary)
    rail = shapely.LineString([(rail_u, span[1] - 9), (rail_u + 60, river_v), (rail_u - 30, span[3] + 9)])
    return Frame(
        pieces, faces, bend(river), bend(river_line), bend(rail.intersection(boundary)), bend(boundary), bend(ring),
        columns, rows, river_row, main_column, main_row, warp,
    )  # fmt: skip


def _boundary(rng: np.random.Generator, box: tuple[float, ...], depth: float) -> Any:
    outline = shapely.box(box[0], box[1], box[2], box[3]).buffer(depth, quad_segs=8).exterior
    count = max(24, int(outline.length / 420))
    share = np.arange(count) / count
    points = shapely.get_coordinates(shapely.line_interpolate_point(outline, share, normalized=True))
    middle = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    away = points - middle
    away /= np.hypot(away[:, 0], away[:, 1])[:, None]
    swing = rng.normal(0, 1, count)
    swing = (swing + np.roll(swing, 1) + np.roll(swing, -1)) / 3
    return shapely.Polygon(np.round(points + away * swing[:, None] * 130, 1))


def _river_band(rng: np.random.Generator, v: float, span: tuple[float, ...]) -> Any:
    u = np.arange(span[0] - 50, span[2] + 50, 40.0)
    phase = rng.uniform(0, 2 * np.pi, 2)
    width = RIVER + 7 * np.sin(u / 260 + phase[0]) + 4 * np.sin(u / 97 + phase[1])
    up, down = np.column_stack([u, v + width]), np.column_stack([u, v - width])
    return shapely.Polygon(np.concatenate([up, down[::-1]]))


def _ring_lines(ring: Any, names: dict[str, Any], at: tuple[float, float]) -> list[Line]:
    west, south, east, north = ring.bounds
    river, middle = at
    outline = ring.exterior
    sides = {
        "东": shapely.box(middle, south - 9, east + 9, north + 9),
        "西": shapely.box(west - 9, south - 9, middle, north + 9),
    }
    lines = []
    for side, box in sides.items():
        arc = shapely.line_merge(outline.intersection(box))
        for zone in (shapely.box(-1e5, river + BANK, 1e5, 1e5), shapely.box(-1e5, -1e5, 1e5, river - BANK)):
            for line in shapely.get_parts(shapely.line_merge(arc.intersection(zone))):
                lines.append(Line(line, "secondary", f"{names['ring']}{side}路"))
        over = arc.intersection(shapely.box(-1e5, river - BANK, 1e5, river + BANK))
        lines += [Line(line, "secondary", f"{names['ring']}{side}路", True) for line in shapely.get_parts(over)]
    return lines


def _inner(
    columns: Floats, rows: Floats, river_row: int, main_column: int, main_row: int, ring: Any,
    names: dict[str, Any], rng: np.random.Generator,
) -> list[Line]:  # fmt: skip
    """Streets inside the ring: columns (路), rows (街), and the two riverside roads."""
    south, north = rows[0] - 9, rows[-1] + 9
    west, east = columns[0] - 9, columns[-1] + 9
    river = float(rows[river_row])
    lines = []
    for i in range(1, len(columns) - 1):
        main = i == main_column
        highway = "primary" if main else "secondary" if (i - main_column) % 2 == 0 else "tertiary"
        word = names["main_column"] if main else names["street"]("")
        crossing = main or (i - main_column) % 3 == 2
        parts = [
            (south, river - BANK, highway, f"{word}南路", False),
            (river - BANK, river + BANK, highway if crossing else "", f"{word}大桥" if crossing else "", crossing),
            (river + BANK, 0.0, highway, f"{word}中路", False),
            (0.0, north, highway, f"{word}北路", False),
        ]
        for low, high, kind, name, bridge in parts:
            line = shapely.LineString([(columns[i], low), (columns[i], high)]).intersection(ring)
            lines += [Line(line, kind, name, bridge)] if not line.is_empty else []
    for j in range(1, len(rows) - 1):
        main = j == main_row
        highway = "primary" if main else "secondary" if (j - main_row) % 2 == 0 else "tertiary"
        if j == river_row:
            for v, side in ((river - BANK, "南"), (river + BANK, "北")):
                line = shapely.LineString([(west, v), (east, v)]).intersection(ring)
                lines.append(Line(line, "tertiary", f"{names['riverside']}{side}路"))
            continue
        word = names["main_row"] if main else names["street"]("")
        for low, high, side in ((west, 0.0, "西"), (0.0, east, "东")):
            line = shapely.LineString([(low, rows[j]), (high, rows[j])]).intersection(ring)
            lines += [Line(line, highway, f"{word}{side}街")] if not line.is_empty else []
    return lines


def _radials(
    columns: Floats, rows: Floats, river_row: int, main_column: int, main_row: int, ring: Any, boundary: Any,
    names: dict[str, Any],
) -> list[Line]:  # fmt: skip
    """Roads from the ring to the county: the main cross goes on, and every third other line."""
    outside = boundary.difference(ring)
    lines = []
    reach = 1e5
    for i in range(1, len(columns) - 1):
        if (i - main_column) % 3 == 0:
            highway = "primary" if i == main_column else "tertiary"
            for sign in (-1, 1):
                lean = sign * 0.12 * reach * np.sign(columns[i])
                edge = rows[-1] if sign > 0 else rows[0]
                line = shapely.LineString([(columns[i], edge), (columns[i] + sign * lean, edge + sign * reach)])
                lines.append(_first(line.intersection(outside), highway, names["road"]()))
    for j in range(1, len(rows) - 1):
        if (j - main_row) % 3 == 0:
            highway = "primary" if j == main_row else "tertiary"
            for sign in (-1, 1):
                edge = columns[-1] if sign > 0 else columns[0]
                lean = 0.16 * reach * (1 if j >= main_row else -1)
                line = shapely.LineString([(edge, rows[j]), (edge + sign * reach, rows[j] + lean)])
                lines.append(_first(line.intersection(outside), highway, names["road"]()))
    return lines


def _first(shape: Any, highway: str, name: str) -> Line:
    parts = shapely.get_parts(shape)
    return Line(parts[int(np.argmax(shapely.length(parts)))], highway, name)


def _node(lines: list[Line], warp: Warp) -> tuple[list[Piece], Any]:
    """Cut all lines where they meet; each piece keeps what the line it came from was."""
    plan = shapely.get_parts(shapely.union_all([line.shape for line in lines], grid_size=0.001))
    bent = warp.bend(plan)
    tree = shapely.STRtree([line.shape for line in lines])
    middles = shapely.line_interpolate_point(plan, 0.5, normalized=True)
    streets_first = np.argsort([0 if line.highway else 1 for line in lines], kind="stable")
    rank = np.empty(len(lines), dtype=np.int64)
    rank[streets_first] = np.arange(len(lines))
    parent = np.full(len(plan), -1)
    of, which = tree.query(middles, predicate="dwithin", distance=0.01)
    for piece, line in sorted(zip(of.tolist(), which.tolist(), strict=True), key=lambda p: -rank[p[1]]):
        parent[piece] = line
    pieces = [
        Piece(shape, lines[k].highway, lines[k].name, lines[k].bridge) for shape, k in zip(bent, parent, strict=True)
    ]
    return pieces, plan


def _faces(plan: Any, warp: Warp, ring: Any, columns: Floats, rows: Floats, river: float) -> list[Face]:
    """Polygonise the pieces and say where each face lies."""
    polygons = shapely.get_parts(shapely.polygonize(shapely.segmentize(plan, 22.0)))
    points = shapely.get_coordinates(shapely.point_on_surface(polygons))
    order = np.lexsort((points[:, 0], points[:, 1]))
    faces = []
    for k in order:
        u, v = points[k]
        inside = bool(ring.contains(shapely.Point(u, v)))
        cell = (int(np.searchsorted(columns, u)) - 1, int(np.searchsorted(rows, v)) - 1) if inside else None
        shape = shapely.transform(polygons[k], warp)
        faces.append(Face(shape, cell, (float(u), float(v)), inside and abs(v - river) < BANK))
    return faces
