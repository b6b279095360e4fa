"""The comparison of two plans as one HTML page that needs no network."""

from __future__ import annotations

import base64
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from branca.element import Element
from jinja2 import Environment, PackageLoader

from api.messages import text
from api.services.plans.comparing import MEASURES, Comparison, measures_table
from api.services.plans.comparing_pictures import BORDER_A, BORDER_B, MOVED, comparison_map, picture
from api.services.plans.report import POLICY
from api.services.plans.report_map import verbatim
from api.version import VERSION
from data.outputs import write_whole

#: Rows of moved buildings that the page lists; the JSON has all.
MOST_ROWS: Final = 400
#: Measures that are shares, shown in per cent with their difference in points.
SHARES: Final = frozenset(
    {"in_range_share", "rural_in_range_share", "contiguous_share", "on_street_share", "main_street_share",
     "avoidable_off_street_share", "micro_in_range_share"}
)  # fmt: skip
#: Measures of which more is better (+1) or worse (-1); the others are neither.
BETTER: Final[dict[str, int]] = {
    **dict.fromkeys(SHARES - {"avoidable_off_street_share"}, 1), "avoidable_off_street_share": -1,
    "exceptions": -1, "compactness_mean": 1, "cv_households": -1, "objective": -1,
}  # fmt: skip
DIGITS: Final[dict[str, int]] = {"compactness_mean": 3, "cv_households": 3}


def write_page(found: Comparison, output: Path, language: str = "zh-CN") -> int:
    """Write the page, whole or not at all; its size in bytes."""
    page = render(found, language).encode()
    write_whole(output, page)
    return len(page)


def render(found: Comparison, language: str) -> str:
    """The whole page: tables and the two pictures on the left, the map of both on the right."""

    def t(code: str, **values: object) -> str:
        return text(f"compare.{code}", language, **values)

    view = comparison_map(found, t)
    root: Any = view.get_root()
    root.title = t("title")
    styles = "".join(
        (files("api") / f"static/report/{n}.css").read_text(encoding="utf-8") for n in ("report", "compare")
    )
    head = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><style>{styles}</style>'
    root.header.add_child(verbatim(head), name="report_head")
    root.html.add_child(Element(_panel(found, t, language)), name="a_panel")
    html: str = root.render()
    return html.replace("<html>", f'<html lang="{language}">', 1)


def _panel(found: Comparison, t: Callable[..., str], language: str) -> str:
    figures = found.as_json()
    template = Environment(loader=PackageLoader("api"), autoescape=True).get_template("compare_panel.html")
    moves = figures["moves"]
    called = (found.called("a"), found.called("b"))
    attributions = dict.fromkeys(a for a in (found.a.file.attribution, found.b.file.attribution) if a)
    panel = template.render(
        t=t,
        a=found.a.name,
        b=found.b.name,
        notes=_notes(found, figures, t),
        cards=_cards(figures, found.a.plan.ruleset == found.b.plan.ruleset, t),
        measures=_measures(found, t),
        grids=[_grid_row(r, called) for r in figures["grids"]],
        flows=[_move_row(r, called, t) for r in figures["flows"]],
        kind=found.kind,
        moves=[_move_row(r, called, t) for r in moves[:MOST_ROWS]],
        more=len(moves) - MOST_ROWS,
        picture=base64.b64encode(picture(found)).decode(),
        legend=[
            (t("borders_a"), f"border-color:{BORDER_A[0]};border-top-style:dashed", False),
            (t("borders_b"), f"border-color:{BORDER_B[0]}", False),
            (t("moved_layer"), f"background:{MOVED}", True),
        ],
        attribution="; ".join(attributions),
        made_with=text("report.made_with", language, version=VERSION),
    )
    return panel.replace("{", "&#123;")  # what is added to a folium page is read as a template once more


