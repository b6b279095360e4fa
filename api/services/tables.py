"""Tables of households into the database: matched to buildings, shown first, written all or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, insert

from api.services import importing
from data import tables
from data.postgres import events, generations, schema
from data.postgres.addresses import registers
from data.postgres.addresses.registers import Known
from data.postgres.imported import territories
from data.postgres.plans import atom_sets
from data.postgres.unit_of_work import UnitOfWork
from data.tables import HouseholdTable, Row
from gis.districting.rulesets import Ruleset
from gis.errors import ConflictError, InputError
from gis.progress import Progress, silent
from gis.territory.matching import MATCHED, Match, match

#: What changes for readers when a table is imported.
LAYERS = ("buildings", "atoms")


@dataclass(frozen=True)
class Line:
    """What became of one row; ``building`` is what it changes, ``candidates`` what else it could mean."""

    row: Row
    match: Match
    building: Known | None
    candidates: tuple[Known, ...]


@dataclass(frozen=True)
class Preview:
    """What a table would do. ``households`` and ``before`` are sums over the matched buildings."""

    table: HouseholdTable
    lines: tuple[Line, ...]
    households: int
    before: int

    @property
    def matched(self) -> tuple[Line, ...]:
        """Rows that mean exactly one building."""
        return tuple(line for line in self.lines if line.building is not None)

    @property
    def unmatched(self) -> tuple[Line, ...]:
        """Rows that do not, each with its reason in ``match.outcome``."""
        return tuple(line for line in self.lines if line.building is None)

    @property
    def outcomes(self) -> Counter[str]:
        """Rows by outcome."""
        return Counter(line.match.outcome for line in self.lines)


def preview(
    engine: Engine, path: Path, name: str, *, encoding: str | None = None, sheet: str | None = None
) -> Preview:
    """Read and match a table without writing anything."""
    table = tables.read_households(path, encoding=encoding, sheet=sheet)
    with UnitOfWork(engine, read_only=True) as work:
        register, known = registers.load(work.connection, territories.get(work.connection, name))
    found = match([row.clue for row in table.rows], register)
    lines = tuple(
        Line(row, m, known[m.building] if m.outcome in MATCHED else None, tuple(known[c] for c in m.candidates))
        for row, m in zip(table.rows, found, strict=True)
    )
    matched = [line for line in lines if line.building is not None]
    return Preview(
        table,
        lines,
        sum(line.row.households for line in matched),
        sum(line.building.households for line in matched if line.building is not None),
    )


def import_table(
    engine: Engine,
    path: Path,
    name: str,
    *,
    ruleset: Ruleset,
    encoding: str | None = None,
    sheet: str | None = None,
    skip_unmatched: bool = False,
    actor: str = "",
    progress: Progress = silent,
) -> Preview:
    """Give the matched buildings the households of a table and cut the atoms anew, in one transaction.

    Where rows match nothing, nothing is written (InputError ``table.unmatched``) unless ``skip_unmatched``.
    """
    found = preview(engine, path, name, encoding=encoding, sheet=sheet)
    if not found.matched or (found.unmatched and not skip_unmatched):
        raise InputError(
            "table.unmatched", file=path.name, count=len(found.unmatched), rows=_numbers(found.unmatched)
        )
    with UnitOfWork(engine) as work:
        connection = work.connection
        territory = territories.get(connection, name)
        territories.lock(connection, territory.id)
        if importing.GIVEN in atom_sets.parameters(connection, atom_sets.latest(connection, territory.id)):
            raise ConflictError("table.given_atoms", territory=name)
        counts = {
            line.building.id: (line.row.households, line.row.occupied)
            for line in found.matched
            if line.building is not None
        }
        territories.save_table_households(connection, counts)
        importing.recut(connection, territory, ruleset, progress)
        summary = {"rows": len(found.lines), "matched": len(counts), "households": found.households}
        connection.execute(
            insert(schema.import_run).values(
                territory_id=territory.id, source=path.name, digest=found.table.digest, summary=summary
            )
        )
        generations.bump(connection, territory.id, LAYERS)
        events.record(
            connection, "table_imported", f"territory:{territory.id}", actor=actor, territory_id=territory.id,
            body=summary | {"source": path.name},
        )  # fmt: skip
        work.commit()
    return found


def _numbers(lines: Iterable[Line]) -> str:
    numbers = [str(line.row.number) for line in lines]
    return ", ".join(numbers[:10]) + (" ..." if len(numbers) > 10 else "")
