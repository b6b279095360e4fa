"""The map of a plan's report: folium, with Leaflet inside the file and nothing asked of any server."""

from __future__ import annotations

import base64
import html
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final, cast

import folium
import geopandas
import numpy as np
import shapely
from branca.element import Element, Figure

from data.plan_files import PlanFile

#: Fills of neighbouring grids; told apart with any colour vision.
COLOURS: Final = ("#88ccee", "#ddcc77", "#cc6677", "#44aa99", "#aa4499", "#999933", "#6699cc", "#ee8866")
#: highway values drawn alike: (classes, colour, width in pixels).
STREETS: Final[tuple[tuple[frozenset[str], str, float], ...]] = (
    (frozenset({"footway", "path", "cycleway", "steps", "track", "bridleway", "corridor"}), "#b9a99a", 0.6),
    (frozenset({"service", "living_street", "pedestrian"}), "#a8a8a8", 0.9),
    (frozenset({"residential", "unclassified", "road", "busway"}), "#8f8f8f", 1.4),
    (frozenset({"tertiary", "tertiary_link"}), "#c9a227", 2.0),
    (frozenset({"secondary", "secondary_link"}), "#d98e04", 2.6),
    (frozenset({"primary", "trunk", "motorway", "primary_link", "trunk_link", "motorway_link"}), "#c85a17", 3.2),
)
#: basis -> (colour, width, dashes) of a border between two grids.
BORDERS: Final[dict[str, tuple[str, float, str | None]]] = {
    "street": ("#1b3a6b", 2.6, None),
    "barrier": ("#1b3a6b", 2.6, None),
    "moved": ("#1b3a6b", 2.6, None),
    "community": ("#1b3a6b", 2.6, "7 5"),
    "cell": ("#d1162a", 2.6, "3 4"),
}
#: Decimal places of degrees: 0.1 m.
PLACES: Final = 6


@dataclass(frozen=True)
class Words:
    """The words the map itself shows."""

    streets: str
    buildings: str
    grids: str
    borders: str
    labels: str
    fields: dict[str, str]  # column of ``grids`` -> what it is called
    micro: str = ""
    micro_fields: dict[str, str] = field(default_factory=dict)


def make_map(plan: PlanFile, words: Words) -> folium.Map:
    """A folium map of grids, borders, streets and buildings; its Leaflet is embedded."""
    layers = {
        k: v.to_crs("EPSG:4326") if isinstance(v, geopandas.GeoDataFrame) else v for k, v in plan.layers.items()
    }
    view = empty_map(layers["grids"].total_bounds.tolist())
    grids = _grids(layers["grids"], layers["borders"], words)
    grids.add_to(group(view, words.grids))
    _buildings(layers["buildings"]).add_to(group(view, words.buildings))
    if "micro_grids" in layers and len(layers["micro_grids"]):
        _micro_grids(layers["micro_grids"], words).add_to(group(view, words.micro, show=False))
    streets = group(view, words.streets)
    for drawn in _streets(layers["streets"]):
        drawn.add_to(streets)
    borders = group(view, words.borders)
    for drawn in _borders(layers["borders"]):
        drawn.add_to(borders)
    labels = group(view, words.labels)
    for label in _labels(layers["grids"]):
        label.add_to(labels)
    folium.LayerControl(collapsed=True).add_to(view)
    script = _asset("report/report.js").replace("PLAN_MAP", view.get_name()).replace("PLAN_GRIDS", grids.get_name())
    _root(view).script.add_child(verbatim(script), name="zz_report")
    return view


def _root(view: folium.Map) -> Figure:
    """The page around a map; folium types it as a plain Element."""
    return cast(Figure, view.get_root())


def empty_map(bounds: Sequence[float]) -> folium.Map:
    """A map without a base, its Leaflet embedded; ``bounds``: west, south, east, north in degrees."""
    west, south, east, north = bounds
    view = folium.Map(tiles=None, prefer_canvas=True, control_scale=True, zoom_control=True)
    view.default_js, view.default_css = [], []
    head = _root(view).header
    head.add_child(verbatim(f"<style>{leaflet_css()}</style>"), name="leaflet_css")
    head.add_child(verbatim(f"<script>{_asset('leaflet/leaflet.js')}</script>"), name="leaflet_js")
    view.fit_bounds([[south, west], [north, east]])
    return view


def verbatim(markup: str) -> Element:
    """A part of a folium page that is not read as a template. ``markup`` is ours, never the plan's."""
    return Element("{% raw %}" + markup + "{% endraw %}")


def _asset(name: str) -> str:
    return (files("api") / "static" / name).read_text(encoding="utf-8")


def leaflet_css() -> str:
    """Leaflet's style sheet with its one picture inside and the others, which we do not use, left out."""
    picture = base64.b64encode((files("api") / "static/leaflet/layers.png").read_bytes()).decode()
    css = _asset("leaflet/leaflet.css")
    css = css.replace("url(images/layers.png)", f"url(data:image/png;base64,{picture})")
    css = css.replace("url(images/layers-2x.png)", f"url(data:image/png;base64,{picture})")
    return re.sub(r"[^;{}]*url\((?!data:)[^)]*\)[^;}]*;", "", css)


def group(view: folium.Map, name: str, *, show: bool = True) -> folium.FeatureGroup:
    """A layer that a reader can switch."""
    made = folium.FeatureGroup(name=name, show=show)
    made.add_to(view)
    return made


