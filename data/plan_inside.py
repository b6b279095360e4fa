"""What a plan file keeps besides its map: how atoms adjoin, and by which rules the plan was made.

With the tables ``edges`` and ``about`` a plan can be explained, compared, adjusted from its file alone, without the
input it was made from.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from gis.blocks.model import AtomSet, Graph, Segments
from gis.districting.model import Certificate, CommunityPlan, GridException, Grids, Objective, Plan
from gis.districting.rulesets import Bounds, Figure, Ruleset
from gis.errors import InputError
from gis.territory.classes import BASES, BASIS_INDEX, BORDER_CLASSES, CLASS_INDEX
from gis.territory.model import Floats, Geometries, Ints, Sources, Texts


@dataclass(frozen=True)
class Edges:
    """Metres that two atoms share, by what runs there: one row for each pair, class and basis.

    ``head`` < ``tail`` are positions of atoms; ``kind``/``basis`` index ``BORDER_CLASSES``/``BASES``; ``ids`` holds
    the source ids of the lines, joined by ``;``, ``names`` their names likewise.
    """

    head: Ints
    tail: Ints
    kind: Ints
    basis: Ints
    metres: Floats
    ids: Texts
    names: Texts


@dataclass(frozen=True)
class Planned:
    """A plan as its file tells it: arrays over atoms, and over grids where ``grid`` counts.

    ``bounded`` is what the ruleset counts. ``exceptions`` as in the report of the contract; ``communities``: code,
    name, certificate of each. ``buildings``: what the buildings of an atom are called, by its id.
    """

    crs: str
    atom_id: Texts
    geometry: Geometries
    block: Texts
    community: Texts
    households: Ints
    bounded: Ints
    work: Floats
    grid: Ints
    code: Texts
    name: Texts
    kind: Texts
    edges: Edges
    ruleset: Ruleset
    exceptions: tuple[dict[str, Any], ...]
    communities: tuple[dict[str, Any], ...]
    buildings: dict[str, tuple[str, ...]] = field(default_factory=dict)
    communities_given: bool = True
    compound: Ints | None = None  # position of each atom's compound 小区, -1 for none; None: not kept

    def graph(self) -> Graph:
        """Rook contiguity, as the planner had it."""
        e, n = self.edges, max(len(self.atom_id), 1)
        pairs, edge = np.unique(e.head * n + e.tail, return_inverse=True)
        metres = np.zeros((len(pairs), len(BORDER_CLASSES)))
        np.add.at(metres, (edge, e.kind), e.metres)
        return Graph((pairs // n).astype(np.int32), (pairs % n).astype(np.int32), metres)

    def atom_set(self) -> AtomSet:
        """Shapes, blocks and borders. Segments have their length, class and basis, but lie nowhere."""
        e, n = self.edges, len(self.atom_id)
        end = np.stack([e.metres, np.zeros(len(e.metres))], axis=1)
        return AtomSet(
            crs=self.crs,
            geometry=self.geometry,
            block=np.unique(self.block, return_inverse=True)[1].astype(np.int32),
            community=self.community_number().astype(np.int32),
            building_atom=np.zeros(0, np.int32),
            segments=Segments(
                e.head.astype(np.int32),
                e.tail.astype(np.int32),
                np.zeros_like(end),
                end,
                e.kind.astype(np.int8),
                e.basis.astype(np.int8),
                np.full(len(e.metres), -1, np.int32),
            ),
            outer=np.zeros(n),
            line_ids=np.zeros(0, object),
        )

    def community_number(self) -> Ints:
        """Position of each atom's community among ``communities``."""
        place = {str(c["code"]): i for i, c in enumerate(self.communities)}
        return np.array([place[str(c)] for c in self.community], np.int64)

    def load(self) -> Floats:
        """What is balanced, scaled so that its total is that of the counted households."""
        counted = self.bounded.astype(np.float64)
        if self.ruleset.balance_on == "work" and self.work.sum() > 0 and counted.sum() > 0:
            return np.asarray(self.work * (counted.sum() / self.work.sum()), np.float64)
        return counted

    def plan(self) -> Plan:
        """The plan as the engine measures it; certificates and objectives are not kept, exceptions are."""
        k = len(self.code)
        owner = np.zeros(k, np.int64)
        owner[self.grid] = self.community_number()
        place = {str(c): i for i, c in enumerate(self.code)}
        own: dict[int, list[GridException]] = defaultdict(list)
        for e in self.exceptions:
            g = place[e["grid"]]
            known = {f.name: e[f.name] for f in fields(GridException) if f.name in e}
            own[int(owner[g])].append(GridException(**{**known, "grid": g}))
        note = np.full(k, "", object)
        return Plan(
            assignment=self.grid.astype(np.int32),
            atom_community=self.community_number().astype(np.int32),
            atom_counted=self.bounded,
            grids=Grids(
                code=self.code,
                name=self.name,
                community=owner.astype(np.int32),
                kind=self.kind,
                counted=np.bincount(self.grid, self.bounded, minlength=k).astype(np.int64),
                households=np.bincount(self.grid, self.households, minlength=k).astype(np.int64),
                note=note,
            ),
            communities=tuple(
                CommunityPlan(
                    str(c["code"]), str(c["name"]), "", bool(c["rural"]), Certificate("none"),
                    Objective(0.0, 0.0, 0.0, 0.0), None, tuple(own[i]),
                )
                for i, c in enumerate(self.communities)
            ),
            communities_given=self.communities_given,
            ruleset=self.ruleset,
            seed=0,
            iterations=0,
        )  # fmt: skip


