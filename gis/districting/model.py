"""A plan: one vector, atom -> grid, and what is said about its grids and communities."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from gis.blocks.model import Index
from gis.districting.rulesets import Ruleset
from gis.territory.model import Ints, Texts

Status = Literal["optimal", "gap", "infeasible", "none"]

#: Why a grid is out of range; words for people stand in the ``districting`` catalogue as ``exception_<reason>``.
REASONS: Final[tuple[str, ...]] = (
    "no_households",  # a community or piece where nobody lives
    "small_community",  # fewer households than one grid needs
    "island",  # a piece of the community, joined to the rest nowhere, with too few households
    "large_building",  # one atom holds more than the maximum
    "large_group",  # one villager group that may not be cut holds more than the maximum
    "no_number_fits",  # too many households for k grids, too few for k + 1; proven when no plan is less amiss
    "bottleneck",  # parts that hang on one building: too few households to stand alone, too many to join
    "enclosed",  # no connected set within the bounds holds the building: what lies around it is too large
    "no_division",  # of all connected sets within the bounds no choice holds each of some buildings once
    "blocks",  # no plan within the bounds was found: block geometry
)


def _no_texts() -> Texts:
    return np.empty(0, dtype=object)


def _no_numbers() -> Ints:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Grids:
    """One row a grid. ``community`` is a position in ``Plan.communities``; ``note`` a reason code or "".

    ``code`` and ``name`` are ``code_form`` and ``name_form`` with the running ``number`` (empty where not known).
    """

    code: Texts
    name: Texts
    community: Index
    kind: Texts  # residential | dedicated | rural
    counted: Ints
    households: Ints
    note: Texts
    number: Ints = field(default_factory=_no_numbers)
    code_form: Texts = field(default_factory=_no_texts)
    name_form: Texts = field(default_factory=_no_texts)

    def __len__(self) -> int:
        return len(self.code)


@dataclass(frozen=True)
class GridException:
    """A grid out of range. ``block`` is the block at fault (-1: none); ``proven``: no plan can avoid it.

    ``at_fault``: the atoms that the reason speaks of (the building, what hangs on it, the piece), with ``held``
    counted households together.
    """

    grid: int
    reason: str
    block: int
    households: int  # counted households of the grid
    proven: bool
    at_fault: tuple[int, ...] = ()
    held: int = 0


@dataclass(frozen=True)
class Certificate:
    """What is known of a plan's quality, and for which units and restrictions that holds."""

    status: Status
    units: str = ""  # atoms | blocks | villager groups | ""
    restrictions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Objective:
    """Terms of the objective in priced metres (see ``Ruleset``).

    ``compound``: what borders inside compounds 小区 cost beside their price; ``border`` is without it.

    ``border``: borders between grids of one community. What runs between communities is given (price 0), or, where
    the communities are of our own making, was paid when they were cut.
    """

    border: float
    balance: float
    compactness: float
    range: float
    compound: float = 0.0

    @property
    def total(self) -> float:
        """The sum that is minimised."""
        return self.border + self.balance + self.compactness + self.range + self.compound


@dataclass(frozen=True)
class CommunityPlan:
    """One community of a plan. ``code`` and ``name`` as given, or local ones; ``code12`` stands in grid codes."""

    code: str
    name: str
    code12: str
    rural: bool
    certificate: Certificate
    objective: Objective
    lower_bound: float | None
    exceptions: tuple[GridException, ...]


@dataclass(frozen=True)
class Plan:
    """Atoms -> grids: ``assignment`` and ``atom_community`` hold positions in ``grids`` and ``communities``.

    ``atom_counted``: the households that the ruleset bounds.
    """

    assignment: Index
    atom_community: Index
    atom_counted: Ints
    grids: Grids
    communities: tuple[CommunityPlan, ...]
    communities_given: bool
    ruleset: Ruleset
    seed: int
    iterations: int
    stopped: bool = False  # by Ctrl-C: the best plan so far, which ``iterations`` alone do not repeat

    @property
    def exceptions(self) -> tuple[GridException, ...]:
        """Every grid out of range, by community."""
        return tuple(e for c in self.communities for e in c.exceptions)

    @property
    def exit_status(self) -> int:
        """0: the plan meets its rules or every exception is proven; 3: rules missed, named, without proof."""
        if not self.ruleset.strict:
            return 0
        return 0 if all(e.proven for e in self.exceptions) else 3
