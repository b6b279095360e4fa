"""``wangge explain``: a plan file's borders and exceptions, each with its reason in words."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from api.messages import catalogue, text
from data.outputs import write_whole
from data.plan_files import read_plan
from data.plan_inside import Planned, planned_of
from gis.districting.explain import Border, Carrier, Difference, Move, Situation, explain
from gis.districting.search import possible_numbers
from gis.districting.units import atom_units
from gis.errors import InputError
from gis.territory.classes import LANE_RANK, STREET_RANK
from gis.territory.model import Texts

#: A part of a border shorter than this share of it is not worth a word.
WORTH_A_WORD: Final = 0.1
#: Names said of one border.
MOST_NAMES: Final = 3

Words = Callable[..., str]


@dataclass(frozen=True)
class Explained:
    """A plan's borders and exceptions: figures for programs, sentences for people."""

    borders: list[dict[str, Any]]
    exceptions: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def by_grid(self) -> dict[str, list[str]]:
        """Sentences about each grid, by its code: for a page or a column."""
        said: dict[str, list[str]] = defaultdict(list)
        for row in self.exceptions:
            said[row["grid"]].append(row["text"])
        for row in self.borders:
            for end in ("left", "right"):
                said[row[end]].append(row["text"])
        return dict(said)


def explain_file(path: str | Path, language: str = "zh-CN", grids: Sequence[str] = ()) -> Explained:
    """Explain a plan file; with ``grids`` (codes) only what concerns those.

    Raises ``InputError`` when the file is no plan, or of a version that did not keep what is needed.
    """
    file = read_plan(path)
    plan = planned_of(file.layers, file.crs, Path(path).name)
    require_grids(plan, grids, Path(path).name)
    return explain_plan(plan, language, grids)


def require_grids(plan: Planned, grids: Sequence[str], name: str) -> None:
    """Raise ``InputError`` where a plan has no grid of a code that was asked for."""
    for grid in grids:
        if grid not in plan.code:
            raise InputError("explain.no_grid", file=name, grid=grid)


def explain_plan(plan: Planned, language: str = "zh-CN", grids: Sequence[str] = ()) -> Explained:
    """Explain a plan that was read."""
    wanted = set(grids)

    def t(code: str, **values: object) -> str:
        return text(f"explain.{code}", language, **values)

    names = _grid_names(plan, t)
    borders = [
        _border(plan, b, names, t)
        for b in explain(situation_of(plan))
        if not wanted or {str(plan.code[b.left]), str(plan.code[b.right])} & wanted
    ]
    exceptions = [_exception(plan, e, t, language) for e in plan.exceptions if not wanted or e["grid"] in wanted]
    return Explained(borders, exceptions)


def situation_of(plan: Planned) -> Situation:
    """What the engine needs of a plan that was read."""
    e = plan.edges
    return Situation(
        units=atom_units(
            plan.atom_set(),
            plan.graph(),
            plan.ruleset.class_prices(),
            plan.bounded,
            plan.load(),
            plan.compound,
            plan.ruleset.compound,
        ),
        grid=plan.grid,
        community=plan.community_number(),
        kind=plan.kind,
        ruleset=plan.ruleset,
        edge_head=e.head,
        edge_tail=e.tail,
        edge_kind=e.kind,
        edge_basis=e.basis,
        edge_metres=e.metres,
        edge_names=e.names,
        compound=plan.compound,
    )


def _grid_names(plan: Planned, t: Words) -> tuple[Texts, Texts]:
    """How grids are called within their community, and beyond it."""
    community, owner = _community_names(plan), _communities_of_grids(plan)
    short, long = np.empty(len(plan.code), object), np.empty(len(plan.code), object)
    for g, (name, code) in enumerate(zip(plan.name, plan.code, strict=True)):
        short[g] = t("grid", name=name, number=str(code)[-3:])
        long[g] = t("grid_of", community=community.get(owner[g], owner[g]), name=name, number=str(code)[-3:])
    return short, long


def _community_names(plan: Planned) -> dict[str, str]:
    """Names of the communities by code."""
    return {str(c["code"]): str(c["name"] or c["code"]) for c in plan.communities}


def _communities_of_grids(plan: Planned) -> Texts:
    """Code of each grid's community."""
    owner = np.full(len(plan.code), "", object)
    owner[plan.grid] = plan.community
    return owner


