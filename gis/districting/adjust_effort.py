"""How much an adjustment may still work, counted in the steps of its solver so that every run ends alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from gis.districting.kernels import Int

#: Work of one variable between two looks of the solver at its limits: those come at fixed places of its run.
#: One unit of work is about a second of a slow core.
LOOK: Final = 3e-5
#: Work of writing down one variable with its rows.
BUILD: Final = 6e-5
#: Work of one step of a descent.
STEP: Final = 1.2e-6
#: Work of an adjustment: for the whole, more for every grid at fault, and still more for each beyond the first few.
WHOLE: Final = 2.0
EACH: Final = 0.4
FEW: Final = 10
FURTHER: Final = 1.0
#: Most work of one window while grids are at fault, and of one in which a cheaper chain is looked for.
MENDING: Final = 0.6
BETTERING: Final = 1.0
#: Share of all work kept for looking at chains again.
KEPT: Final = 0.4


@dataclass
class Effort:
    """Work that is ``left``, of all and of the window in hand; ``seen``: windows whose answer is known by now."""

    left: float
    window: float = 0.0
    seen: dict[bytes, tuple[Int, bool]] = field(default_factory=dict)

    @classmethod
    def of(cls, at_fault: int) -> Effort:
        """What an adjustment of so many grids at fault may do."""
        return cls(WHOLE + EACH * min(at_fault, FEW) + FURTHER * max(0, at_fault - FEW))

    def begin(self, most: float) -> None:
        """A new window, of at most ``most`` work."""
        self.window = max(0.0, min(most, self.left))

    @property
    def spent(self) -> bool:
        """Whether the window in hand may do no more."""
        return self.window <= 0

    def take(self, work: float) -> None:
        """Count work done."""
        self.left -= work
        self.window -= work

    def solve(self, solver: Any) -> None:
        """Run a program until it is solved or the window's work is done."""
        each = LOOK * int(solver.getNumCol())
        most, looks = self.window / each, 0

        def watch(event: Any) -> None:
            nonlocal looks
            looks += 1
            if looks > most:
                event.interrupt()

        solver.cbMipInterrupt += watch
        try:
            solver.run()
        finally:
            solver.cbMipInterrupt -= watch
        self.take(each * max(looks, 1))
