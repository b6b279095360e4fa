"""The report of a plan as plain values for JSON, in the words of contract.md."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from gis.blocks.model import AtomSet
from gis.districting.measures import Measures, is_seamless, measure
from gis.districting.model import Certificate, GridException, Objective, Plan, Status
from gis.districting.placefigures import beside, community_pieces, grid_means, warnings_of
from gis.districting.rulesets import Ruleset

#: Most atoms at fault that the report lists for an exception.
FEW_ATOMS: Final = 50


def report_of(atom_set: AtomSet, plan: Plan) -> dict[str, Any]:
    """Measures, objective, certificate and exceptions of the whole plan and of every community.

    What only the caller knows (``seconds``, ``cpu_seconds``, ``peak_mb``, ``version``) is the caller's to add.
    """
    seamless = is_seamless(atom_set)
    pooled, each = measure(atom_set, plan)
    bounds = [c.lower_bound for c in plan.communities]
    whole = _part(
        pooled,
        seamless,
        _sum([c.objective for c in plan.communities]),
        sum(b for b in bounds if b is not None) if None not in bounds else None,
        _pooled_certificate([c.certificate for c in plan.communities]),
        plan.exceptions,
        plan,
    )
    whole["communities_given"] = plan.communities_given
    whole["communities"] = [
        {
            "code": c.code,
            "name": c.name,
            "rural": c.rural,
            "pieces": pieces,
            **_part(m, seamless, c.objective, c.lower_bound, c.certificate, c.exceptions, plan),
        }
        for c, m, pieces in zip(plan.communities, each, community_pieces(atom_set, plan), strict=True)
    ]
    means = grid_means(atom_set, plan)
    whole |= {
        "seed": plan.seed,
        "iterations": plan.iterations,
        "stopped": plan.stopped,
        "ruleset": plan.ruleset.name,
        "ruleset_digest": plan.ruleset.digest,
        "ruleset_verified": plan.ruleset.verified,
        "bounds": asdict(plan.ruleset.residential),
        "micro_bounds": _micro(plan.ruleset),
        "exit_status": plan.exit_status,
        "people_bounds": None if plan.ruleset.people is None else asdict(plan.ruleset.people),
        "grid_means": means,
        "figures": beside(plan.ruleset.figures, means),
        "warnings": warnings_of(plan),
    }
    return whole


def _micro(ruleset: Ruleset) -> dict[str, Any] | None:
    """Bounds of micro-grids: with them a plan version can be given its second level when it is published."""
    return None if ruleset.micro is None else {**asdict(ruleset.micro), "count": ruleset.count}


def _part(
    measures: Measures,
    seamless: bool,
    objective: Objective,
    lower_bound: float | None,
    certificate: Certificate,
    exceptions: tuple[GridException, ...],
    plan: Plan,
) -> dict[str, Any]:
    total = objective.total
    gap = None if lower_bound is None or total <= 0 else max(0.0, (total - lower_bound) / total)
    return {
        **asdict(measures),
        "seamless": seamless,
        "objective": total,
        "objective_terms": {**asdict(objective), "unit": "priced metres"},
        "lower_bound": lower_bound,
        "gap": gap,
        "certificate": asdict(certificate),
        "exceptions": [
            {
                "grid": str(plan.grids.code[e.grid]),
                "reason": e.reason,
                "block": e.block,
                "households": e.households,
                "proven": e.proven,
                "at_fault": {"atoms": list(e.at_fault[:FEW_ATOMS]), "count": len(e.at_fault), "households": e.held},
            }
            for e in exceptions
        ],
    }


def _sum(terms: list[Objective]) -> Objective:
    return Objective(
        border=sum(t.border for t in terms),
        balance=sum(t.balance for t in terms),
        compactness=sum(t.compactness for t in terms),
        range=sum(t.range for t in terms),
        compound=sum(t.compound for t in terms),
    )


def _pooled_certificate(certificates: list[Certificate]) -> Certificate:
    """What holds for the plan as a whole: the weakest of its communities."""
    found = {c.status for c in certificates}
    order: tuple[Status, ...] = ("none", "infeasible", "gap", "optimal")
    status: Status = next((s for s in order if s in found), "none")
    units = sorted({c.units for c in certificates if c.status == status and c.units})
    restrictions = sorted({r for c in certificates if c.status == status for r in c.restrictions})
    return Certificate(status, ", ".join(units), tuple(restrictions))
