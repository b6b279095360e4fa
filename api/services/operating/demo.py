"""The whole main job on the two shipped samples, step by step, each checked before the next begins."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine

from api.version import VERSION
from data.machine import places
from data.postgres.plans import read_published
from data.postgres.server import settings
from data.postgres.unit_of_work import UnitOfWork
from data.samples import shipped
from gis.progress import Progress, silent

#: Steps as the summary shows them, and which steps of the engine belong to each.
STEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "read": ("read", "check"),
    "blocks": ("lines", "blocks", "lanes"),
    "atoms": ("cells", "atoms"),
    "store": ("store",),
    "plan": ("communities", "solve"),
    "publish": ("publish",),
    "addresses": ("addresses", "addresses_store"),
    "plates": ("plates", "proof"),
    "tiles": ("tiles",),
    "lookup": ("lookup", "links"),
}
_STEP_OF: Final = {inner: step for step, inners in STEPS.items() for inner in inners}
_KEY: Final = "demo"

#: The samples in the order they are done, with their titles.
SAMPLES: Final[Mapping[str, str]] = {name: shipped.TITLES[name] for name in shipped.NAMES}


@dataclass(frozen=True)
class Result:
    """What the job made of one sample. ``fresh`` is false when nothing had changed since it was made."""

    territory: str
    title: str
    grids: int
    households: int
    in_range_share: float
    on_street_share: float | None
    exceptions: int
    addresses: int
    plates: int
    plates_file: str
    publication: int
    tiles: int
    lookups: int
    links: int
    seconds: dict[str, float]
    fresh: bool = True


@dataclass
class Stopwatch:
    """Passes progress on, and adds up the seconds of each step."""

    progress: Progress
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    _step: str = "read"
    _since: float = field(default_factory=time.perf_counter)

    def __call__(self, step: str, done: float, note: str = "") -> None:
        """Say how far a step is; the time since the last word belongs to the step that was running."""
        self._turn(_STEP_OF.get(step, self._step))
        self.progress(step, done, note)

    def stop(self) -> dict[str, float]:
        """Seconds by step, in the order of the steps."""
        self._turn(self._step)
        return {step: round(self.seconds[step], 2) for step in STEPS if self.seconds[step] > 0}

    def _turn(self, step: str) -> None:
        now = time.perf_counter()
        self.seconds[self._step] += now - self._since
        self._step, self._since = step, now


def run(engine: Engine, name: str, *, progress: Progress = silent) -> Result:
    """The job on one sample: as it stands when nothing has changed, from the beginning otherwise."""
    mark = fingerprint(name)
    known = _known(engine, name, mark)
    if known is not None:
        return known
    result = _make(engine, name, progress)
    _keep(engine, name, mark, result)
    return result


def _make(engine: Engine, name: str, progress: Progress) -> Result:
    # imported here: a run that finds everything standing must not wait for the engine to load
    from api.services import importing
    from api.services.addresses import addresses
    from api.services.operating import demo_checks
    from api.services.plans import partitioning, planning, publishing
    from api.services.plans.planning import Job
    from api.services.plates import plates
    from api.services.published import Published

    watch = Stopwatch(progress)
    ruleset = planning.ruleset_of("default")
    importing.import_sample(engine, name, ruleset=ruleset, actor="demo", progress=watch)
    planned = partitioning.partition(engine, name, Job(ruleset), actor="demo", progress=watch)
    published = publishing.publish(engine, name, actor="demo", staff=True, demo_people=True, progress=watch)
    addressed = addresses.assign_territory(engine, name, actor="demo", progress=watch)
    printed = plates.print_community(engine, name, actor="demo", progress=watch)
    pdf = _write(f"{name}-plates.pdf", printed.pdf)
    checked = demo_checks.check(Published(engine), published.publication.id, watch)
    report = planned.report
    return Result(
        territory=name,
        title=shipped.TITLES[name],
        grids=report["grids"],
        households=report["households"],
        in_range_share=report["in_range_share"],
        on_street_share=report["on_street_share"],
        exceptions=len(report["exceptions"]),
        addresses=sum(addressed.total.values()),
        plates=printed.verified,
        plates_file=pdf,
        publication=published.publication.id,
        tiles=checked.tiles,
        lookups=checked.lookups,
        links=checked.links,
        seconds=watch.stop(),
    )


def fingerprint(name: str) -> str:
    """Changes with the sample's bytes and with every line of the engine and the data layer."""
    digest = hashlib.sha256(VERSION.encode())
    digest.update(shipped.path_of(name).read_bytes())
    for folder in ("gis", "data"):
        for file in sorted((places.ROOT / folder).rglob("*")):
            if file.suffix in (".py", ".toml") and "samples" not in file.parts:
                digest.update(file.read_bytes())
    return digest.hexdigest()


def _known(engine: Engine, name: str, mark: str) -> Result | None:
    """The result of an earlier run that still stands: same mark, and its publication in force."""
    with UnitOfWork(engine) as work:
        found = settings.read(work.connection, f"{_KEY}.{name}")
        if not isinstance(found, dict) or found.get("mark") != mark:
            return None
        held = found["result"]
        held["seconds"] = {step: held["seconds"][step] for step in STEPS if step in held["seconds"]}
        result = Result(**{**held, "fresh": False})
        infos = read_published.in_force(work.connection)
    there = any(i.publication == result.publication for i in infos)
    return result if there and (not result.plates_file or Path(result.plates_file).is_file()) else None


def _write(name: str, body: bytes) -> str:
    """Write a file of the demo whole; its path."""
    folder = places.state() / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{name}.part"
    partial.write_bytes(body)
    return str(partial.replace(folder / name))


def _keep(engine: Engine, name: str, mark: str, result: Result) -> None:
    with UnitOfWork(engine) as work:
        settings.write(work.connection, f"{_KEY}.{name}", {"mark": mark, "result": asdict(result)})
        work.commit()


def summary(results: list[Result], seconds: float) -> dict[str, Any]:
    """What ``--json`` writes."""
    return {"territories": [asdict(r) for r in results], "seconds": round(seconds, 2), "version": VERSION}
