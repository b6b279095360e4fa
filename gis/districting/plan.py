"""Cut a territory into grids: communities one by one, pieces of each community one by one, in rounds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gis.blocks.model import AtomSet, Graph
from gis.districting import communities as dividing
from gis.districting import rural, search
from gis.districting.codes import community_codes, grid_code, grid_name, reading_order
from gis.districting.kernels import Int
from gis.districting.model import (
    Certificate,
    CommunityPlan,
    GridException,
    Grids,
    Objective,
    Plan,
)
from gis.districting.rulesets import Bounds, Ruleset
from gis.districting.units import Units, atom_units, pieces
from gis.errors import InputError
from gis.progress import Progress, silent
from gis.territory.model import Areas, Floats, Ints, Texts

#: ``map`` of one function over tasks, answers in the order of the tasks: the built-in, or that of a pool.
Mapper = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]

#: Rounds when neither ``iterations`` nor ``seconds`` is given, by the atoms of the largest piece.
DEFAULT_ROUNDS = ((5_000, 4), (25_000, 2))


@dataclass(frozen=True)
class Piece:
    """A connected part of one community, divided for itself. ``label`` gives the unit of each of its atoms."""

    community: int
    kind: str
    atoms: Int
    label: Int
    units: Units
    bounds: Bounds
    whole: bool  # the piece is its community
    counted: int = field(default=0)

    @property
    def fixed(self) -> bool:
        """Too few households for two grids: nothing to divide."""
        return self.counted < max(1, 2 * self.bounds.minimum) and self.counted <= self.bounds.maximum


def make_plan(
    atom_set: AtomSet,
    graph: Graph,
    households: Ints,
    counted: Ints,
    work: Floats,
    communities: Areas | None,
    ruleset: Ruleset,
    *,
    villager_groups: Areas | None = None,
    seed: int = 1,
    iterations: int | None = None,
    seconds: float | None = None,
    progress: Progress = silent,
    mapper: Mapper = map,
) -> Plan:
    """Divide every community into grids under a ruleset.

    ``households``, ``counted`` (those the ruleset bounds) and ``work`` are per atom. ``iterations`` is the number
    of rounds (``default_rounds`` when left out); with ``seconds`` rounds are made until the time is over, and
    ``Plan.iterations`` says how many, for replay. The same input, seed and iterations give the same plan.
    ``mapper`` runs the pieces of a round, one after another or on a pool: the plan is the same.
    Ctrl-C after the first round keeps the best plan so far. Raises ``InputError`` on empty or unequal input.
    """
    n = len(atom_set.geometry)
    if n == 0:
        raise InputError("plan_no_atoms")
    for name, values in (("households", households), ("counted", counted), ("work", work)):
        if len(values) != n:
            raise InputError("plan_lengths", field=name, found=len(values), expected=n)
    load = _load(np.asarray(counted, np.float64), np.asarray(work, np.float64), ruleset)
    units = atom_units(atom_set, graph, ruleset.class_prices(), np.asarray(counted, np.int64), load)
    given = communities is not None and len(communities) > 0
    if given or len(np.unique(atom_set.community)) > 1:
        community = atom_set.community.astype(np.int64)
    else:
        progress("communities", 0.0)
        community = dividing.derive(units, ruleset, seed)
    names = _community_names(communities if given else None, community)
    group = _groups(atom_set, villager_groups, units, ruleset)
    is_rural = rural.rural_communities(group, community, units.arrays.counted, len(names))
    todo = _pieces(units, community, group, is_rural, ruleset)
    solved, rounds = _search(todo, ruleset, seed, iterations, seconds, progress, mapper)
    solved = _settle(todo, solved, ruleset, progress, mapper)
    return _assemble(todo, solved, units, households, community, names, is_rural, given, ruleset, seed, rounds)


def _load(counted: Floats, work: Floats, ruleset: Ruleset) -> Floats:
    """What is balanced, scaled so that its total is the counted households: one target serves both."""
    if ruleset.balance_on == "work" and work.sum() > 0 and counted.sum() > 0:
        return np.asarray(work * (counted.sum() / work.sum()), np.float64)
    return counted


def _community_names(areas: Areas | None, community: Int) -> list[tuple[str, str, str]]:
    """(code, name, 12 digits for grid codes) of every community."""
    if areas is None:
        names = dividing.names(int(community.max()) + 1)
        return [(code, name, code) for code, name in zip(community_codes([""] * len(names)), names, strict=True)]
    codes = [str(c) for c in areas.code]
    standing = community_codes(codes)
    return [
        (code or own, str(name) or code or own, own)
        for code, name, own in zip(codes, areas.name, standing, strict=True)
    ]


def _groups(atom_set: AtomSet, groups: Areas | None, units: Units, ruleset: Ruleset) -> Int:
    if groups is None or ruleset.rural_rule == "none":
        return np.full(len(units), -1, np.int64)
    return rural.groups_of_atoms(atom_set.geometry, groups)


def _pieces(units: Units, community: Int, group: Int, is_rural: list[bool], ruleset: Ruleset) -> list[Piece]:
    """Connected parts of every community; of a rural one under ``split_groups``, of every villager group."""
    rural_atom = np.array(is_rural)[community]
    group = np.where(rural_atom, group, -1)
    for village in np.flatnonzero(is_rural):  # groups spread within their own community only
        members = np.flatnonzero(community == village)
        group[members] = rural.fill(units.subset(members), group[members])
    label = community
    if ruleset.rural_rule == "split_groups":
        label = community * (int(group.max()) + 2) + group + 1
    piece = pieces(units.arrays, label)
    out: list[Piece] = []
    count = np.bincount(community[np.unique(piece, return_index=True)[1]], minlength=len(is_rural))
    order = np.argsort(piece, kind="stable")
    for atoms in np.split(order, np.cumsum(np.bincount(piece))[:-1]):
        c = int(community[atoms[0]])
        sub = units.subset(atoms)
        own = np.arange(len(atoms), dtype=np.int64)
        if is_rural[c] and ruleset.rural_rule == "join_groups":
            bound = group[atoms]
            own = search.renumbered(pieces(sub.arrays, np.where(bound >= 0, bound, -1 - np.arange(len(atoms)))))
        out.append(
            Piece(
                community=c,
                kind="rural" if is_rural[c] else "residential",
                atoms=atoms,
                label=own,
                units=sub.contract(own) if int(own.max()) + 1 < len(own) else sub,
                bounds=ruleset.rural if is_rural[c] else ruleset.residential,
                whole=bool(count[c] == 1),
                counted=int(sub.arrays.counted.sum()),
            )
        )
    return sorted(out, key=lambda p: (p.community, int(p.atoms[0])))


def _search(
    todo: list[Piece],
    ruleset: Ruleset,
    seed: int,
    iterations: int | None,
    seconds: float | None,
    progress: Progress,
    mapper: Mapper,
) -> tuple[list[search.Search], int]:
    """The best plan of every piece, and the number of whole rounds made."""
    deadline = None if seconds is None or iterations is not None else time.monotonic() + seconds
    rounds = 10**9 if deadline is not None else max(1, default_rounds(todo) if iterations is None else iterations)
    best: list[search.Search] = []
    made = 0
    try:
        while made < rounds:
            now: list[search.Search] = []
            tasks = [
                (piece, ruleset, best[i] if made else None, _lots(seed, i, made)) for i, piece in enumerate(todo)
            ]
            for i, found in enumerate(mapper(_round, tasks)):
                if made and deadline is not None and time.monotonic() > deadline:
                    return best, made
                now.append(found)
                if i % 16 == 0:
                    cost = sum(s.cost for s in now) + sum(s.cost for s in best[i + 1 :])
                    share = (made + (i + 1) / len(todo)) / rounds
                    progress("solve", share, f"{cost:.0f}")
            best, made = now, made + 1
            if deadline is not None and all(p.fixed for p in todo):
                break
    except KeyboardInterrupt:
        if not made:
            raise
    progress("solve", 1.0, f"{sum(s.cost for s in best):.0f}")
    return best, made


def _lots(seed: int, piece: int, made: int) -> int:
    """The seed of one piece in one round."""
    return int(np.random.SeedSequence([seed, piece, made]).generate_state(1)[0]) >> 1


def _round(task: tuple[Piece, Ruleset, search.Search | None, int]) -> search.Search:
    piece, ruleset, so_far, lots = task
    terms = search.terms_of(ruleset, piece.bounds)
    if piece.fixed:
        part = np.zeros(len(piece.units), np.int64)
        cost = search.cost_of(piece.units, part, terms, ruleset.outside) if so_far is None else so_far.cost
        return search.Search(part, cost, 1)
    if so_far is None:
        return search.start(piece.units, piece.bounds, terms, ruleset.outside, lots)
    return search.better(piece.units, piece.bounds, terms, ruleset.outside, so_far, lots)


def default_rounds(todo: list[Piece]) -> int:
    """Rounds for the pieces at hand: fewer where one of them is very large."""
    largest = max(len(p.atoms) for p in todo)
    return next((rounds for size, rounds in DEFAULT_ROUNDS if largest <= size), 1)


def _settle(
    todo: list[Piece], solved: list[search.Search], ruleset: Ruleset, progress: Progress, mapper: Mapper
) -> list[search.Search]:
    """What can be proven of every piece; a piece that cannot be divided needs no proof."""
    out: list[search.Search] = []
    tasks = [(piece, ruleset, found) for piece, found in zip(todo, solved, strict=True)]
    for i, found in enumerate(mapper(_settled, tasks)):
        if i % 16 == 0:
            progress("prove", i / len(todo))
        out.append(found)
    progress("prove", 1.0)
    return out


def _settled(task: tuple[Piece, Ruleset, search.Search]) -> search.Search:
    piece, ruleset, found = task
    if piece.fixed:
        return found
    terms = search.terms_of(ruleset, piece.bounds)
    return search.settled(piece.units, piece.bounds, terms, ruleset.outside, found)


def _assemble(
    todo: list[Piece],
    solved: list[search.Search],
    units: Units,
    households: Ints,
    community: Int,
    names: list[tuple[str, str, str]],
    is_rural: list[bool],
    given: bool,
    ruleset: Ruleset,
    seed: int,
    rounds: int,
) -> Plan:
    """Number the grids, find those out of range, sum the objective up."""
    parts = [s.part for s in solved]
    assignment = np.full(len(units), -1, np.int64)
    piece_of: list[int] = []
    for i, (piece, part) in enumerate(zip(todo, parts, strict=True)):
        assignment[piece.atoms] = len(piece_of) + part[piece.label]
        piece_of += [i] * (int(part.max()) + 1)
    k = len(piece_of)
    order = _grid_order(units, assignment, np.array([todo[i].community for i in piece_of]), k)
    rank = np.empty(k, np.int64)
    rank[order] = np.arange(k)
    assignment = rank[assignment]
    piece_of = [piece_of[g] for g in order]
    counted = np.bincount(assignment, units.arrays.counted, minlength=k).astype(np.int64)
    exceptions = _exceptions(todo, piece_of, units, assignment, counted, ruleset)
    kind = [_kind(todo[piece_of[g]], int(counted[g]), ruleset) for g in range(k)]
    owner = np.array([todo[i].community for i in piece_of], np.int32)
    code, name = _codes(owner, kind, names, ruleset)
    note = np.full(k, "", object)
    for e in exceptions:
        note[e.grid] = e.reason
    grids = Grids(
        code=code,
        name=name,
        community=owner,
        kind=np.array(kind, object),
        counted=counted,
        households=np.bincount(assignment, households, minlength=k).astype(np.int64),
        note=note,
    )
    described = []
    for c, (own, title, code12) in enumerate(names):
        mine = tuple(e for e in exceptions if owner[e.grid] == c)
        certificate, bound = _certificate(
            [(p, s) for p, s in zip(todo, solved, strict=True) if p.community == c], mine
        )
        described.append(
            CommunityPlan(
                code=own,
                name=title,
                code12=code12,
                rural=is_rural[c],
                certificate=certificate,
                objective=_objective([(p, s) for p, s in zip(todo, parts, strict=True) if p.community == c], ruleset),
                lower_bound=bound,
                exceptions=mine,
            )
        )
    return Plan(
        assignment=assignment.astype(np.int32),
        atom_community=community.astype(np.int32),
        atom_counted=units.arrays.counted,
        grids=grids,
        communities=tuple(described),
        communities_given=given,
        ruleset=ruleset,
        seed=seed,
        iterations=rounds,
    )


def _grid_order(units: Units, assignment: Int, owner: Int, k: int) -> Int:
    """Grids by community, in reading order within each."""
    area = np.maximum(units.arrays.area, 1e-9)
    total = np.bincount(assignment, area, minlength=k)
    x = np.bincount(assignment, units.x * area, minlength=k) / total
    y = np.bincount(assignment, units.y * area, minlength=k) / total
    out = []
    for c in np.unique(owner):
        mine = np.flatnonzero(owner == c)
        row = float(np.sqrt(np.median(total[mine])))
        out.append(mine[reading_order(x[mine], y[mine], row)])
    return np.concatenate(out)


def _kind(piece: Piece, counted: int, ruleset: Ruleset) -> str:
    if piece.counted == 0 and counted == 0 and ruleset.dedicated:
        return "dedicated"
    return piece.kind


def _codes(
    owner: np.ndarray, kind: list[str], names: list[tuple[str, str, str]], ruleset: Ruleset
) -> tuple[Texts, Texts]:
    """Code and name of every grid; dedicated grids have their own range of running numbers."""
    code = np.full(len(owner), "", object)
    name = np.full(len(owner), "", object)
    for c in np.unique(owner):
        mine = np.flatnonzero(owner == c)
        dedicated = [g for g in mine if kind[g] == "dedicated"]
        others = [g for g in mine if kind[g] != "dedicated"]
        first = max(ruleset.dedicated_from, len(others) + 1)
        most = max([len(others)] + ([first + len(dedicated) - 1] if dedicated else []))
        numbered = list(enumerate(others, 1)) + list(enumerate(dedicated, first))
        for number, g in numbered:
            code[g] = grid_code(ruleset.code, names[c][2], number, most)
            name[g] = grid_name(ruleset, number)
    return code, name


def _exceptions(
    todo: list[Piece], piece_of: list[int], units: Units, assignment: Int, counted: Int, ruleset: Ruleset
) -> list[GridException]:
    """Every grid out of its bounds, with the reason that cannot be argued with first."""
    out: list[GridException] = []
    members = np.split(np.argsort(assignment, kind="stable"), np.cumsum(np.bincount(assignment))[:-1])
    amiss = np.zeros(len(todo), np.int64)
    for g, i in enumerate(piece_of):
        amiss[i] += max(todo[i].bounds.minimum - counted[g], counted[g] - todo[i].bounds.maximum, 0)
    for g, atoms in enumerate(members):
        piece = todo[piece_of[g]]
        held = int(counted[g])
        if piece.bounds.minimum <= held <= piece.bounds.maximum or _kind(piece, held, ruleset) == "dedicated":
            continue
        reason, proven = _reason(piece, np.asarray(atoms), units, held)
        if reason == "no_number_fits":
            proven = bool(amiss[piece_of[g]] <= search.least_amiss(piece.counted, piece.bounds))
        out.append(GridException(g, reason, _heaviest_block(units, np.asarray(atoms)), held, proven))
    return out


def _reason(piece: Piece, atoms: Int, units: Units, held: int) -> tuple[str, bool]:
    if piece.counted == 0:
        return "no_households", True
    if piece.counted < piece.bounds.minimum:
        return ("small_community" if piece.whole else "island"), True
    if held > piece.bounds.maximum:
        if units.arrays.counted[atoms].max() > piece.bounds.maximum:
            return "large_building", True
        inside = np.unique(piece.label[np.isin(piece.atoms, atoms)])
        if piece.units.arrays.counted[inside].max() > piece.bounds.maximum:
            return "large_group", True
    fewest, most = search.possible_numbers(piece.counted, piece.bounds)
    if fewest > most:
        return "no_number_fits", True
    return "blocks", False


def _heaviest_block(units: Units, atoms: Int) -> int:
    block, inverse = np.unique(units.arrays.block[atoms], return_inverse=True)
    weight = np.bincount(inverse, units.arrays.counted[atoms])
    return int(block[np.argmax(weight)])


def _certificate(
    solved: list[tuple[Piece, search.Search]], exceptions: tuple[GridException, ...]
) -> tuple[Certificate, float | None]:
    """What is known of one community's plan, and the bound on its objective where there is one."""
    if exceptions:
        if all(e.proven for e in exceptions):
            return Certificate("infeasible", "atoms", tuple(sorted({e.reason for e in exceptions}))), None
        return Certificate("none"), None
    open_pieces = [(p, s) for p, s in solved if not p.fixed]
    proofs = [s.proof for _, s in open_pieces if s.proof is not None]
    if len(proofs) < len(open_pieces):
        return Certificate("none"), None
    bound = sum(s.cost for p, s in solved if p.fixed) + sum(p.bound for p in proofs)
    restrictions = tuple(sorted({r for p in proofs for r in p.restrictions}))
    if all(p.optimal for p in proofs):
        return Certificate("optimal", "blocks" if proofs else "atoms", restrictions), bound
    return Certificate("gap", "blocks", restrictions), bound


def _objective(solved: list[tuple[Piece, Int]], ruleset: Ruleset) -> Objective:
    border = balance = compactness = outside = 0.0
    for piece, part in solved:
        terms = search.terms_of(ruleset, piece.bounds)
        sums = search.sums_of(piece.units, part)
        balance += terms.balance * float((((sums.load - terms.target) / terms.half) ** 2).sum())
        compactness += terms.compactness * float((1 - 4 * np.pi * sums.area / sums.perimeter**2).sum())
        low = np.maximum(terms.minimum - sums.counted, 0.0)
        high = np.maximum(sums.counted - terms.maximum, 0.0)
        outside += ruleset.outside * float((low + high).sum())
        all_terms = search.cost_of(piece.units, part, terms, ruleset.outside)
        border += all_terms
    return Objective(border - balance - compactness - outside, balance, compactness, outside)
