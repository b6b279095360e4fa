"""Numbering against the real house numbers of Queens: the street faced, streets as lines, numbers issued."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

import numpy as np

from benchmarks.runner import SHARED, Figure, Say, figure
from data.osm import read_osm
from gis.addressing import doornumbers, facing
from gis.addressing.assign import assign
from gis.addressing.thoroughfares import plain, trace
from gis.territory.crs import metre_crs, project
from gis.territory.layers import make_areas

QUEENS: Final = SHARED / "osm" / "queens-village.osm.pbf"


def figures(say: Say) -> list[Figure]:
    """A row for every bar that real numbers can measure."""
    found = _measured() if QUEENS.exists() else {}
    say(f"numbering, Queens: {found or 'not on this machine'}")
    get = found.get
    return [
        figure("street faced, right", get("faced"), "share", better="high", floor=0.94, aim=0.96),
        figure("street faced, right where sure", get("sure_right"), "share", better="high", floor=0.985, aim=0.992),
        figure("street faced, sure", get("sure"), "share", better="high", floor=0.85, aim=0.90),
        figure("named streets that are one line", get("one_line"), "share", better="high", floor=0.79, aim=0.90),
        figure("issued: parity, order or uniqueness broken", get("broken"), "", better="equal", floor=0),
        figure("existing numbers changed", get("changed"), "", better="equal", floor=0),
        figure("hidden number exact", get("hidden"), "share", better="high", floor=0.60, aim=0.65),
        figure("buildings assigned a second", get("rate"), "1/s", better="high", floor=4000, aim=20_000),
    ]  # fmt: skip


def _measured() -> dict[str, Any]:
    sources = read_osm(QUEENS)
    queens = project(sources, metre_crs(sources))
    b, none = queens.buildings, make_areas([])
    traced = trace(queens.streets)
    faced = facing.face(b.geometry, queens.streets.geometry, traced)
    stated = np.array([plain(str(s)) for s in b.street], dtype=object)
    asked = (b.housenumber != "") & np.isin(stated.astype(str), traced.name.astype(str))
    right = np.array([*traced.name, ""], dtype=object)[faced.thoroughfare] == stated
    sure = asked & faced.sure
    pieces = np.bincount(traced.piece_of)
    names = sorted(set(traced.name))
    alone = [n for n in names if (traced.name == n).sum() == 1 and pieces[np.flatnonzero(traced.name == n)[0]] == 1]
    rng = np.random.default_rng(7)
    hidden = rng.random(len(b)) < 0.2
    shown = replace(b, housenumber=np.where(hidden, "", b.housenumber).astype(object))
    began = time.process_time()
    found = assign(queens.streets, shown, none, none, none)
    seconds = time.process_time() - began
    kept = shown.housenumber != ""
    changed = sum(found.number[k] != str(shown.housenumber[k]).strip() for k in np.flatnonzero(kept))
    issued = (found.number != "") & ~kept
    truth = [doornumbers.read(str(h), block=100) for h in b.housenumber]
    known = [k for k in np.flatnonzero(hidden & issued) if len(truth[k]) == 1]
    return {
        "faced": float(right[asked].mean()),
        "sure_right": float(right[sure].mean()),
        "sure": float(sure.sum() / asked.sum()),
        "one_line": len(alone) / len(names),
        "broken": int(_broken(found, issued)),
        "changed": int(changed),
        "hidden": float(np.mean([found.base[k] == truth[k][0].low[0] for k in known])),
        "rate": round(len(b) / seconds),
    }


def _broken(found: Any, issued: Any) -> int:
    """Issued numbers that are not unique in their street, of another parity on their side, or out of order."""
    sides, texts = defaultdict(list), defaultdict(int)
    for k in np.flatnonzero(found.number != ""):
        texts[found.thoroughfare[k], found.number[k]] += 1
        if issued[k]:
            sides[found.thoroughfare[k], bool(found.right[k])].append(k)
    wrong = sum(texts[found.thoroughfare[k], found.number[k]] > 1 for k in np.flatnonzero(issued))
    for rows in sides.values():
        wrong += len({int(found.base[k]) % 2 for k in rows}) - 1
        rows.sort(key=lambda k: (found.station[k], found.base[k]))
        steps = [found.base[b] - found.base[a] for a, b in pairwise(rows) if found.station[a] != found.station[b]]
        wrong += min(sum(s < 0 for s in steps), sum(s > 0 for s in steps))
    return wrong
