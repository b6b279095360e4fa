"""Pictures of two plans: a static one of both side by side, and a map with both as layers."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import folium
import numpy as np
import shapely

from api.services.plans.comparing import Comparison
from api.services.plans.report_map import BORDERS, COLOURS, collection, colours_of, empty_map, feature, group, safe
from gis.territory.crs import reproject

MOVED = "#d1162a"
BORDER_A = ("#7a4b12", "9 6")
BORDER_B = ("#1b3a6b", None)
GONE = "#e8e4da"


def tones(c: Comparison) -> tuple[list[str], list[str]]:
    """A colour for every grid of either plan: matched grids have the same, neighbours differ."""
    a, b = (s.file.layers for s in (c.a, c.b))
    colour = colours_of([str(x) for x in c.a.plan.code], zip(a["borders"].left, a["borders"].right, strict=True))
    of_a = [colour[str(x)] for x in c.a.plan.code]
    of_b = [-1] * len(c.b.plan.code)
    for g, m in enumerate(c.found.match):
        if m >= 0:
            of_b[m] = of_a[g]
    beside: dict[str, set[str]] = {str(x): set() for x in c.b.plan.code}
    for left, right in zip(b["borders"].left, b["borders"].right, strict=True):
        beside[left].add(right)
        beside[right].add(left)
    place = {str(x): m for m, x in enumerate(c.b.plan.code)}
    for m, code in enumerate(c.b.plan.code):
        if of_b[m] < 0:
            taken = {of_b[place[n]] for n in beside[str(code)]}
            of_b[m] = next(k for k in range(len(of_b) + len(COLOURS)) if k not in taken)
    return [COLOURS[k % len(COLOURS)] for k in of_a], [COLOURS[k % len(COLOURS)] for k in of_b]


def picture(c: Comparison, dots: int = 150) -> bytes:
    """Both plans side by side as PNG: same colours for grids that go on, moved buildings in red."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import LineCollection, PolyCollection
    from matplotlib.figure import Figure

    shapes = [s.file.layers["grids"].geometry.to_numpy() for s in (c.a, c.b)]
    if c.a.plan.crs != c.b.plan.crs:
        shapes[1] = reproject(shapes[1], c.b.plan.crs, c.a.plan.crs)
    west, south, east, north = shapely.total_bounds(np.concatenate(shapes))
    ratio = (north - south) / max(east - west, 1e-9)
    figure = Figure(figsize=(15, min(max(7.5 * ratio, 3.0), 15)), layout="constrained")
    FigureCanvasAgg(figure)
    moved = moved_shapes(c, c.a.plan.crs)
    for k, (side, fills) in enumerate(zip((c.a, c.b), tones(c), strict=True)):
        axes = figure.add_subplot(1, 2, k + 1)
        for shape, fill in zip(shapes[k], fills, strict=True):
            rings = [np.asarray(p.exterior.coords) for p in shapely.get_parts(shape)]
            axes.add_collection(
                PolyCollection(rings, facecolors=fill, edgecolors="#2b3a55", linewidths=1.0, alpha=0.75)
            )
            holes = [np.asarray(r.coords) for p in shapely.get_parts(shape) for r in p.interiors]
            axes.add_collection(LineCollection(holes, colors="#2b3a55", linewidths=1.0))
        rings = [np.asarray(p.exterior.coords) for p in shapely.get_parts(moved) if p.geom_type == "Polygon"]
        axes.add_collection(PolyCollection(rings, facecolors=MOVED, edgecolors=MOVED, linewidths=0.6))
        points = 72 * 7.3 / max(east - west, (north - south) / max(ratio, 1e-9), 1e-9)  # of one metre on the page
        _label(axes, side, shapes[k], points)
        axes.set_xlim(west, east)
        axes.set_ylim(south, north)
        axes.set_aspect("equal")
        axes.set_axis_off()
        axes.set_title("AB"[k], loc="left", fontsize=15, fontweight="bold")
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=dots, metadata={"Software": None})
    return out.getvalue()


def _label(axes: Any, side: Any, shapes: Any, points: float) -> None:
    """The end of the code, and the households, where a grid has room for them; ``points``: of one metre."""
    held = np.bincount(side.plan.grid, side.plan.households, minlength=len(shapes)).astype(int)
    for shape, code, households in zip(shapes, side.plan.code, held, strict=True):
        circle = shapely.maximum_inscribed_circle(shape)
        size = min(0.72 * circle.length * points, 13.0)
        if size >= 3.0:
            said = f"{str(code)[-3:]}\n{households}"
            axes.text(*circle.coords[0], said, ha="center", va="center", fontsize=size, linespacing=0.95)


