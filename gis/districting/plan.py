"""Cut a territory into grids: communities one by one, pieces of each community one by one, in rounds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gis.blocks.model import AtomSet, Graph
from gis.districting import communities as dividing
from gis.districting import rural, search
from gis.districting.assemble import assemble
from gis.districting.codes import CODES_12, community_codes
from gis.districting.dedicated import Places, taken
from gis.districting.kernels import Int
from gis.districting.model import Plan
from gis.districting.piece import Piece, pieces_of
from gis.districting.rulesets import Ruleset
from gis.districting.units import Units, atom_units
from gis.errors import InputError
from gis.progress import Progress, silent
from gis.territory.model import Areas, Floats, Ints

#: ``map`` of one function over tasks, answers in the order of the tasks: the built-in, or that of a pool.
Mapper = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]

#: Divisions into communities that are tried where none are given, until every grid is in range.
DIVISIONS = 3

#: Rounds when neither ``iterations`` nor ``seconds`` is given, by the atoms of the largest piece.
DEFAULT_ROUNDS = ((5_000, 4), (25_000, 2))


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
    places: Places | None = None,
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
    land = _Land(_groups(atom_set, villager_groups, units, ruleset), places)
    if given or len(np.unique(atom_set.community)) > 1:
        community = atom_set.community.astype(np.int64)
        chosen = _divided(units, community, communities if given else None, land, ruleset)
    else:
        chosen = _best_division(units, land, ruleset, seed, progress, mapper)
    todo = chosen.todo
    solved, rounds = _search(todo, chosen.first, ruleset, seed, iterations, seconds, progress, mapper)
    solved = _settle(todo, solved, ruleset, progress, mapper)
    return assemble(
        todo, solved, units, households, chosen.community, chosen.names, chosen.is_rural, given, ruleset, seed, rounds
    )


@dataclass(frozen=True)
class _Division:
    """The territory as communities and pieces; ``first``: round 0, where it was made to judge the division."""

    community: Int
    names: list[tuple[str, str, str]]
    is_rural: list[bool]
    todo: list[Piece]
    first: list[search.Search]


@dataclass(frozen=True)
class _Land:
    """Villager group of every atom (-1: none), and the places that may become dedicated grids."""

    group: Int
    places: Places | None


def _divided(units: Units, community: Int, areas: Areas | None, land: _Land, ruleset: Ruleset) -> _Division:
    names = _community_names(areas, community, ruleset)
    is_rural = rural.rural_communities(land.group, community, units.arrays.counted, len(names))
    site = taken(units, community, is_rural, land.places, ruleset)
    titles = None if land.places is None else land.places.name
    todo = pieces_of(units, community, land.group, is_rural, ruleset, site, titles)
    return _Division(community, names, is_rural, todo, [])


def _best_division(
    units: Units, land: _Land, ruleset: Ruleset, seed: int, progress: Progress, mapper: Mapper
) -> _Division:
    """Communities where none are given: of a few divisions, the first with every grid in range, or the best."""
    best: tuple[int, _Division] | None = None
    for attempt in range(DIVISIONS):
        progress("communities", attempt / DIVISIONS)
        found = _divided(units, dividing.derive(units, ruleset, seed + attempt), None, land, ruleset)
        first = _first_round(found.todo, ruleset, seed, progress, mapper)
        amiss = sum(_amiss(p, s) for p, s in zip(found.todo, first, strict=True))
        if best is None or amiss < best[0]:
            best = (amiss, replace(found, first=first))
        if not amiss:
            break
    assert best is not None
    return best[1]


def _load(counted: Floats, work: Floats, ruleset: Ruleset) -> Floats:
    """What is balanced, scaled so that its total is the counted households: one target serves both."""
    if ruleset.balance_on == "work" and work.sum() > 0 and counted.sum() > 0:
        return np.asarray(work * (counted.sum() / work.sum()), np.float64)
    return counted


def _community_names(areas: Areas | None, community: Int, ruleset: Ruleset) -> list[tuple[str, str, str]]:
    """(code, name, 12 digits for grid codes) of every community."""
    if areas is None:
        names = dividing.names(int(community.max()) + 1)
        return [(code, name, code) for code, name in zip(community_codes([""] * len(names)), names, strict=True)]
    codes = [str(c) for c in areas.code]
    standing = community_codes(codes, areas.geometry, ruleset.merged_from)
    return [
        (code if len(code) == 12 else own if CODES_12.search(code) else code or own, str(name) or code or own, own)
        for code, name, own in zip(codes, areas.name, standing, strict=True)
    ]


def _groups(atom_set: AtomSet, groups: Areas | None, units: Units, ruleset: Ruleset) -> Int:
    if groups is None or ruleset.rural_rule == "none":
        return np.full(len(units), -1, np.int64)
    return rural.groups_of_atoms(atom_set.geometry, groups)


def _first_round(
    todo: list[Piece], ruleset: Ruleset, seed: int, progress: Progress, mapper: Mapper
) -> list[search.Search]:
    out: list[search.Search] = []
    for i, found in enumerate(mapper(_round, [(p, ruleset, None, _lots(seed, i, 0)) for i, p in enumerate(todo)])):
        out.append(found)
        if i % 16 == 0:
            progress("communities", (i + 1) / len(todo))
    return out


def _amiss(piece: Piece, found: search.Search) -> int:
    """Grids out of range that another division into communities might avoid."""
    if piece.fixed or search.least_amiss(piece.counted, piece.bounds):
        return 0
    counted = piece.units.arrays.counted
    held = np.bincount(found.part, counted)
    heavy = np.zeros(len(held), np.int64)
    np.maximum.at(heavy, found.part, counted)
    out = (held < piece.bounds.minimum) | ((held > piece.bounds.maximum) & (heavy <= piece.bounds.maximum))
    return int(out.sum())


def _search(
    todo: list[Piece],
    first: list[search.Search],
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
    best = first
    made = 1 if first else 0
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
