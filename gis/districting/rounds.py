"""The rounds of a search over many pieces: one task a piece and round, on any runner; stopped at any moment.

Every piece has a plan from the moment the rounds begin to be counted: a round that is cut short leaves the pieces it
did not reach as they were, and a piece that nothing reached yet gets a plan grown in a moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gis.districting import numbers, polish, search
from gis.districting.piece import Piece
from gis.districting.rulesets import Ruleset
from gis.progress import Note, Progress
from gis.tasks import Runner

#: Rounds when neither ``iterations`` nor ``seconds`` is given: the first finds nearly all, the second some more.
DEFAULT_ROUNDS: Final = 2


@dataclass(frozen=True)
class Budget:
    """How long to search: rounds, or else seconds, or else ``DEFAULT_ROUNDS``."""

    iterations: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Solved:
    """The best plan of every piece. ``rounds`` were made whole; ``stopped``: Ctrl-C came before the end."""

    plans: list[search.Search]
    rounds: int
    stopped: bool = False


@dataclass
class Standing:
    """Objective and bound of all pieces, kept up while answers come in any order."""

    plans: list[search.Search | None]
    todo: list[Piece]
    found: int = 0
    bounded: int = 0
    objective: float = 0.0
    bound: float = 0.0

    @classmethod
    def of(cls, todo: list[Piece], plans: Sequence[search.Search]) -> Standing:
        """The standing of plans made already (none, or one a piece)."""
        out = cls([None] * len(todo), todo)
        for i, plan in enumerate(plans):
            out.put(i, plan)
        return out

    def put(self, i: int, plan: search.Search) -> None:
        """Take the new plan of a piece."""
        old = self.plans[i]
        for each, sign in ((old, -1), (plan, 1)):
            if each is not None:
                bound = self._bound(i, each)
                self.found += sign
                self.bounded += sign * (bound is not None)
                self.objective += sign * each.cost
                self.bound += sign * (bound or 0.0)
        self.plans[i] = plan

    def halt(self, stop: KeyboardInterrupt) -> None:
        """Take what the round that Ctrl-C ended had found for its piece, where that is better."""
        if not isinstance(stop, search.Halted):
            return
        for i, (piece, plan) in enumerate(zip(self.todo, self.plans, strict=True)):
            if piece is stop.piece and (plan is None or stop.found.cost < plan.cost):
                self.put(i, stop.found)

    def note(self) -> Note:
        """Objective, bound and gap in a person's words; a piece without a proof adds 0 to the bound."""
        objective, bound = f"{self.objective:,.0f}", f"{self.bound:,.0f}"
        pieces = len(self.todo)
        if self.found < pieces:
            return Note("solve_begun", {"objective": objective, "found": self.found, "pieces": pieces})
        gap = max(0.0, self.objective - self.bound) / self.objective if self.objective > 0 else 0.0
        if self.bounded < pieces:
            return Note(
                "solve_open", {"objective": objective, "bound": bound, "bounded": self.bounded, "pieces": pieces}
            )
        return Note("solve_standing", {"objective": objective, "bound": bound, "gap": f"{100 * gap:.2f} %"})

    def proven(self) -> bool:
        """Whether more rounds cannot better any piece."""
        return all(
            piece.fixed or (plan is not None and search.finished(plan))
            for piece, plan in zip(self.todo, self.plans, strict=True)
        )

    def _bound(self, i: int, plan: search.Search) -> float | None:
        if self.todo[i].fixed:
            return plan.cost
        return None if plan.proof is None else min(plan.proof.bound, plan.cost)


