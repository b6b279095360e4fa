"""``wangge report``: a plan file as one HTML page that needs no network."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from branca.element import Element
from jinja2 import Environment, PackageLoader

from api.messages import catalogue, text
from api.services.plans.explaining import explain_plan
from api.services.plans.report_map import BORDERS, Words, make_map, verbatim
from api.version import VERSION
from data.plan_files import PlanFile, read_plan
from data.plan_inside import planned_of
from gis.errors import InputError

#: The page may run its own script and styles and nothing else: no request can leave it.
POLICY: Final = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
#: Columns of ``grids`` that a pointer shows.
SHOWN: Final = ("code", "name", "community", "households", "buildings")
#: Columns of ``micro_grids`` that a pointer shows.
MICRO_SHOWN: Final = ("code", "name", "households", "buildings")


@dataclass(frozen=True)
class Page:
    """What was written, for the line a person reads."""

    path: Path
    grids: int
    bytes: int


def write_report(plan_path: Path, output: Path, *, figures: Path | None = None, language: str = "zh-CN") -> Page:
    """Write the plan as one HTML file, whole or not at all.

    ``figures`` is the JSON report of the same plan: with it the page also says the bounds, the proof, and the
    communities' names. Raises :class:`InputError` when either file cannot be used.
    """
    plan = read_plan(plan_path)
    said = _read_figures(figures)
    if not output.resolve().parent.is_dir():
        raise InputError("report.no_folder", folder=output.resolve().parent)
    page = render(plan, plan_path.name, said, language)
    part = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        part.write_text(page, encoding="utf-8")
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
    return Page(output, len(plan.layers["grids"]), output.stat().st_size)


def _read_figures(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError("report.figures", file=path, detail=str(error)) from None
    if not isinstance(said, dict) or "grids" not in said:
        raise InputError("report.figures", file=path, detail="grids")
    return said


def render(plan: PlanFile, name: str, said: dict[str, Any], language: str) -> str:
    """The whole page."""

    def t(code: str, **values: object) -> str:
        return text(code, language, **values)

    view = make_map(plan, _words(t))
    root: Any = view.get_root()
    root.title = f"{t('report.title')} · {name}"
    head = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><style>{_style()}</style>'
    root.header.add_child(verbatim(head), name="report_head")
    root.html.add_child(Element(_panel(plan, name, said, t, language)), name="a_panel")
    html: str = root.render()
    return html.replace("<html>", f'<html lang="{language}">', 1)


def _style() -> str:
    from importlib.resources import files

    return (files("api") / "static/report/report.css").read_text(encoding="utf-8")


def _words(t: Callable[..., str]) -> Words:
    fields = {c: t(f"report.{c}") for c in SHOWN}
    return Words(
        t("report.layer_streets"),
        t("report.layer_buildings"),
        t("report.layer_grids"),
        t("report.layer_borders"),
        t("report.layer_labels"),
        fields,
        t("report.layer_micro"),
        {c: t(f"report.{c}") for c in MICRO_SHOWN},
    )


def _panel(plan: PlanFile, name: str, said: dict[str, Any], t: Callable[..., str], language: str) -> str:
    environment = Environment(loader=PackageLoader("api"), autoescape=True)
    template = environment.get_template("report_panel.html")
    names = {c["code"]: c["name"] for c in said.get("communities", [])}
    panel = template.render(
        t=t,
        name=name,
        extent=_extent(plan),
        figures=_figures(plan, said, t),
        proof=_proof(said, t),
        legend=_legend(plan, t),
        grids=_rows(plan, names, t, language, _reasons(plan, name, language)),
        micro=_micro(plan, t, language),
        excluded=_excluded(plan, language),
        attribution=plan.attribution or said.get("attribution", ""),
        version=VERSION,
    )
    return panel.replace("{", "&#123;")  # what is added to a folium page is read as a template once more


def _extent(plan: PlanFile) -> str:
    square_km = plan.layers["grids"].to_crs(plan.layers["grids"].estimate_utm_crs()).area.sum() / 1e6
    return f"{square_km:.2f} km²"


def _percent(value: float | None) -> str:
    return "–" if value is None or not np.isfinite(value) else f"{100 * value:.1f} %"


def _figures(plan: PlanFile, said: dict[str, Any], t: Callable[..., str]) -> list[tuple[str, str]]:
    """Figures of the plan file itself; those that need its rules come from the JSON report."""
    grids, borders = plan.layers["grids"], plan.layers["borders"]
    residential = grids[grids.kind == "residential"]
    metres = borders.geometry.length
    on_street = (
        metres[borders.basis.isin(["street", "barrier", "moved"])].sum() / metres.sum() if len(borders) else None
    )
    shown = [
        (t("report.figure_grids"), f"{len(grids):,}"),
        (t("report.figure_households"), f"{int(grids.households.sum()):,}"),
        (t("report.figure_buildings"), f"{len(plan.layers['buildings']):,}"),
        (t("report.figure_mean"), f"{residential.counted.mean():.0f}" if len(residential) else "–"),
        (t("report.figure_on_street"), _percent(on_street)),
    ]
    if said:
        bounds = said.get("bounds", {})
        label = t("report.figure_in_range", least=bounds.get("minimum", "?"), most=bounds.get("maximum", "?"))
        return [*shown[:4], (label, _percent(said.get("in_range_share"))), shown[4]]
    compact = residential.compactness.mean() if len(residential) else float("nan")
    return [*shown, (t("report.figure_compactness"), f"{compact:.2f}")]


def _proof(said: dict[str, Any], t: Callable[..., str]) -> str:
    status = said.get("certificate", {}).get("status")
    if status not in ("optimal", "gap", "infeasible", "none"):
        return ""
    return t(f"report.proof_{status}", gap=_percent(said.get("gap")))


def _legend(plan: PlanFile, t: Callable[..., str]) -> list[tuple[str, dict[str, Any]]]:
    present = set(plan.layers["borders"].basis)
    entries: list[tuple[str, dict[str, Any]]] = []
    for basis, (colour, _, dashes) in BORDERS.items():
        if basis == "street" or (basis in present and basis in ("community", "cell")):
            css = f"border-color:{colour};border-top-style:{'dashed' if dashes else 'solid'}"
            entries.append((t(f"report.border_{basis}"), {"css": css, "area": False}))
    entries.append((t("report.layer_buildings"), {"css": "background:#6b6257", "area": True}))
    main = "border-color:#c85a17"
    entries.append((t("report.main_street"), {"css": main, "area": False}))
    return entries


def _reasons(plan: PlanFile, name: str, language: str) -> dict[str, list[str]]:
    """Why each grid's borders are where they are, by its code; nothing for files of an older version."""
    if "edges" not in plan.layers or "about" not in plan.layers:
        return {}
    return explain_plan(planned_of(plan.layers, plan.crs, name), language).by_grid()