def line_names(sources: Sources) -> dict[str, str]:
    """Names of streets and barriers by their source ids."""
    named: dict[str, str] = {}
    for lines in (sources.barriers, sources.streets):
        named |= {str(i): str(n) for i, n in zip(lines.source_id, lines.name, strict=True) if n}
    return named


def edges_of(atom_set: AtomSet, named: Mapping[str, str]) -> Edges:
    """Border segments summed up by pair of atoms, class and basis; ``named``: names of lines by source id."""
    s = atom_set.segments
    key = np.stack([s.left.astype(np.int64), s.right.astype(np.int64), s.kind.astype(np.int64), s.basis], axis=1)
    rows, member = np.unique(key, axis=0, return_inverse=True)
    member = member.ravel()
    ids = np.full(len(rows), "", object)
    lined = s.source >= 0
    found: dict[int, list[str]] = defaultdict(list)
    if lined.any():
        for row, line in np.unique(np.stack([member[lined], s.source[lined]], axis=1), axis=0).tolist():
            found[row].append(str(atom_set.line_ids[line]))
    names = np.full(len(rows), "", object)
    for row, lines in found.items():
        ids[row] = ";".join(sorted(set(lines)))
        names[row] = ";".join(sorted({named[i] for i in lines if i in named}))
    metres = np.bincount(member, s.metres, minlength=len(rows)).astype(np.float64)
    return Edges(rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3], metres, ids, names)


def edge_table(sources: Sources, atom_set: AtomSet, atom_id: Texts) -> Any:
    """The ``edges`` table."""
    import pandas

    e = edges_of(atom_set, line_names(sources))
    return pandas.DataFrame(
        {
            "left": atom_id[e.head],
            "right": atom_id[e.tail],
            "class": np.array(BORDER_CLASSES, object)[e.kind],
            "basis": np.array(BASES, object)[e.basis],
            "metres": np.round(e.metres, 3),
            "source_ids": e.ids,
            "names": e.names,
        }
    )