def search_all(
    todo: list[Piece],
    first: list[search.Search],
    ruleset: Ruleset,
    seed: int,
    budget: Budget,
    progress: Progress,
    runner: Runner,
) -> Solved:
    """The best plan of every piece within a budget. ``first``: round 0 where it is made already, or empty.

    The seconds are counted from the end of round 0, which is always made; a round that they end is dropped, so that
    the rounds that count can be made again. Ctrl-C keeps also what the last round found so far.
    """
    timed = budget.seconds is not None and budget.iterations is None
    rounds = 10**9 if timed else max(1, DEFAULT_ROUNDS if budget.iterations is None else budget.iterations)
    deadline = time.monotonic() + (budget.seconds or 0.0)

    def done(whole: float) -> float:
        left = deadline - time.monotonic()
        return min(0.999, max(0.0, 1.0 - left / (budget.seconds or 1.0)) if timed else whole / rounds)

    standing = Standing.of(todo, first)
    made = 1 if first else 0
    try:
        while made < rounds:
            before = list(standing.plans)
            tasks = [(piece, ruleset, before[i], _lots(seed, i, made)) for i, piece in enumerate(todo)]
            for count, (i, plan) in enumerate(in_turn(_round, tasks, todo, runner)):
                if made and timed and time.monotonic() > deadline:
                    return Solved(_whole(before), made)
                standing.put(i, plan)
                progress("solve", done(made + (count + 1) / len(todo)), standing.note())
            made += 1
            if timed and standing.proven():
                break
    except KeyboardInterrupt as stop:
        standing.halt(stop)
        return stopped(standing, ruleset, made, progress)
    progress("solve", 1.0, standing.note())
    return Solved(_whole(standing.plans), made)


def first_round(todo: list[Piece], ruleset: Ruleset, seed: int, progress: Progress, runner: Runner) -> Solved:
    """Round 0 of every piece, which judges a division into communities."""
    standing = Standing.of(todo, [])
    tasks = [(p, ruleset, None, _lots(seed, i, 0)) for i, p in enumerate(todo)]
    try:
        for count, (i, found) in enumerate(in_turn(_round, tasks, todo, runner)):
            standing.put(i, found)
            progress("communities", (count + 1) / len(todo), standing.note())
    except KeyboardInterrupt as stop:
        standing.halt(stop)
        return stopped(standing, ruleset, 0, progress)
    return Solved(_whole(standing.plans), 1)


def settle_all(todo: list[Piece], solved: Solved, ruleset: Ruleset, progress: Progress, runner: Runner) -> Solved:
    """What can be proven of every piece; Ctrl-C leaves the others without a proof."""
    standing = Standing.of(todo, solved.plans)
    tasks = [(piece, ruleset, found) for piece, found in zip(todo, solved.plans, strict=True)]
    try:
        for count, (i, found) in enumerate(in_turn(_settled, tasks, todo, runner)):
            standing.put(i, found)
            progress("prove", count / len(todo), standing.note())
    except KeyboardInterrupt:
        return stopped(standing, ruleset, solved.rounds, progress)
    progress("prove", 1.0, standing.note())
    return Solved(_whole(standing.plans), solved.rounds)


def stopped(standing: Standing, ruleset: Ruleset, made: int, progress: Progress) -> Solved:
    """What Ctrl-C leaves: the best plan of every piece so far; where there is none yet, one grown in a moment."""
    for i, plan in enumerate(standing.plans):
        if plan is None:
            standing.put(i, quick(standing.todo[i], ruleset))
    progress("stopped", 1.0, standing.note())
    return Solved(_whole(standing.plans), made, stopped=True)


def quick(piece: Piece, ruleset: Ruleset) -> search.Search:
    """A plan of one piece grown in a moment, without search."""
    if piece.fixed:
        return _round((piece, ruleset, None, 0))
    return search.quick(piece.units, piece.bounds, search.terms_of(ruleset, piece.bounds), ruleset.outside)


def in_turn(
    function: Callable[[Any], Any], tasks: Sequence[Any], todo: list[Piece], runner: Runner
) -> Iterator[tuple[int, Any]]:
    """Run one task a piece, the largest first, so that no worker is left with it at the end."""
    order = sorted(range(len(todo)), key=lambda i: -len(todo[i].atoms))
    for at, answer in runner(function, [tasks[i] for i in order]):
        yield order[at], answer


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
    how = (piece.units, piece.bounds, terms, ruleset.outside)
    try:
        if so_far is None:
            return numbers.start(*how, lots, piece.number) if piece.number else search.start(*how, lots)
        found = search.better(*how, so_far, lots)
    except search.Halted as stop:
        stop.piece = piece
        raise
    return numbers.kept(so_far, found, piece.number) if piece.number else found


def _settled(task: tuple[Piece, Ruleset, search.Search]) -> search.Search:
    piece, ruleset, found = task
    if piece.fixed:
        return found
    terms = search.terms_of(ruleset, piece.bounds)
    settled = polish.settled(piece.units, piece.bounds, terms, ruleset.outside, found)
    return numbers.kept(found, settled, piece.number) if piece.number else settled


def _whole(plans: Sequence[search.Search | None]) -> list[search.Search]:
    return [plan for plan in plans if plan is not None]
