"""The life of codes and plates: which state may follow which, and what the place where a plate was seen says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from gis.errors import ConflictError

#: State of a plate -> states that may follow. A lost plate may be found and hung again; a revoked one is finished.
PLATE_MOVES: Final[Mapping[str, frozenset[str]]] = {
    "issued": frozenset({"printed", "installed", "lost", "replaced", "revoked"}),
    "printed": frozenset({"installed", "lost", "replaced", "revoked"}),
    "installed": frozenset({"installed", "lost", "replaced", "revoked"}),
    "lost": frozenset({"installed", "replaced", "revoked"}),
    "replaced": frozenset({"revoked"}),
    "revoked": frozenset(),
}
#: Plates in these states hang or may come to hang.
LIVE: Final = ("issued", "printed", "installed")
#: A plate hangs on its building, or on its gate post or fence: metres from the outline that are nothing to look into.
TOLERANCE: Final = 30.0

Nearness = Literal["near", "unsure", "far"]


@dataclass(frozen=True)
class Sighting:
    """A plate seen by staff: the day, metres from its building's outline, and the verdict of ``nearness``."""

    day: date
    distance: float
    verdict: str


def require_move(plate: str, before: str, after: str) -> None:
    """Raise ConflictError ``life.move`` where a plate cannot go from one state to another."""
    if after not in PLATE_MOVES.get(before, frozenset()):
        raise ConflictError("life.move", plate=plate, before=before, after=after)


def nearness(distance: float, accuracy: float = 0.0, tolerance: float = TOLERANCE) -> Nearness:
    """Whether a position ``accuracy`` metres good, ``distance`` metres from the building, can be at the building.

    ``near``: surely within the tolerance; ``far``: surely beyond it; else ``unsure``.
    """
    if distance + accuracy <= tolerance:
        return "near"
    return "far" if distance - accuracy > tolerance else "unsure"


def suspicion(seen: Iterable[Sighting], days: int = 90) -> Literal["", "moved", "copied"]:
    """What sightings of one code say: seen away from its building it was moved; seen in both places, copied.

    Only sightings no older than ``days`` before the last one count; those of one day are in the order in which they
    were recorded. A plate taken down and hung up elsewhere is near, then far; one that is near again after it was
    far exists twice.
    """
    known = sorted(seen, key=lambda s: s.day)
    if not known:
        return ""
    recent = [s.verdict for s in known if (known[-1].day - s.day).days <= days]
    if "far" not in recent:
        return ""
    return "copied" if "near" in recent[recent.index("far") :] else "moved"
