"""``wangge compare``: two plan files side by side, measure by measure and building by building."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from api.services.plans.explaining import situation_of
from data.outputs import require_writable, write_whole
from data.plan_files import PlanFile, read_plan
from data.plan_inside import Planned, planned_of
from gis.districting.compare import Compared, Things, compare
from gis.districting.explain import objective_of
from gis.districting.measures import is_seamless, measure
from gis.errors import InputError
from gis.territory.model import Ints, Texts

#: Measures in the order in which they are shown; all are of the whole plan.
MEASURES: Final = (
    "grids", "households", "counted", "buildings", "in_range_share", "rural_in_range_share", "exceptions",
    "contiguous_share", "seamless", "border_metres", "on_street_share", "main_street_share",
    "avoidable_off_street_share", "compactness_mean", "cv_households", "objective", "objective_border",
    "objective_balance", "objective_compactness", "objective_range", "objective_compound", "micro_grids",
    "micro_in_range_share",
)  # fmt: skip

Kind = Literal["buildings", "atoms"]


@dataclass(frozen=True)
class Side:
    """One of the two plans: its file's name, its layers, the plan inside, and its measures."""

    name: str
    file: PlanFile
    plan: Planned
    measures: dict[str, Any]


@dataclass(frozen=True)
class Comparison:
    """Two plans compared: ``kind`` of thing by which (buildings, or atoms where there are none)."""

    a: Side
    b: Side
    kind: Kind
    things: tuple[Things, Things]
    found: Compared
    same_atoms: bool

    def moves(self) -> list[dict[str, Any]]:
        """What moved: id, households (in B), codes of its grids; ``to_was``: the new one's code in A, "" if new."""
        before = {int(m): str(self.a.plan.code[g]) for g, m in enumerate(self.found.match) if m >= 0}
        rows = []
        for k in self.found.moved:
            i, j = self.found.both[k]
            target = int(self.things[1].grid[j])
            rows.append({
                "source_id": str(self.things[0].ids[i]),
                "from": str(self.a.plan.code[self.things[0].grid[i]]),
                "to": str(self.b.plan.code[target]),
                "to_was": before.get(target, ""),
                "households": int(self.things[1].households[j]),
            })  # fmt: skip
        return sorted(rows, key=lambda r: (r["from"], r["to"], r["source_id"]))

    def flows(self) -> list[dict[str, Any]]:
        """What moved, summed up by pair of grids, the largest first."""
        sums: dict[tuple[str, str, str], list[int]] = {}
        for m in self.moves():
            held = sums.setdefault((m["from"], m["to"], m["to_was"]), [0, 0])
            held[0] += 1
            held[1] += m["households"]
        rows = [
            {"from": a, "to": b, "to_was": was, self.kind: n, "households": h} for (a, b, was), (n, h) in sums.items()
        ]
        return sorted(rows, key=lambda r: (-r["households"], r["from"], r["to"]))

    def grids(self) -> list[dict[str, Any]]:
        """Every grid of either plan, matched: its households in both, and how many came and went."""
        a, b, f = self.a.plan, self.b.plan, self.found
        came, went = np.zeros(len(b.code), np.int64), np.zeros(len(a.code), np.int64)
        moved = f.both[f.moved]
        np.add.at(went, self.things[0].grid[moved[:, 0]], self.things[1].households[moved[:, 1]])
        np.add.at(came, self.things[1].grid[moved[:, 1]], self.things[1].households[moved[:, 1]])
        held = [np.bincount(p.grid, p.households, minlength=len(p.code)).astype(int) for p in (a, b)]
        rows = [
            {
                "a": str(a.code[g]),
                "a_name": str(a.name[g]),
                "b": "" if m < 0 else str(b.code[m]),
                "b_name": "" if m < 0 else str(b.name[m]),
                "a_households": int(held[0][g]),
                "b_households": None if m < 0 else int(held[1][m]),
                "shared": int(f.shared[g]),
                "went": int(went[g]),
                "came": 0 if m < 0 else int(came[m]),
            }
            for g, m in enumerate(f.match)
        ]
        fresh = np.setdiff1d(np.arange(len(b.code)), f.match)
        rows += [
            {"a": "", "a_name": "", "b": str(b.code[m]), "b_name": str(b.name[m]), "a_households": None,
             "b_households": int(held[1][m]), "shared": 0, "went": 0, "came": int(came[m])}
            for m in fresh
        ]  # fmt: skip
        return rows

    def as_json(self) -> dict[str, Any]:
        """Everything, as plain values."""
        f, moves = self.found, self.moves()
        only_a, only_b = self._only()
        return {
            "a": self.a.name,
            "b": self.b.name,
            "compared_by": self.kind,
            "same_atoms": self.same_atoms,
            "measures": measures_table(self.a.measures, self.b.measures),
            "moved": {
                self.kind: len(moves),
                "households": sum(m["households"] for m in moves),
                "share": _share(sum(m["households"] for m in moves), int(self.things[1].households.sum())),
            },
            "only_a": only_a,
            "only_b": only_b,
            "kept_grids": int(np.count_nonzero(f.match >= 0)),
            "grids": self.grids(),
            "flows": self.flows(),
            "moves": moves,
        }

    def called(self, end: Literal["a", "b"]) -> dict[str, str]:
        """How each grid is called, by its code: its community, and the end of its code."""
        plan = self.a.plan if end == "a" else self.b.plan
        names = {str(c["code"]): str(c["name"]) for c in plan.communities}
        owner = np.full(len(plan.code), "", object)
        owner[plan.grid] = plan.community
        return {str(c): f"{names.get(str(o), o)} {str(c)[-3:]}" for c, o in zip(plan.code, owner, strict=True)}

    def _only(self) -> tuple[dict[str, int], dict[str, int]]:
        def count(things: Things, rows: Ints) -> dict[str, int]:
            return {self.kind: len(rows), "households": int(things.households[rows].sum())}

        return count(self.things[0], self.found.only_a), count(self.things[1], self.found.only_b)


