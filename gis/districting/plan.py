"""Cut a territory into grids: communities one by one, pieces of each community one by one, in rounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import shapely

from gis.blocks.model import AtomSet, Graph
from gis.districting import communities as dividing
from gis.districting import numbers, rounds, rural, search
from gis.districting.assemble import assemble
from gis.districting.codes import CODES_12, community_codes
from gis.districting.dedicated import Places, taken
from gis.districting.kernels import Int
from gis.districting.model import Plan
from gis.districting.piece import Piece, pieces_of
from gis.districting.rulesets import Ruleset
from gis.districting.units import JOINED_METRES, Units, atom_units, inside_one
from gis.errors import InputError
from gis.interrupts import gentle
from gis.progress import Progress, silent
from gis.tasks import Runner, one_by_one
from gis.territory.compounds import compounds_of
from gis.territory.model import Areas, Floats, Ints

#: Divisions into communities that are tried where none are given, until every grid is in range.
DIVISIONS = 3


@gentle()
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
    grids: Mapping[int, int] | int | None = None,
    compounds: Areas | None = None,
    seed: int = 1,
    iterations: int | None = None,
    seconds: float | None = None,
    progress: Progress = silent,
    runner: Runner = one_by_one,
) -> Plan:
    """Divide every community into grids under a ruleset.

    ``households``, ``counted`` (those the ruleset bounds) and ``work`` are per atom. ``iterations`` is the number
    of rounds (``rounds.DEFAULT_ROUNDS`` when left out); with ``seconds`` rounds are made until the time is over, and
    ``Plan.iterations`` says how many, for replay. The same input, seed and iterations give the same plan.
    ``runner`` runs the pieces of a round, one after another or on many processes: the plan is the same.
    ``grids``: how many grids a community shall have (by its position, or one number for each of them); as many as
    are best where it says nothing. ``compounds`` 小区 stay whole where that is worth the ruleset's ``compound``.
    Ctrl-C at any moment keeps the best plan so far (``Plan.stopped``); pieces that no round reached yet get a plan
    grown in a moment. Raises ``InputError`` on empty or unequal input, and where ``grids`` cannot be had.
    """
    n = len(atom_set.geometry)
    if n == 0:
        raise InputError("plan_no_atoms")
    for name, values in (("households", households), ("counted", counted), ("work", work)):
        if len(values) != n:
            raise InputError("plan_lengths", field=name, found=len(values), expected=n)
    load = load_of(np.asarray(counted, np.float64), np.asarray(work, np.float64), ruleset)
    compound = None
    if compounds is not None and len(compounds):
        compound = compounds_of(shapely.point_on_surface(atom_set.geometry), compounds)
    units = atom_units(
        atom_set, graph, ruleset.class_prices(), np.asarray(counted, np.int64), load, compound, ruleset.compound
    )
    given = communities is not None and len(communities) > 0
    land = _Land(groups_of(atom_set, villager_groups, units, ruleset), places)
    if given or len(np.unique(atom_set.community)) > 1:
        community = atom_set.community.astype(np.int64)
        chosen = _divided(units, community, communities if given else None, land, ruleset)
    else:
        chosen = _best_division(units, land, ruleset, seed, progress, runner)
    wanted = dict(grids) if isinstance(grids, Mapping) else {}
    if isinstance(grids, int):
        wanted = dict.fromkeys(range(len(chosen.names)), grids)
    todo = numbers.allot(chosen.todo, wanted)
    first = [] if wanted else chosen.first
    solved = rounds.Solved(chosen.first, 0, stopped=True)
    if not chosen.stopped:
        budget = rounds.Budget(iterations, seconds)
        solved = rounds.search_all(todo, first, ruleset, seed, budget, progress, runner)
    if not solved.stopped:
        solved = rounds.settle_all(todo, solved, ruleset, progress, runner)
    if not solved.stopped:
        numbers.check(todo, solved.plans, wanted)
    made = assemble(
        todo,
        solved.plans,
        units,
        households,
        chosen.community,
        chosen.names,
        chosen.is_rural,
        given,
        ruleset,
        seed,
        solved.rounds,
    )
    if compound is not None:
        made = _with_compounds(made, graph, compound)
    return replace(made, stopped=solved.stopped)


def _with_compounds(plan: Plan, graph: Graph, compound: Int) -> Plan:
    """The plan with the cost of borders inside compounds told apart from their price."""
    heads, tails = graph.heads, graph.tails
    cut = inside_one(compound, heads, tails) & (plan.assignment[heads] != plan.assignment[tails])
    own = plan.atom_community[heads]
    cut &= (own == plan.atom_community[tails]) & (graph.metres.sum(axis=1) > JOINED_METRES)
    extra = plan.ruleset.compound * np.bincount(own[cut], graph.metres[cut].sum(axis=1), len(plan.communities))
    described = [
        replace(c, objective=replace(c.objective, border=c.objective.border - x, compound=float(x)))
        for c, x in zip(plan.communities, extra, strict=True)
    ]
    return replace(plan, communities=tuple(described))


@dataclass(frozen=True)
class _Division:
    """The territory as communities and pieces; ``first``: round 0, where it was made to judge the division."""

    community: Int
    names: list[tuple[str, str, str]]
    is_rural: list[bool]
    todo: list[Piece]
    first: list[search.Search]
    stopped: bool = False  # by Ctrl-C: ``first`` is all there will be


@dataclass(frozen=True)
class _Land:
    """Villager group of every atom (-1: none), and the places that may become dedicated grids."""

    group: Int
    places: Places | None


def _divided(units: Units, community: Int, areas: Areas | None, land: _Land, ruleset: Ruleset) -> _Division:
    names = community_names(areas, community, ruleset)
    is_rural = rural.rural_communities(land.group, community, units.arrays.counted, len(names))
    site = taken(units, community, is_rural, land.places, ruleset)
    titles = None if land.places is None else land.places.name
    todo = pieces_of(units, community, land.group, is_rural, ruleset, site, titles)
    return _Division(community, names, is_rural, todo, [])


def _best_division(
    units: Units, land: _Land, ruleset: Ruleset, seed: int, progress: Progress, runner: Runner
) -> _Division:
    """Communities where none are given: of a few divisions, the first with every grid in range, or the best."""
    best: tuple[int, _Division] | None = None
    try:
        for attempt in range(DIVISIONS):
            progress("communities", attempt / DIVISIONS)
            found = _divided(units, dividing.derive(units, ruleset, seed + attempt), None, land, ruleset)
            first = rounds.first_round(found.todo, ruleset, seed, progress, runner)
            amiss = sum(_amiss(p, s) for p, s in zip(found.todo, first.plans, strict=True))
            if best is None or amiss < best[0]:
                best = (amiss, replace(found, first=first.plans, stopped=first.stopped))
            if not amiss or first.stopped:
                break
    except KeyboardInterrupt:
        if best is not None:
            return replace(best[1], stopped=True)
        found = _divided(units, dividing.derive(units, ruleset, seed, quick=True), None, land, ruleset)
        grown = rounds.stopped(rounds.Standing.of(found.todo, []), ruleset, 0, progress)
        return replace(found, first=grown.plans, stopped=True)
    assert best is not None
    return best[1]


def load_of(counted: Floats, work: Floats, ruleset: Ruleset) -> Floats:
    """What is balanced, scaled so that its total is the counted households: one target serves both."""
    if ruleset.balance_on == "work" and work.sum() > 0 and counted.sum() > 0:
        return np.asarray(work * (counted.sum() / work.sum()), np.float64)
    return counted


def community_names(areas: Areas | None, community: Int, ruleset: Ruleset) -> list[tuple[str, str, str]]:
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


def groups_of(atom_set: AtomSet, groups: Areas | None, units: Units, ruleset: Ruleset) -> Int:
    """Villager group of every atom; -1 where the rules know none."""
    if groups is None or ruleset.rural_rule == "none":
        return np.full(len(units), -1, np.int64)
    return rural.groups_of_atoms(atom_set.geometry, groups)


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
