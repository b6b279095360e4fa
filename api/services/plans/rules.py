"""Rulesets for planners: listed, shown with what they mean, checked; and what a report says of their place."""

from __future__ import annotations

from typing import Any, Final

from api.messages import text
from data import rulesets
from gis.districting.placefigures import beside
from gis.districting.rulesets import Bounds, Ruleset
from gis.errors import WanggeError

#: Warnings that are shown one by one.
SHOWN: Final = 10


def overview() -> list[Ruleset]:
    """Every shipped ruleset."""
    return [rulesets.load(name) for name in rulesets.names()]


def check(name: str) -> Ruleset:
    """The ruleset, by name or path; raises :class:`InputError` naming the field at fault."""
    return rulesets.load(name)


def faults(names: list[str]) -> dict[str, WanggeError | None]:
    """What is wrong with each of several rulesets; None where nothing is."""
    out: dict[str, WanggeError | None] = {}
    for name in names:
        try:
            rulesets.load(name)
            out[name] = None
        except WanggeError as error:
            out[name] = error
    return out


def mark(ruleset: Ruleset, *words: str) -> str:
    """The mark 未核对 where the ruleset, one of the words or its table is unverified; else ""."""
    known = set(ruleset.unverified)
    doubtful = not ruleset.verified or any(w in known or w.split(".")[0] in known for w in words)
    return "未核对" if doubtful else ""


def described(ruleset: Ruleset, language: str) -> list[str]:
    """What a ruleset says, a line each."""

    def t(code: str, **values: object) -> str:
        return text(f"rules.{code}", language, **values)

    def line(code: str, *words: str, **values: object) -> str:
        doubt = mark(ruleset, *words)
        return t(code, **values) + (f" [{t('unverified')}]" if doubt else "")

    def span(b: Bounds) -> dict[str, object]:
        return {"least": b.minimum, "target": b.target, "most": b.maximum}

    lines = [f"{ruleset.name}: {ruleset.title}"]
    lines += [t("source", source=s) for s in ruleset.sources]
    counted = t(f"count_{ruleset.count}", households=ruleset.building_unit)
    lines.append(
        line(
            "residential", "residential.minimum", "residential.maximum", counted=counted, **span(ruleset.residential)
        )
    )
    if not ruleset.strict:
        lines.append(t("warn_only"))
    if ruleset.rural_rule != "none":
        lines.append(line(f"rural_{ruleset.rural_rule}", "rural", "rural.minimum", **span(ruleset.rural)))
    if ruleset.micro is not None:
        lines.append(line("micro", "micro", "micro.minimum", "micro.maximum", **span(ruleset.micro)))
    if ruleset.dedicated:
        kinds = t("join").join(t(f"kind_{k}") for k in ruleset.dedicated_kinds) or t("kind_none")
        lines.append(line("dedicated", "dedicated.kinds", kinds=kinds, area=f"{ruleset.dedicated_area:,.0f}"))
    if ruleset.people is not None:
        lines.append(line("people", "population", per=f"{ruleset.persons:g}", **span(ruleset.people)))
    if ruleset.balance_on == "work":
        weights = {"household": ruleset.household_work, **ruleset.work}
        said = t("join").join(f"{name} {weight:g}" for name, weight in weights.items())
        lines.append(line("work", "work", weights=said))
    lines.append(line("code", "codes.template", template=ruleset.code, first=ruleset.dedicated_from))
    for f in ruleset.figures:
        values = {"what": f.title(language), "arithmetic": f.arithmetic, "gives": f"{f.gives:,g}"}
        lines.append(t("figure", **values, role=t(f"role_{f.role}")))
    return lines


def rule_notes(report: dict[str, Any], language: str) -> list[str]:
    """What a report says of its ruleset's place: figures beside the plan's, warnings, communities in pieces."""
    lines = [
        text(
            "rules.beside",
            language,
            role=text(f"rules.role_{f['role']}", language),
            what=(language == "en" and f.get("title_en")) or f["what"],
            figure=f"{f['figure']:,g}",
            plan=f"{f['plan']:,.3g}" if f["plan"] < 100 else f"{f['plan']:,.0f}",
        )
        for f in report.get("figures", [])
    ]
    bounds = report.get("people_bounds") or {}
    warnings = report.get("warnings", [])
    lines += [
        text(
            "rules.warning_population",
            language,
            grid=w["grid"],
            people=f"{w['people']:,}",
            least=f"{bounds['minimum']:,}",
            most=f"{bounds['maximum']:,}",
        )
        for w in warnings[:SHOWN]
    ]
    if len(warnings) > SHOWN:
        lines.append(text("rules.more_warnings", language, count=len(warnings) - SHOWN))
    lines += [
        text("rules.pieces", language, community=c["name"], count=c["pieces"])
        for c in report["communities"]
        if c.get("pieces", 1) > 1
    ]
    return lines


def place_figures(report: dict[str, Any], ruleset: Ruleset) -> None:
    """Add the second level to a report's means and figures of a place, where the plan has micro-grids."""
    micro = report.get("micro")
    if micro and micro["micro_grids"]:
        report["grid_means"] |= {
            "micro_grids": micro["per_grid"],
            "micro_households": micro["counted"] / micro["micro_grids"],
        }
        report["figures"] = beside(ruleset.figures, report["grid_means"])