def _border(plan: Planned, b: Border, called: tuple[Texts, Texts], t: Words) -> dict[str, Any]:
    names = called[1] if b.between_communities else called[0]
    sentences = [t("follows", left=names[b.left], right=names[b.right], metres=round(b.metres),
                   along=_along(b.carriers, b.metres, t))]  # fmt: skip
    labels = np.unique(plan.block)
    if b.between_communities:
        sentences.append(t("community" if plan.communities_given else "community_made"))
    for cut in b.cut_blocks:
        if cut.metres >= 1:
            said = "cut_above" if cut.above else "cut_within"
            maximum = plan.ruleset.residential.maximum
            sentences.append(
                t(said, block=labels[cut.block], households=cut.households, maximum=maximum, metres=round(cut.metres))
            )
    moves = [m for m in b.moves if m is not None]
    if len(moves) == 2 and not (moves[0].parts or moves[1].parts):
        moves = moves[:1]  # either grid into the other is the same one grid
    sentences += [_move(m, labels, names, t) for m in moves]
    if b.tried > sum(m is not None for m in b.moves):
        sentences.append(t("tried", tried=b.tried, possible=b.possible, cheaper=b.cheaper))
    own = "" if b.between_communities else str(plan.community[plan.grid == b.left][0])
    return {
        "community": own,
        "community_name": _community_names(plan).get(own, own),
        "left": str(plan.code[b.left]),
        "right": str(plan.code[b.right]),
        "metres": round(b.metres, 1),
        "reason": _reason(b),
        "carriers": [asdict(c) for c in b.carriers],
        "cut_blocks": [{**asdict(c), "block": str(labels[c.block])} for c in b.cut_blocks],
        "moves": [_move_figures(m, plan, labels) for m in b.moves if m is not None],
        "tried": b.tried,
        "possible": b.possible,
        "cheaper": b.cheaper,
        "text": t("join").join(sentences),
    }


def _reason(b: Border) -> str:
    """One word for why the border stays where it is: community, bounds (no move keeps them), or cost."""
    if b.between_communities:
        return "community"
    if not b.possible:
        return "bounds"
    return "cost" if not b.cheaper else "choice"


def _move_figures(m: Move, plan: Planned, labels: Any) -> dict[str, Any]:
    return {
        "from": str(plan.code[m.giver]),
        "to": str(plan.code[m.taker]),
        "block": str(labels[m.block]),
        "whole_block": m.whole,
        "households": m.households,
        "breaks": m.breaks,
        "bound": m.bound,
        "from_households": m.giver_after,
        "to_households": m.taker_after,
        "parts": m.parts,
        "along": [asdict(c) for c in m.carriers],
        "objective": {**{k: round(v, 2) for k, v in asdict(m.difference).items()},
                      "total": round(m.difference.total, 2)},
    }  # fmt: skip


def _move(m: Move, labels: Any, names: Texts, t: Words) -> str:
    metres = sum(c.metres for c in m.carriers)
    values: dict[str, object] = {
        "block": t("block" if m.whole else "block_part", block=labels[m.block]),
        "households": m.households,
        "giver": names[m.giver],
        "taker": names[m.taker],
        "along": _along(m.carriers, metres, t) if m.carriers else t("nothing"),
        "giver_after": m.giver_after,
        "taker_after": m.taker_after,
        "bound": m.bound,
        "parts": m.parts,
    }
    if m.breaks:
        return t(f"move_{m.breaks}" if m.parts else "merge_above", **values)
    cost = (
        "move_dearer" if m.difference.total > 0.5 else "move_cheaper" if m.difference.total < -0.5 else "move_equal"
    )
    if not m.parts:
        cost = cost.replace("move", "merge")
    return t(cost, **values, total=f"{abs(m.difference.total):.0f}", terms=_terms(m.difference, t))


def _terms(d: Difference, t: Words) -> str:
    said = [t(f"term_{name}", value=f"{value:+.0f}") for name, value in asdict(d).items() if abs(value) >= 0.5]
    return t("list").join(said) or "0"


def _along(carriers: tuple[Carrier, ...], metres: float, t: Words) -> str:
    """What a border follows, the longest first: names of streets, water, ...; nothing short is mentioned."""
    by_name: dict[str, float] = defaultdict(float)
    for c in carriers:
        by_name[_carrier(c, t)] += c.metres
    ranked = sorted(by_name.items(), key=lambda c: (-c[1], c[0]))
    said = [(n, m) for n, m in ranked if m >= WORTH_A_WORD * metres][:MOST_NAMES] or ranked[:1]
    if len(said) == 1 and said[0][1] >= 0.95 * metres:
        return said[0][0]
    return t("list").join(t("share", name=n, share=f"{100 * m / max(metres, 1e-9):.0f} %") for n, m in said)


