"""Plans and their versions: the vector atom -> grid, its grids, its report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from data.postgres import schema
from data.postgres.bulk import copy_rows
from data.postgres.plans.atom_sets import StoredAtoms
from gis.districting.model import Plan
from gis.errors import NotFoundError

#: The plan that the command line works on where none is named.
DEFAULT = "main"


@dataclass(frozen=True)
class Version:
    """One plan version. ``grid_of_atom[atom]`` is a ``number`` of its grids."""

    id: int
    plan_id: int
    territory_id: int
    number: int
    atom_set_id: int
    status: str
    ruleset: str
    seed: int
    grid_of_atom: NDArray[np.int32]
    report: dict[str, Any]


def save(
    connection: Connection,
    territory_id: int,
    stored: StoredAtoms,
    plan: Plan,
    report: Mapping[str, Any],
    *,
    name: str = DEFAULT,
    author: str = "",
) -> int:
    """Append a draft version to the plan ``name`` (made where it is missing); the version's id."""
    plan_id = _plan(connection, territory_id, name, author)
    table = schema.plan_version
    # the plan's row is locked by _plan: numbers are given out one at a time
    parent = connection.execute(
        select(table.c.id, table.c.number).where(table.c.plan_id == plan_id).order_by(table.c.number.desc()).limit(1)
    ).one_or_none()
    version: int = connection.execute(
        insert(table)
        .values(
            plan_id=plan_id,
            number=1 if parent is None else parent.number + 1,
            parent_id=None if parent is None else parent.id,
            atom_set_id=stored.id,
            ruleset=plan.ruleset.name,
            seed=plan.seed,
            iterations=plan.iterations,
            grid_of_atom=plan.assignment.tolist(),
            report=dict(report),
            certificate=dict(report.get("certificate") or {}),
            created_by=author,
        )
        .returning(table.c.id)
    ).scalar_one()
    _save_grids(connection, version, stored, plan)
    return version


def _save_grids(connection: Connection, version: int, stored: StoredAtoms, plan: Plan) -> None:
    grids = plan.grids
    communities = [plan.communities[c] for c in grids.community]
    ids: list[int | None] = [None] * len(grids)
    if plan.communities_given and len(stored.communities):
        first = np.full(len(grids), -1)
        first[plan.assignment[::-1]] = np.arange(len(plan.assignment))[::-1]
        ids = list(stored.communities[stored.atoms.community[first]].tolist())
    copy_rows(
        connection,
        schema.version_grid,
        {
            "plan_version_id": [version] * len(grids),
            "number": np.arange(len(grids)),
            "code": grids.code,
            "name": grids.name,
            "kind": grids.kind,
            "community_id": ids,
            "community": [c.name for c in communities],
            "community_code": [c.code for c in communities],
            "note": grids.note,
            "code_form": grids.code_form if len(grids.code_form) else [""] * len(grids),
            "name_form": grids.name_form if len(grids.name_form) else [""] * len(grids),
        },
    )


def _plan(connection: Connection, territory_id: int, name: str, author: str) -> int:
    add = upsert(schema.plan).values(territory_id=territory_id, name=name, created_by=author)
    # writing the row, even unchanged, holds it to the end of the transaction
    again = add.on_conflict_do_update(index_elements=["territory_id", "name"], set_={"name": name})
    number: int = connection.execute(again.returning(schema.plan.c.id)).scalar_one()
    return number


def load(connection: Connection, version_id: int) -> Version:
    """One version by its id; raises NotFoundError ``store.no_plan``."""
    v, p = schema.plan_version, schema.plan
    row = connection.execute(
        select(
            v.c.id, v.c.plan_id, p.c.territory_id, v.c.number, v.c.atom_set_id, v.c.status, v.c.ruleset, v.c.seed,
            v.c.grid_of_atom, v.c.report,
        )
        .join(p, p.c.id == v.c.plan_id)
        .where(v.c.id == version_id)
    ).one_or_none()  # fmt: skip
    if row is None:
        raise NotFoundError("store.no_plan")
    values = {**row._mapping, "grid_of_atom": np.array(row.grid_of_atom, dtype=np.int32)}
    return Version(**values)


def find(connection: Connection, territory_id: int, *, name: str = DEFAULT, number: int | None = None) -> int:
    """Id of a version of a plan, the newest where ``number`` is None; raises NotFoundError ``store.no_plan``."""
    v, p = schema.plan_version, schema.plan
    wanted = (
        select(v.c.id)
        .join(p, p.c.id == v.c.plan_id)
        .where(p.c.territory_id == territory_id, p.c.name == name)
        .order_by(v.c.number.desc())
        .limit(1)
    )
    if number is not None:
        wanted = wanted.where(v.c.number == number)
    found: int | None = connection.execute(wanted).scalar_one_or_none()
    if found is None:
        raise NotFoundError("store.no_plan")
    return found


def count(connection: Connection, territory_id: int) -> int:
    """How many versions of any plan a territory has."""
    v, p = schema.plan_version, schema.plan
    n: int = connection.execute(
        select(func.count()).select_from(v.join(p, p.c.id == v.c.plan_id)).where(p.c.territory_id == territory_id)
    ).scalar_one()
    return n
