"""A numbering looked at on the map before anything is issued 编号预览: one HTML page that needs no network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import folium
import numpy as np
import shapely
from branca.element import Element
from jinja2 import Environment, PackageLoader

from api.messages import text
from api.services.addresses.addresses import Assigned, Proposal
from api.services.plans.report import POLICY
from api.services.plans.report_map import collection, empty_map, feature, group, safe, verbatim
from api.version import VERSION
from data.outputs import write_whole
from gis.addressing import doornumbers
from gis.addressing.breaks import CLASSES
from gis.territory.crs import reproject
from gis.territory.model import Bools, Texts

#: Kinds of numbers and their fills: kept, new on a street without numbers, fitted between existing ones, attached to
#: a neighbour's, none.
KINDS: Final = {"kept": "#7f8fa6", "new": "#228833", "infill": "#4477aa", "attached": "#aa3377", "none": "#d8d2c4"}
#: Outline of buildings with a break, and of those whose street is in doubt.
BROKEN, UNSURE = "#d1162a", "#e8a33d"
#: Breaks that the page lists (the file of faults has all), and buildings it draws.
MOST_ROWS: Final = 500
MOST_DRAWN: Final = 30_000
#: Properties of a feature that are its style.
_OWN: Final = ("fillColor", "color", "weight")
_SCRIPT: Final = """
document.addEventListener("DOMContentLoaded", function () {
  var map = PREVIEW_MAP, box = map.getContainer();
  function near() { box.classList.toggle("near", map.getZoom() >= 17); }
  map.on("zoomend", near); near();
  document.querySelectorAll("tr[data-at]").forEach(function (row) {
    row.addEventListener("click", function () { map.setView(JSON.parse(row.dataset.at), 18); });
  });
});
"""


def write_preview(made: Proposal, done: Assigned, output: Path, language: str = "zh-CN") -> int:
    """Write the page, whole or not at all; its size in bytes."""
    page = render(made, done, language).encode()
    write_whole(output, page)
    return len(page)


def render(made: Proposal, done: Assigned, language: str) -> str:
    """The whole page: figures, ruleset and breaks on the left, the map on the right."""

    def t(code: str, **values: object) -> str:
        return text(f"numbering.{code}", language, **values)

    kind = kinds(made)
    crs = made.territory.crs
    shapes = reproject(made.layers.buildings.geometry, crs, "EPSG:4326")
    lines = reproject(made.found.thoroughfares.piece, crs, "EPSG:4326")
    everything = np.concatenate([shapes, lines]) if len(shapes) + len(lines) else np.array([shapely.Point(0, 0)])
    view = empty_map(shapely.total_bounds(everything).tolist())
    drawn = _drawn(made, kind)
    for name, parts in (
        ("buildings", _buildings(made, shapes, kind, drawn, t)),
        ("streets", _streets(made, lines, t)),
        ("doors", _doors(made, t)),
        ("numbers", _labels(made, shapes, drawn)),
    ):
        layer = group(view, t(name))
        for part in parts:
            part.add_to(layer)
    folium.LayerControl(collapsed=True).add_to(view)
    root: Any = view.get_root()
    root.title = t("title")
    styles = "".join(
        (files("api") / f"static/report/{n}.css").read_text(encoding="utf-8") for n in ("report", "numbering")
    )
    head = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><style>{styles}</style>'
    root.header.add_child(verbatim(head), name="report_head")
    root.html.add_child(Element(_panel(made, done, kind, shapes, len(drawn), t, language)), name="a_panel")
    root.script.add_child(verbatim(_SCRIPT.replace("PREVIEW_MAP", view.get_name())), name="zz_preview")
    html: str = root.render()
    return html.replace("<html>", f'<html lang="{language}">', 1)


def kinds(made: Proposal) -> Texts:
    """For each building one of ``KINDS``, "" for outbuildings without an address."""
    found = made.found
    numbered = found.number != ""
    old = np.zeros(len(found.thoroughfares) + 1, dtype=bool)
    old[found.thoroughfare[numbered & found.kept]] = True
    old[-1] = False
    kind = np.where(numbered, np.where(old[found.thoroughfare], "infill", "new"), "none").astype(object)
    attached = np.array([len(k) > 1 for k in _keys(made)], dtype=bool)
    kind[numbered & attached] = "attached"
    kind[numbered & found.kept] = "kept"
    kind[found.text == ""] = ""
    return kind


def _keys(made: Proposal) -> list[doornumbers.Key]:
    found = made.found
    of: dict[int, list[str]] = {}
    for street, number, kept in zip(found.thoroughfare.tolist(), found.number, found.kept, strict=True):
        if kept:
            of.setdefault(street, []).append(str(number))
    block = {street: doornumbers.block_of(numbers) for street, numbers in of.items()}
    read = (
        doornumbers.read(str(n), block=block.get(s, 0))
        for s, n in zip(found.thoroughfare.tolist(), found.number, strict=True)
    )
    return [r[0].low if len(r) == 1 else () for r in read]


def _broken(made: Proposal) -> Bools:
    marked = np.zeros(len(made.found.text), dtype=bool)
    marked[[b.item for b in made.found.breaks if b.reason != "no_street"]] = True
    return marked


def _drawn(made: Proposal, kind: Texts) -> list[int]:
    """Buildings that the map shows: all, or those with a break or a new number first."""
    rows = np.flatnonzero(kind != "")
    if len(rows) <= MOST_DRAWN:
        return [int(i) for i in rows]
    weight = np.where(_broken(made), 0, np.where(np.isin(kind, ("kept", "none")), 2, 1))[rows]
    return sorted(int(i) for i in rows[np.argsort(weight, kind="stable")][:MOST_DRAWN])


def _buildings(
    made: Proposal, shapes: Any, kind: Texts, drawn: list[int], t: Callable[..., str]
) -> list[folium.GeoJson]:
    found, broken = made.found, _broken(made)
    words = {k: t(f"kind_{k}") for k in KINDS}
    features = []
    for i in drawn:
        line = BROKEN if broken[i] else UNSURE if found.thoroughfare[i] >= 0 and not found.sure[i] else "#555"
        features.append(
            feature(
                shapes[i],
                address=safe(str(found.text[i])),
                other=safe(str(found.other[i])),
                kind=words[str(kind[i])] + ("" if found.sure[i] or found.thoroughfare[i] < 0 else t("doubt")),
                fillColor=KINDS[str(kind[i])],
                color=line,
                weight=2.5 if line != "#555" else 0.5,
            )
        )
    fields = {"address": t("address"), "other": t("other"), "kind": t("state")}
    return _layer(features, fields, {"fillOpacity": 0.75})


def _streets(made: Proposal, lines: Any, t: Callable[..., str]) -> list[Any]:
    """Every street as a line with its beginning (a dot) and its counting direction (arrows)."""
    roads, turned = made.found.thoroughfares, made.found.turned
    ends = np.r_[roads.piece_of[1:] != roads.piece_of[:-1], True] if len(lines) else np.zeros(0, dtype=bool)
    ways, dots, arrows = [], [], []
    for k, line in enumerate(lines):
        of = int(roads.piece_of[k])
        side = t("odd_right" if made.found.odd_right[of] != turned[of] else "odd_left")
        begun = "numbers" if turned[of] else roads.begun[of]
        how = f"{t(f'begun_{begun}')}; {side}; {t(f'shape_{roads.shape[of]}')}"
        said = {"street": safe(str(roads.name[of])), "how": how}
        ways.append(feature(line, **said))
        first = k == 0 or roads.piece_of[k - 1] != of
        if ends[k] if turned[of] else first:
            dots.append(feature(shapely.Point(line.coords[-1 if turned[of] else 0]), **said))
        middle = line.interpolate(0.5, normalized=True)
        behind, ahead = line.interpolate(0.49, normalized=True), line.interpolate(0.51, normalized=True)
        turn = float(np.degrees(np.arctan2(behind.y - ahead.y, ahead.x - behind.x))) + 180.0 * turned[of]
        icon = f'<div class="way"><b style="transform:rotate({turn:.0f}deg)">➤</b><i>{said["street"]}</i></div>'
        arrows.append(folium.Marker((middle.y, middle.x), icon=folium.DivIcon(icon, icon_size=(0, 0))))
    fields = {"street": t("street"), "how": t("counting")}
    return [
        *_layer(ways, fields, {"color": "#9c8f76", "weight": 3, "opacity": 0.8}),
        *_layer(dots, fields, {"color": "#9c5a1a", "fillColor": "#9c5a1a", "weight": 2, "fillOpacity": 0.8}),
        *arrows,
    ]


def _layer(features: list[dict[str, Any]], fields: dict[str, str], style: dict[str, Any]) -> list[folium.GeoJson]:
    """Features with a tooltip, [] without any; points are dots."""
    if not features:
        return []
    dot = folium.CircleMarker(radius=4, fill=True)
    return [
        folium.GeoJson(
            collection(features),
            style_function=lambda f: style | {k: f["properties"][k] for k in _OWN if k in f["properties"]},
            marker=dot,
            tooltip=folium.GeoJsonTooltip(list(fields), aliases=list(fields.values()), sticky=True),
            embed=True,
        )
    ]


def _doors(made: Proposal, t: Callable[..., str]) -> list[Any]:
    doors = made.found.doors
    places = reproject(made.layers.doors.geometry[doors.door], made.territory.crs, "EPSG:4326")
    features = [
        feature(p, address=safe(str(said)), fillColor=KINDS["kept" if kept else "new"])
        for p, said, kept in zip(places, doors.text, doors.kept, strict=True)
    ]
    return _layer(features, {"address": t("door")}, {"color": "#333", "weight": 1, "fillOpacity": 0.9})


def _labels(made: Proposal, shapes: Any, drawn: list[int]) -> list[Any]:
    """Numbers in the middle of their buildings, shown when the map is near."""
    found = made.found
    return [
        folium.Marker((at.y, at.x), icon=folium.DivIcon(f'<div class="num">{safe(number)}</div>', icon_size=(0, 0)))
        for i in drawn
        if (number := str(found.number[i] or found.block[i]))
        for at in [shapes[i].centroid]
    ]


def _panel(
    made: Proposal, done: Assigned, kind: Texts, shapes: Any, drawn: int, t: Callable[..., str], language: str
) -> str:
    count = Counter(str(k) for k in kind if k)
    source = {str(s): k for k, s in enumerate(made.layers.buildings.source_id)}
    rows = [
        {
            "kind": f.kind,
            "reason": text(f"addresses.fault.{f.reason}", language),
            "value": f.value,
            "address": f.address,
            "at": [round(c, 6) for c in reversed(shapes[source[f.building]].centroid.coords[0])],
        }
        for f in sorted(done.faults, key=lambda f: (CLASSES.index(f.kind), f.reason, f.address))[:MOST_ROWS]
    ]
    roads = made.found.thoroughfares
    template = Environment(loader=PackageLoader("api"), autoescape=True).get_template("numbering_panel.html")
    panel = template.render(
        t=t,
        territory=made.territory.title or made.territory.name,
        rule=made.rule,
        cards=[(t(f"kind_{k}"), f"{count[k]:,}") for k in KINDS]
        + [(t("unsure"), f"{done.unsure:,}"), (t("doors"), f"{len(made.found.doors.door):,}")],
        streets=t("street_count", count=f"{len(roads):,}", several=f"{int(np.sum(roads.place > 0)):,}"),
        legend=[(t(f"kind_{k}"), fill) for k, fill in KINDS.items()],
        outlines=[(t("broken"), BROKEN), (t("unsure"), UNSURE)],
        classes=[(c, done.by_kind.get(c, 0)) for c in CLASSES],
        rows=rows,
        more=len(done.faults) - len(rows),
        left_out=int(np.sum(kind != "")) - drawn,
        made_with=text("report.made_with", language, version=VERSION),
    )
    return panel.replace("{", "&#123;")  # what is added to a folium page is read as a template once more
