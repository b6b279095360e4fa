"""How the tasks of a plan are run: here, on processes, on a cluster; and how answers outlive a run that is killed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely

from api.services.plans.fingerprint import fingerprint
from api.services.plans.workers import running
from data.checkpoints import Checkpoint
from gis.districting.rulesets import Ruleset
from gis.errors import InputError
from gis.progress import Note, Progress
from gis.tasks import Runner
from gis.territory.model import Areas

#: Numbers of grids asked for, by the code of their community; without a code: of each other one.
Wanted = tuple[tuple[str, int], ...]

#: Seconds of work below which answers are not kept when a run stops in good order.
WORTH: Final = 5.0


@dataclass
class Answers:
    """What is known of a job from an earlier run. ``done``: the output is written, nothing need be kept."""

    checkpoint: Checkpoint | None = None
    done: bool = False

    def around(self, runner: Runner) -> Runner:
        """A runner that answers what is known, and keeps what is new."""
        return runner if self.checkpoint is None else self.checkpoint.around(runner)

    @property
    def kept(self) -> str | None:
        """The file that holds answers for another run, when there is one."""
        return None if self.checkpoint is None or self.done else str(self.checkpoint.path)


@contextmanager
def runner_of(workers: int | None, scheduler: str | None) -> Iterator[Runner]:
    """What runs tasks: this process, some processes of this machine, or the Dask cluster of a scheduler."""
    if scheduler is not None:
        from api.services.plans.cluster import on_cluster

        with on_cluster(scheduler) as runner:
            yield runner
    else:
        with running(workers) as runner:
            yield runner


@contextmanager
def answering(path: Path | None, about: dict[str, str], resume: bool, progress: Progress) -> Iterator[Answers]:
    """Keep the answers of a job in a file until it is done; ``None``: keep nothing.

    A file left by a killed run of the same job is used; one of another job is not, or, with ``resume``, is an error.
    """
    if path is None:
        yield Answers()
        return
    checkpoint = Checkpoint(path, about, required=resume)
    answers = Answers(checkpoint)
    if checkpoint.found:
        progress("resume", 1.0, Note("resumed", {"count": checkpoint.found}))
    elif checkpoint.stale:
        progress("resume", 1.0, Note("stale", {"file": path.name, "differs": ", ".join(checkpoint.stale)}))
    begun = time.monotonic()
    try:
        yield answers
    finally:
        answers.done = answers.done or (time.monotonic() - begun < WORTH and not checkpoint.found)
        checkpoint.close(remove=answers.done)


def numbers_asked(grids: Wanted, communities: Areas | None) -> Mapping[int, int] | int | None:
    """How many grids each community shall have, as ``make_plan`` takes it: by position, or one number for each.

    Raises ``InputError`` for the code of a community that is not there.
    """
    each = next((number for code, number in grids if not code), None)
    named = {code: number for code, number in grids if code}
    if not named:
        return each
    codes = [] if communities is None else [str(code) for code in communities.code]
    for code in named:
        if code not in codes:
            raise InputError("plan.grids_unknown", community=code)
    if each is not None:
        named = dict.fromkeys(codes, each) | named
    return {codes.index(code): number for code, number in named.items()}


def depends_on(ruleset: Ruleset, seed: int, *parts: Any) -> dict[str, str]:
    """What the answers of a job depend on, by name. ``parts``: arrays, or frozen classes of arrays; how long the job
    may take is not among them.
    """
    found, rules = hashlib.sha256(), hashlib.sha256()
    _feed(found, parts)
    _feed(rules, ruleset)
    return {
        **fingerprint(),
        "input": found.hexdigest()[:16],
        "ruleset": rules.hexdigest()[:16],
        "seed": str(seed),
    }


def _feed(digest: Any, value: Any) -> None:
    """Add a value to a digest, by what it holds."""
    if isinstance(value, np.ndarray) and value.dtype != object:
        digest.update(str(value.dtype).encode() + np.ascontiguousarray(value).tobytes())
    elif isinstance(value, np.ndarray) and len(value) and isinstance(value[0], shapely.Geometry):
        digest.update(b"".join(shapely.to_wkb(value)))
    elif isinstance(value, (np.ndarray, tuple, list)):
        digest.update(str(len(value)).encode())
        for item in value:
            _feed(digest, item)
    elif is_dataclass(value):
        for each in fields(value):
            digest.update(each.name.encode())
            _feed(digest, getattr(value, each.name))
    else:
        digest.update(repr(value).encode() + b"\0")