def _carrier(c: Carrier, t: Words) -> str:
    name = c.name.replace(";", t("slash"))
    if c.basis == "cell":
        return t("between_buildings")
    if c.basis == "community" or c.kind == "community":
        return t("community_line")
    if c.kind in STREET_RANK or c.kind in LANE_RANK:
        if name:
            return t("moved", name=name) if c.basis == "moved" else name
        return t("street" if c.kind in STREET_RANK else "lane")
    return (
        t(f"{c.kind}_named", name=name) if name else t(c.kind) if c.kind in ("water", "rail", "wall") else t("other")
    )


def _exception(plan: Planned, e: dict[str, Any], t: Words, language: str) -> dict[str, Any]:
    """One grid out of its bounds: how far, why, at which block, and what is proven."""
    g = int(np.flatnonzero(plan.code == e["grid"])[0])
    bounds = plan.ruleset.rural if plan.kind[g] == "rural" else plan.ruleset.residential
    atoms = np.flatnonzero(plan.grid == g)
    community = plan.community == plan.community[atoms[0]]
    total = int(plan.bounded[community].sum())
    heaviest = int(atoms[np.argmax(plan.bounded[atoms])])
    most = possible_numbers(total, bounds)[1]
    code = f"exception_{e['reason']}"
    blocks = np.unique(plan.block)
    at_fault = [int(a) for a in e.get("at_fault", ())]
    values: dict[str, object] = {
        "held": e.get("held", 0),
        "places": _places(plan, at_fault or [heaviest], t),
        "grid": e["grid"],
        "name": plan.name[g],
        "households": e["households"],
        "minimum": bounds.minimum,
        "maximum": bounds.maximum,
        "block": blocks[e["block"]] if 0 <= e["block"] < len(blocks) else plan.block[heaviest],
        "heaviest": int(plan.bounded[heaviest]),
        "atom": plan.atom_id[heaviest],
        "total": total,
        "fewer": most,
        "more": most + 1,
        "least": (most + 1) * bounds.minimum,
        "room": most * bounds.maximum,
        "reason": text(code, language) if code in catalogue(language) else e["reason"],
    }
    high = e["households"] > bounds.maximum
    sentences = [t("exception_above" if high else "exception_below", **values)]
    detail = f"explain.why_{e['reason']}"
    if detail in catalogue(language):
        sentences.append(text(detail, language, **values))
    if e["reason"] == "no_number_fits" and not e["proven"]:
        sentences.append(t("not_least"))  # the sum alone says that some grid must be out
    else:
        sentences.append(t("proven" if e["proven"] else "not_proven"))
    own = str(plan.community[atoms[0]])
    place = {"community": own, "community_name": _community_names(plan).get(own, own)}
    return {**e, **place, "name": str(plan.name[g]), "text": t("join").join(sentences)}


def _places(plan: Planned, atoms: Sequence[int], t: Words) -> str:
    """Buildings of some atoms by name, a few of them; atoms where they have none."""
    said = [b for a in atoms for b in plan.buildings.get(str(plan.atom_id[a]), (t("atom", id=plan.atom_id[a]),))]
    some = t("list").join(said[:MOST_NAMES])
    return some if len(said) <= MOST_NAMES else t("and_more", some=some, count=len(said))


def save(found: Explained, language: str, *, as_text: Path | None = None, as_json: Path | None = None) -> None:
    """Write the sentences, the figures, or both: each file whole or not at all."""
    if as_text is not None:
        write_whole(as_text, ("\n".join(lines_of(found, language)) + "\n").encode())
    if as_json is not None:
        write_whole(as_json, (json.dumps(found.as_json(), ensure_ascii=False, indent=1) + "\n").encode())


def lines_of(found: Explained, language: str) -> list[str]:
    """The text that a person reads: exceptions first, then every border, numbered, under its community."""
    lines = []
    if found.exceptions:
        lines.append(text("explain.header_exceptions", language, count=len(found.exceptions)))
        lines += [f"{k}. {row['text']}" for k, row in enumerate(found.exceptions, 1)]
    else:
        lines.append(text("explain.no_exceptions", language))
    lines += ["", text("explain.header_borders", language, count=len(found.borders))]
    named = len({row["community"] for row in found.borders}) > 1  # a number alone says which grid of one community
    heading: str | None = None
    ranked = sorted(found.borders, key=lambda row: row["community"] == "")  # between communities: at the end
    for k, row in enumerate(_together(ranked), 1):
        if named and row["community"] != heading:
            heading = row["community"]
            code = "heading_community" if heading else "heading_between"
            count = sum(r["community"] == heading for r in ranked)
            lines += ["", text(f"explain.{code}", language, name=row["community_name"], digits=heading, count=count)]
        lines.append(f"{k}. {row['text']}")
    return lines


def _together(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of one community one after another, communities in the order of their first row."""
    order = {c: k for k, c in enumerate(dict.fromkeys(row["community"] for row in rows))}
    return sorted(rows, key=lambda row: order[row["community"]])
