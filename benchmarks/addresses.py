"""Standard addresses: parsing, matching and numbering against the bars, JioNLP beside them.

Labelled addresses and real numbers lie beside the repository and are only judged on; rows without them have no value.
``--quick`` matches in a library of 200,000 and leaves the peer out. CPU seconds, one core.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from api.services.addresses import parser_training as training
from benchmarks import addresses_numbering, big_library, hard_addresses, hard_addresses_elsewhere
from benchmarks.runner import SHARED, Figure, Say, figure, fresh_process, peer_python, versions
from data.addressing import labelled, model_file
from gis.addressing.compose import Parts
from gis.addressing.matching.matcher import Matcher
from gis.addressing.parsing.model import Parser

NCAP: Final = SHARED / "addresses"
#: Two addresses of the practices that a national parser sends to other provinces.
_SENT_AWAY: Final = ("籍山镇和顺社区和顺二期64栋", "桃花坪街道江湾社区兴业小区11栋")


def figures(*, quick: bool, say: Say) -> tuple[list[Figure], dict[str, str]]:
    """A row for every bar of the issue that concerns parsing, matching and numbering."""
    used = versions("numpy", "numba")
    rows = parsing(say) + hard(quick, say) + matching(200_000 if quick else 1_000_000, say)
    rows += addresses_numbering.figures(say)
    return rows, used


def parsing(say: Say) -> list[Figure]:
    """The shipped model and one trained on the labelled set, on its dev part."""
    there = (NCAP / "ncap-dev.txt").exists()
    if not there:
        say("labelled addresses: not on this machine")
    dev = labelled.read(NCAP / "ncap-dev.txt") if there else []
    shipped = model_file.shipped()
    own = training.told(shipped, len(model_file.pack(shipped)), 0.0, dev)
    other = None
    if dev:
        known = labelled.read(NCAP / "ncap-train.txt")
        began = time.process_time()
        model = training.train_labelled(known, beside=shipped)
        other = training.told(model, len(model_file.pack(model)), time.process_time() - began, dev)
    say(f"shipped: {own}")
    say(f"labelled: {other}")
    judged, theirs = own.judged, other.judged if other else None
    on_labelled = "parsing F1, model trained on the labelled set"
    return [
        figure(on_labelled, theirs and theirs.f1, "", better="high", floor=0.885, aim=0.895),
        figure("parsing F1, shipped model", judged and judged.f1, "", better="high", floor=0.80, aim=0.86),
        figure("dash tails fully right", theirs and theirs.tails, "share", better="high", floor=0.90, aim=0.95),
        figure("dash tails fully right, shipped model", judged and judged.tails, "share", better="high"),
        figure("the same with ranges of one part", theirs and theirs.chains, "share", better="high"),
        figure("model", own.megabytes, "MB", better="low", floor=6.0),
        figure("training on the labelled set", other and other.seconds, "CPU s", better="low", floor=180.0),
        figure("parses a second", own.per_second, "1/s", better="high", floor=2000, aim=5000),
    ]  # fmt: skip


def hard(quick: bool, say: Say) -> list[Figure]:
    """The hard addresses of the practices and of other cities, each in their own library."""
    right = wrong = count = 0
    parser = Parser(model_file.shipped())
    for where in (hard_addresses, hard_addresses_elsewhere):
        library = where.library()
        matcher = Matcher(library, parser)
        for text, wanted in where.CASES:
            found = matcher.match(text)
            told = tuple(str(library.entries.text[r]) for r in found.rows)
            asked = (wanted,) if isinstance(wanted, str) else wanted
            fits = found.status != "exact" if wanted == "" else told == asked
            right += fits
            wrong += found.status == "exact" and not fits
        count += len(where.CASES)
    say(f"hard addresses: {right} of {count} right, {wrong} wrong")
    peer = {} if quick else _peer(say)
    extra: dict[str, Any] = {"peer": f"jionlp {peer['version']}", "peer_value": peer["away"]} if peer else {}
    return [
        figure("hard addresses right", right / count, "share", better="high", floor=0.80, aim=0.90),
        figure(
            "hard addresses wrong", wrong, "of the two sent to other provinces", better="low", floor=0, aim=0, **extra
        ),
    ]


def _peer(say: Say) -> dict[str, Any]:
    """How many of two addresses the peer sends to another province."""
    python = peer_python("jionlp", ["jionlp==1.5.31"], say)
    if python is None:
        return {}
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(list(_SENT_AWAY), file, ensure_ascii=False)
        file.flush()
        try:
            script = str(Path(__file__).parent / "peers" / "jionlp_parse.py")
            found = fresh_process(script, file.name, python=python)
        except (RuntimeError, OSError) as error:
            say(f"peer jionlp: {error}")
            return {}
    right = ("安徽省", "湖南省")
    away = sum(bool(f[0]) and f[0] != r for f, r in zip(found["found"], right, strict=True))
    return {"version": found["version"], "away": away}


def matching(count: int, say: Say) -> list[Figure]:
    """A large library: speed, absent addresses, addresses written in other ways."""
    entries = big_library.entries(count)
    began = time.process_time()
    library = big_library.library(entries)
    say(f"library of {len(entries):,}: {time.process_time() - began:.1f} CPU s")
    matcher = Matcher(library, Parser(model_file.shipped()))
    rng = np.random.default_rng(3)
    asked = rng.integers(0, len(entries), 20_000)
    fast, slowest = _by_parts(matcher, asked)
    texts = [big_library.WRITERS["with its divisions"](entries, int(k)) for k in asked[:4000]]
    began = time.process_time()
    for text in texts:
        matcher.match(text)
    parsed = len(texts) / (time.process_time() - began)
    lacking = big_library.absent(entries, asked[:6000])
    exact = float(np.mean([matcher.match(t).status == "exact" for t in lacking]))
    first = {name: _first(matcher, write, asked[:1000]) for name, write in big_library.WRITERS.items()}
    say(f"found first, by way of writing: {first}")
    by_parts = f"library of {len(entries):,}: queries a second, parts given"
    another = float(np.mean(list(first.values())))
    return [
        figure(by_parts, fast, "1/s", better="high", floor=5000, aim=25_000),
        figure("queries a second, free text", parsed, "1/s", better="high", floor=1000, aim=3000),
        figure("query, parts given, p99", slowest, "ms", better="low", floor=2.0, aim=0.15),
        figure("absent address called exact", exact, "share", better="low", floor=0.001, aim=0.0),
        figure("written another way, found first", another, "share", better="high", floor=0.90, aim=0.95),
    ]  # fmt: skip


def _by_parts(matcher: Matcher, rows: Any) -> tuple[float, float]:
    """Queries a second and the slowest hundredth in milliseconds, parts given."""
    e = matcher.library.entries
    parts = [
        Parts(e.community[k], "", e.road[k], e.number[k], e.compound[k], e.building[k], e.unit[k], e.room[k])
        for k in rows
    ]
    for p in parts[:200]:
        matcher.find(p)
    times = np.empty(len(parts))
    began = time.process_time()
    for t, p in enumerate(parts):
        at = time.thread_time_ns()
        matcher.find(p)
        times[t] = time.thread_time_ns() - at
    return len(parts) / (time.process_time() - began), float(np.quantile(times, 0.99)) / 1e6


def _first(matcher: Matcher, write: big_library.Writer, rows: Any) -> float:
    """Share of addresses that come first, as the answer or as the best candidate."""
    hits = 0
    for k in rows.tolist():
        found = matcher.match(write(matcher.library.entries, k))
        hits += k == next(iter((*found.rows, *found.candidates)), -1)
    return hits / len(rows)