def about_table(plan: Plan, source_digest: str) -> Any:
    """The ``about`` table: keys and values, JSON where a value has parts."""
    import pandas

    code = plan.grids.code
    exceptions = [{**asdict(e), "grid": str(code[e.grid])} for c in plan.communities for e in c.exceptions]
    communities = [
        {"code": c.code, "name": c.name, "rural": c.rural, "certificate": asdict(c.certificate)}
        for c in plan.communities
    ]
    values = {
        "source_digest": source_digest,
        "seed": str(plan.seed),
        "iterations": str(plan.iterations),
        "ruleset": _json(asdict(plan.ruleset)),
        "communities_given": _json(plan.communities_given),
        "communities": _json(communities),
        "exceptions": _json(exceptions),
    }
    return pandas.DataFrame({"key": list(values), "value": list(values.values())})


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=lambda v: v.item())


def planned_of(layers: dict[str, Any], crs: str, name: str) -> Planned:
    """The plan in a plan file's layers. Raises ``InputError`` where an older version wrote the file."""
    for missing in ("about", "edges"):
        if missing not in layers:
            raise InputError("plan_file.no_layer", file=name, field=missing)
    about = dict(zip(layers["about"].key, layers["about"].value, strict=True))
    atoms, grids, edges = layers["atoms"], layers["grids"], layers["edges"]
    place = {str(a): i for i, a in enumerate(atoms.atom_id)}
    codes = {str(c): i for i, c in enumerate(grids.code)}

    def positions(column: Any) -> Ints:
        return np.array([place[str(v)] for v in column], np.int64)

    return Planned(
        crs=crs,
        atom_id=_texts(atoms.atom_id),
        geometry=np.asarray(atoms.geometry.to_numpy(), object),
        block=_texts(atoms.block),
        community=_texts(atoms.community),
        households=atoms.households.to_numpy(np.int64),
        bounded=atoms.counted.to_numpy(np.int64),
        work=atoms.work.to_numpy(np.float64),
        grid=np.array([codes[str(c)] for c in atoms.grid], np.int64),
        code=_texts(grids.code),
        name=_texts(grids.name),
        kind=_texts(grids.kind),
        edges=Edges(
            positions(edges["left"]),
            positions(edges["right"]),
            np.array([CLASS_INDEX[c] for c in edges["class"]], np.int64),
            np.array([BASIS_INDEX[b] for b in edges["basis"]], np.int64),
            edges.metres.to_numpy(np.float64),
            _texts(edges.source_ids),
            _texts(edges.names),
        ),
        ruleset=_ruleset(json.loads(about["ruleset"])),
        exceptions=tuple(json.loads(about["exceptions"])),
        communities=tuple(json.loads(about["communities"])),
        buildings=_called(layers["buildings"]),
        communities_given=bool(json.loads(about.get("communities_given", "true"))),
        compound=atoms.compound.to_numpy(np.int64) if "compound" in atoms else None,
    )


def _called(buildings: Any) -> dict[str, tuple[str, ...]]:
    """Buildings of each atom: compound and name where they have one, else their id."""
    found: dict[str, list[str]] = defaultdict(list)
    columns = [_texts(buildings[c]) if c in buildings else [""] * len(buildings) for c in ("compound", "name")]
    for atom, own, compound, name in zip(buildings.atom, buildings.source_id, *columns, strict=True):
        found[str(atom)].append(f"{compound}{name}" if name else str(own))
    return {atom: tuple(names) for atom, names in found.items()}


def _ruleset(values: dict[str, Any]) -> Ruleset:
    """A ruleset from its JSON; words that this version does not know are left out."""
    known = {f.name for f in fields(Ruleset)}

    def part(value: Any) -> Any:
        if isinstance(value, list):
            return tuple(part(v) for v in value)
        if isinstance(value, dict) and set(value) == {"minimum", "target", "maximum"}:
            return Bounds(**value)
        if isinstance(value, dict) and {"what", "numbers", "gives"} <= set(value):
            own = {f.name for f in fields(Figure)}
            return Figure(**{k: part(v) for k, v in value.items() if k in own})
        return value

    return Ruleset(**{name: part(value) for name, value in values.items() if name in known})


def _texts(column: Any) -> Texts:
    return np.array(["" if v is None or v != v else str(v) for v in column], object)  # noqa: PLR0124 - NaN