def _micro(plan: PlanFile, t: Callable[..., str], language: str) -> list[str]:
    """The lines about micro-grids: how many, how large, why some are out of their bounds."""
    if "micro_grids" not in plan.layers or not len(plan.layers["micro_grids"]):
        return []
    rows = plan.layers["micro_grids"]
    note = rows.note.fillna("")
    share = _percent(float((note == "").mean()))
    said = [t("report.micro", count=f"{len(rows):,}", mean=f"{rows.counted.mean():.1f}", range=share)]
    for reason, count in note[note != ""].value_counts().sort_index().items():
        said.append(t("report.micro_missed", count=count, reason=text(f"micro.{reason}", language)))
    return said


def _rows(
    plan: PlanFile, names: dict[str, str], t: Callable[..., str], language: str, reasons: dict[str, list[str]]
) -> list[dict[str, Any]]:
    rows = []
    for row in plan.layers["grids"].drop(columns="geometry").to_dict("records"):
        note = row["note"] or ""
        code = f"exception_{note}"
        rows.append({
            "code": row["code"],
            "name": row["name"],
            "kind": "" if row["kind"] == "residential" else t(f"report.kind_{row['kind']}"),
            "community": names.get(row["community"], row["community"]),
            "households": f"{int(row['households']):,}",
            "buildings": f"{int(row['buildings']):,}",
            "on_street": _percent(row["on_street_share"]),
            "note": text(code, language) if code in catalogue(language) else note,
            "missed": bool(note),
            "why": reasons.get(str(row["code"]), []),
        })  # fmt: skip
    return rows


def _excluded(plan: PlanFile, language: str) -> list[dict[str, Any]]:
    found = plan.layers["excluded"]
    rows = []
    for (layer, reason), group in found.groupby(["layer", "reason"]):
        rows.append({
            "layer": layer,
            "reason": text(f"excluded.{reason}", language),
            "features": f"{len(group):,}",
            "households": f"{int(group.households.sum()):,}",
        })  # fmt: skip
    return rows