def _notes(found: Comparison, figures: dict[str, Any], t: Callable[..., str]) -> list[str]:
    """What a reader must know before the figures: other atoms, things in one plan only, other rules."""
    notes = [t(f"by_{found.kind}"), t("same_atoms" if found.same_atoms else "other_atoms")]
    for end in ("a", "b"):
        only = figures[f"only_{end}"]
        if only[found.kind]:
            notes.append(t(f"only_{end}", count=f"{only[found.kind]:,}", households=f"{only['households']:,}"))
    rules = [s.plan.ruleset for s in (found.a, found.b)]
    if rules[0] != rules[1]:
        said = [t("rules", name=r.name, least=r.residential.minimum, most=r.residential.maximum) for r in rules]
        notes.append(t("other_rules", a=said[0], b=said[1]))
    return notes


def _cards(figures: dict[str, Any], same_rules: bool, t: Callable[..., str]) -> list[tuple[str, str]]:
    moved, table = figures["moved"], figures["measures"]
    kind = figures["compared_by"]
    share = "–" if moved["share"] is None else f"{100 * moved['share']:.1f} %"
    told = "objective" if same_rules else "cv_households"  # objectives under other rules do not compare
    return [
        (t("card_households"), f"{moved['households']:,}"),
        (t("card_share"), share),
        (t(f"card_{kind}"), f"{moved[kind]:,}"),
        (t("card_kept"), f"{figures['kept_grids']} / {table['grids']['a']} → {table['grids']['b']}"),
        (t(f"card_{told}"), _said(told, table[told]["difference"], signed=True)),
        (t("card_compactness"), _said("compactness_mean", table["compactness_mean"]["difference"], signed=True)),
    ]


def _measures(found: Comparison, t: Callable[..., str]) -> list[dict[str, str]]:
    table = measures_table(found.a.measures, found.b.measures)
    rows = []
    for name in MEASURES:
        row = table[name]
        if row["a"] is None and row["b"] is None:
            continue
        change = row["difference"]
        towards = 0 if change is None or abs(change) < 1e-9 else BETTER.get(name, 0) * (1 if change > 0 else -1)
        rows.append({
            "label": t(f"measure_{name}"),
            "a": _said(name, row["a"], t=t),
            "b": _said(name, row["b"], t=t),
            "difference": _said(name, change, signed=True),
            "css": {1: "better", -1: "worse", 0: ""}[towards],
        })  # fmt: skip
    return rows


def _said(name: str, value: Any, *, signed: bool = False, t: Callable[..., str] | None = None) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return ("yes" if value else "no") if t is None else t("yes" if value else "no")
    sign = "+" if signed else ""
    if signed and abs(value) < 1e-9:
        return "0"
    if name in SHARES:
        return f"{100 * value:{sign}.1f}" + (" pp" if signed else " %")
    if isinstance(value, int):
        return f"{value:{sign},d}"
    return f"{value:{sign},.{DIGITS.get(name, 0)}f}"


Called = tuple[dict[str, str], dict[str, str]]


def _move_row(row: dict[str, Any], called: Called, t: Callable[..., str]) -> dict[str, Any]:
    was = t("was", name=called[0][row["to_was"]]) if row["to_was"] else t("new")
    return {**row, "from": called[0][row["from"]], "to": called[1][row["to"]], "was": was}


def _grid_row(row: dict[str, Any], called: Called) -> dict[str, Any]:
    def count(value: int | None) -> str:
        return "–" if value is None else f"{value:,}"

    sizes = (row["a_households"], row["b_households"])
    changed = bool(row["went"] or row["came"] or not row["a"] or not row["b"] or sizes[0] != sizes[1])
    return {
        "a": called[0].get(row["a"], ""),
        "b": called[1].get(row["b"], ""),
        "code_a": row["a"],
        "code_b": row["b"],
        "a_households": count(sizes[0]),
        "b_households": count(sizes[1]),
        "shared": f"{row['shared']:,}",
        "went": count(row["went"]) if row["went"] else "",
        "came": count(row["came"]) if row["came"] else "",
        "changed": changed,
    }