def compare_files(a: str | Path, b: str | Path) -> Comparison:
    """Compare two plan files. Plans over different atoms are compared by their buildings' ids.

    Raises ``InputError`` where a file is no plan, or where the plans have nothing in common.
    """
    return compare_sides(_side(Path(a)), _side(Path(b)))


def compare_sides(a: Side, b: Side) -> Comparison:
    """Compare two plans that were read, from files or from the database."""
    sides = (a, b)
    same = _same_atoms(a.plan, b.plan)
    kind: Kind = "buildings" if all(len(s.file.layers["buildings"]) for s in sides) else "atoms"
    things = [_buildings(s) if kind == "buildings" else _atoms(s) for s in sides]
    ids = [_texts(s.file.layers["grids"].grid_id) for s in sides]
    found = compare(things[0], things[1], (ids[0], ids[1]))
    if not len(found.both):
        raise InputError("compare.nothing_shared", a=a.name, b=b.name)
    return Comparison(a, b, kind, (things[0], things[1]), found, same)


def side_of(name: str, file: PlanFile, plan: Planned) -> Side:
    """One of two plans, measured."""
    return Side(name, file, plan, measures_of(plan, file.layers))


def _side(path: Path) -> Side:
    file = read_plan(path)
    return side_of(path.name, file, planned_of(file.layers, file.crs, path.name))


def measures_of(plan: Planned, layers: Mapping[str, Any]) -> dict[str, Any]:
    """Every measure of a plan file, computed anew from what it holds."""
    atoms = plan.atom_set()
    pooled = asdict(measure(atoms, plan.plan())[0])
    objective = objective_of(situation_of(plan))
    values = {
        **pooled,
        "seamless": is_seamless(atoms),
        "buildings": len(layers["buildings"]),
        "exceptions": len(plan.exceptions),
        "objective": objective.total,
        **{f"objective_{k}": v for k, v in asdict(objective).items()},
        "micro_grids": None,
        "micro_in_range_share": None,
    }
    if "micro_grids" in layers:
        notes = _texts(layers["micro_grids"].note)
        values["micro_grids"] = len(notes)
        values["micro_in_range_share"] = float(np.mean(notes == "")) if len(notes) else None
    return {name: values[name] for name in MEASURES}


def measures_table(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Each measure of both, and the difference B - A where there is one."""

    def difference(x: Any, y: Any) -> Any:
        return None if x is None or y is None or isinstance(x, bool) else y - x

    return {name: {"a": a[name], "b": b[name], "difference": difference(a[name], b[name])} for name in MEASURES}


def save_json(found: Comparison, path: Path) -> None:
    """Write the comparison as JSON, whole or not at all."""
    write_whole(path, (json.dumps(found.as_json(), ensure_ascii=False, indent=1) + "\n").encode())


def check_outputs(*paths: Path | None) -> None:
    """Raise ``InputError`` before long work where a file could not be written."""
    for path in paths:
        if path is not None:
            require_writable(path)


def _same_atoms(a: Planned, b: Planned) -> bool:
    """The same ids, and each atom at the same place."""
    if len(a.atom_id) != len(b.atom_id) or not (a.atom_id == b.atom_id).all():
        return False
    import shapely

    return a.crs == b.crs and bool(shapely.equals(a.geometry, b.geometry).all())


def _buildings(side: Side) -> Things:
    frame = side.file.layers["buildings"]
    place = {str(c): g for g, c in enumerate(side.plan.code)}
    grid = np.array([place[str(c)] for c in frame.grid], np.int64)
    return _once(_texts(frame.source_id), grid, frame.households.to_numpy(np.int64))


def _atoms(side: Side) -> Things:
    return _once(side.plan.atom_id, side.plan.grid, side.plan.households)


def _once(ids: Texts, grid: Ints, households: Ints) -> Things:
    """One thing an id: several features of one id count where the most of their households are."""
    order = np.lexsort((grid, -households))
    first = np.unique(ids[order].astype(str), return_index=True)[1]
    kept = np.sort(order[first])
    total = dict.fromkeys(ids, 0)
    for i, h in zip(ids, households, strict=True):
        total[i] += int(h)
    return Things(ids[kept], grid[kept], np.array([total[i] for i in ids[kept]], np.int64))


def _texts(column: Any) -> Texts:
    return np.array(["" if v is None or v != v else str(v) for v in column], object)  # noqa: PLR0124 - NaN


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