def moved_shapes(c: Comparison, crs: str) -> Any:
    """Shapes of the things that moved, as they stand in A (in its CRS)."""
    which = c.things[0].ids[c.found.both[c.found.moved, 0]]
    layer, key = ("buildings", "source_id") if c.kind == "buildings" else ("atoms", "atom_id")
    frame = c.a.file.layers[layer]
    shapes = frame.geometry.to_numpy()[np.isin(frame[key].astype(str).to_numpy(), which.astype(str))]
    points = shapely.get_dimensions(shapes) == 0
    shapes = np.where(points, shapely.buffer(shapes, 4.0, quad_segs=3), shapes) if points.any() else shapes
    return reproject(shapes, c.a.plan.crs, crs) if crs != c.a.plan.crs else shapes


def comparison_map(c: Comparison, t: Callable[..., str]) -> folium.Map:
    """Both plans as layers over each other: fills of B, borders of both, what moved in red; nothing is fetched."""
    layers = [
        {k: s.file.layers[k].to_crs("EPSG:4326") for k in ("grids", "borders", "buildings")} for s in (c.a, c.b)
    ]
    bounds = np.array([f["grids"].total_bounds for f in layers])
    view = empty_map((*bounds[:, :2].min(axis=0), *bounds[:, 2:].max(axis=0)))
    for k, (frames, fills) in enumerate(zip(layers, tones(c), strict=True)):
        name = t(f"grids_{'ab'[k]}")
        _fills(frames["grids"], fills, t).add_to(group(view, name, show=k == 1))
    _footprints(layers[1]["buildings"]).add_to(group(view, t("buildings")))
    for k, (frames, (colour, dashes)) in enumerate(zip(layers, (BORDER_A, BORDER_B), strict=True)):
        _lines(frames["borders"], colour, dashes).add_to(group(view, t(f"borders_{'ab'[k]}")))
    _moved(c, t).add_to(group(view, t("moved_layer")))
    folium.LayerControl(collapsed=False).add_to(view)
    return view


def _fills(grids: Any, fills: list[str], t: Callable[..., str]) -> folium.GeoJson:
    fields = ("code", "name", "households", "buildings")
    features = [
        feature(row["geometry"], fill=fill, **{f: safe(_plain(row[f])) for f in fields})
        for row, fill in zip(grids.to_dict("records"), fills, strict=True)
    ]
    return folium.GeoJson(
        collection(features),
        style_function=lambda f: {"fillColor": f["properties"]["fill"], "fillOpacity": 0.4, "weight": 0},
        tooltip=folium.GeoJsonTooltip(list(fields), aliases=[t(f"field_{f}") for f in fields], sticky=True),
        embed=True,
    )


def _footprints(buildings: Any) -> folium.GeoJson:
    polygons = [p for p in shapely.get_parts(buildings.geometry.to_numpy()) if p.geom_type == "Polygon"]
    style = {"fillColor": "#6b6257", "fillOpacity": 0.6, "weight": 0, "interactive": False}
    features = [feature(shapely.MultiPolygon(polygons))] if polygons else []
    return folium.GeoJson(collection(features), style_function=lambda _: style, embed=True)


def _lines(borders: Any, colour: str, dashes: str | None) -> folium.GeoJson:
    lines = list(shapely.get_parts(borders.geometry.to_numpy()))
    style = {"color": colour, "weight": BORDERS["street"][1], "dashArray": dashes, "interactive": False}
    features = [feature(shapely.MultiLineString(lines))] if lines else []
    return folium.GeoJson(collection(features), style_function=lambda _: style, embed=True)


def _moved(c: Comparison, t: Callable[..., str]) -> folium.GeoJson:
    moves = {m["source_id"]: m for m in c.moves()}
    layer, key = ("buildings", "source_id") if c.kind == "buildings" else ("atoms", "atom_id")
    frame = c.a.file.layers[layer]
    frame = frame[frame[key].astype(str).isin(list(moves))].to_crs("EPSG:4326")
    features = []
    for name, shape in zip(frame[key].astype(str), frame.geometry, strict=True):
        m = moves[name]
        shown = shape.buffer(4e-5) if shape.geom_type == "Point" else shape
        features.append(
            feature(
                shown, id=safe(name), **{"from": safe(m["from"]), "to": safe(m["to"])}, households=m["households"]
            )
        )
    fields = ("id", "from", "to", "households")
    style = {"color": MOVED, "weight": 1.5, "fillColor": MOVED, "fillOpacity": 0.85}
    made = folium.GeoJson(collection(features), style_function=lambda _: style, embed=True)
    if features:
        folium.GeoJsonTooltip(list(fields), aliases=[t(f"field_{f}") for f in fields], sticky=True).add_to(made)
    return made


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