def feature(shape: Any, **properties: Any) -> dict[str, Any]:
    """A GeoJSON feature, its places rounded to 0.1 m."""
    rounded = shapely.transform(shape, lambda p: np.round(p, PLACES))
    return {"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(rounded)}


def collection(features: list[dict[str, Any]]) -> dict[str, Any]:
    """A GeoJSON feature collection."""
    return {"type": "FeatureCollection", "features": features}


def _plain(value: Any) -> Any:
    if value is None or value != value:  # noqa: PLR0124 - NaN is the only value unlike itself
        return ""
    return value.item() if isinstance(value, np.generic) else value


def safe(value: Any) -> Any:
    """Text as it may stand in a tooltip, which Leaflet reads as HTML."""
    return html.escape(value) if isinstance(value, str) else value


def _grids(grids: Any, borders: Any, words: Words) -> folium.GeoJson:
    colour = colours_of(grids.code.tolist(), zip(borders["left"], borders["right"], strict=True))
    features = []
    for row in grids.to_dict("records"):
        shown = {c: safe(_plain(row[c])) for c in words.fields}
        features.append(
            feature(row["geometry"], **shown, grid=row["code"], fill=COLOURS[colour[row["code"]] % len(COLOURS)])
        )
    return folium.GeoJson(
        collection(features),
        style_function=lambda f: {"fillColor": f["properties"]["fill"], "fillOpacity": 0.42, "weight": 0},
        highlight_function=lambda _: {"fillOpacity": 0.7, "weight": 2, "color": "#000"},
        tooltip=folium.GeoJsonTooltip(list(words.fields), aliases=list(words.fields.values()), sticky=True),
        embed=True,
    )


def _micro_grids(rows: Any, words: Words) -> folium.GeoJson:
    """Second level: neighbours in the order of their numbers get other tones."""
    features = [
        feature(
            row["geometry"],
            **{c: safe(_plain(row[c])) for c in words.micro_fields},
            fill=COLOURS[(k * 3) % len(COLOURS)],
        )
        for k, row in enumerate(rows.to_dict("records"))
    ]
    return folium.GeoJson(
        collection(features),
        style_function=lambda f: {
            "fillColor": f["properties"]["fill"], "fillOpacity": 0.55, "weight": 0.7, "color": "#444",
        },
        highlight_function=lambda _: {"fillOpacity": 0.85, "weight": 2, "color": "#000"},
        tooltip=folium.GeoJsonTooltip(
            list(words.micro_fields), aliases=list(words.micro_fields.values()), sticky=True
        ),
        embed=True,
    )  # fmt: skip


def colours_of(codes: list[str], neighbours: Any) -> dict[str, int]:
    """A number for every grid such that no two neighbours have the same; the first that is free, in order."""
    beside: dict[str, set[str]] = defaultdict(set)
    for left, right in neighbours:
        beside[left].add(right)
        beside[right].add(left)
    colour: dict[str, int] = {}
    for code in codes:
        taken = {colour[other] for other in beside[code] if other in colour}
        colour[code] = next(k for k in range(len(codes) + 1) if k not in taken)
    return colour


def _buildings(buildings: Any) -> folium.GeoJson:
    shapes = buildings.geometry.to_numpy()
    polygons = [p for p in shapely.get_parts(shapes) if p.geom_type == "Polygon"]
    dots = shapely.buffer([p for p in shapely.get_parts(shapes) if p.geom_type == "Point"], 2e-5, quad_segs=2)
    features = [feature(shapely.MultiPolygon([*polygons, *dots]))] if len(polygons) + len(dots) else []
    style = {"fillColor": "#6b6257", "fillOpacity": 0.75, "weight": 0, "interactive": False}
    return folium.GeoJson(collection(features), style_function=lambda _: style, embed=True)


def _streets(streets: Any) -> list[folium.GeoJson]:
    drawn = []
    for classes, colour, width in STREETS:
        some = streets[streets.highway.isin(classes)]
        by_name: dict[str, list[Any]] = defaultdict(list)
        for shape, name in zip(some.geometry, some["name"].fillna(""), strict=True):
            by_name[name].extend(shapely.get_parts(shape))
        features = [
            feature(shapely.MultiLineString(lines), name=safe(name)) for name, lines in sorted(by_name.items())
        ]
        style = {"color": colour, "weight": width, "opacity": 0.9}
        # the style is one for the layer: no switch of thousands of features
        layer = folium.GeoJson(collection(features), style_function=lambda _, s=style: s, embed=True)
        if any(f["properties"]["name"] for f in features):
            folium.GeoJsonTooltip(["name"], labels=False, sticky=True).add_to(layer)
        drawn.append(layer)
    return drawn


def _borders(borders: Any) -> list[folium.GeoJson]:
    drawn = []
    for basis, (colour, width, dashes) in BORDERS.items():
        shapes = borders[borders.basis == basis].geometry
        if len(shapes):
            style = {"color": colour, "weight": width, "dashArray": dashes, "interactive": False}
            lines = shapely.MultiLineString(list(shapely.get_parts(shapes.to_numpy())))
            drawn.append(
                folium.GeoJson(collection([feature(lines)]), style_function=lambda _, s=style: s, embed=True)
            )
    return drawn


def _labels(grids: Any) -> list[folium.Marker]:
    """The grid's last digits and its households in the middle of each grid."""
    labels = []
    for row in grids.to_dict("records"):
        at = shapely.maximum_inscribed_circle(row["geometry"]).coords[0]
        text = f"<b>{safe(row['code'][-3:])}</b><br>{_plain(row['households'])}"
        icon = folium.DivIcon(html=f'<div class="grid-label">{text}</div>', icon_size=(46, 30), icon_anchor=(23, 15))
        labels.append(folium.Marker([at[1], at[0]], icon=icon))
    return labels
