"""Numbering against the real house numbers of Queens: the street faced, streets as lines, numbers issued.

``python -m benchmarks.addresses_numbering FILE...`` measures the same of any other map.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
import shapely
from scipy.stats import kendalltau

from benchmarks.runner import SHARED, Figure, Say, figure
from data.files import read_sources
from gis.addressing import codes, doornumbers, facing, numbering
from gis.addressing.assign import Addresses, assign
from gis.addressing.numbering import Rule
from gis.addressing.street_names import plain
from gis.addressing.thoroughfares import Thoroughfares, trace
from gis.territory.crs import metre_crs, project
from gis.territory.layers import make_areas
from gis.territory.model import Bools, Buildings, Ints, Sources, Texts

QUEENS: Final = SHARED / "osm" / "queens-village.osm.pbf"
#: Why a named street may be more than one line.
REASONS: Final = frozenset({"branches", "apart"})


def figures(say: Say) -> list[Figure]:
    """A row for every bar that real numbers can measure."""
    found = measured(QUEENS) if QUEENS.exists() else {}
    say(f"numbering, Queens: {found or 'not on this machine'}")
    get = found.get
    return [
        figure("street faced, right", get("faced"), "share", better="high", floor=0.94, aim=0.96),
        figure("street faced, right where sure", get("sure_right"), "share", better="high", floor=0.985, aim=0.992),
        figure("street faced, sure", get("sure"), "share", better="high", floor=0.85, aim=0.90),
        figure("street of a known number, right", get("numbered_right"), "share", better="high", floor=0.96),
        figure("street of a known number, if sure", get("numbered_sure_right"), "share", better="high", floor=0.985),
        figure("street of a known number, sure", get("numbered_sure"), "share", better="high", floor=0.85),
        figure("named streets that are one line", get("one_line"), "share", better="high", floor=0.79, aim=0.90),
        figure("the others: ordered pieces with a reason", get("reasons"), "share", better="high", floor=1.0),
        figure("real numbers: parity of their side", get("parity"), "share", better="high", floor=0.995, aim=0.997),
        figure("real numbers: order along the side (tau)", get("tau"), "", better="high", floor=0.99, aim=0.995),
        figure("issued: parity, order or uniqueness broken", get("broken"), "", better="equal", floor=0),
        figure("existing numbers changed", get("changed"), "", better="equal", floor=0),
        figure("hidden number exact, street known", get("hidden"), "share", better="high", floor=0.60, aim=0.65),
        figure("hidden number exact, all buildings", get("hidden_among_all"), "share", better="high", floor=0.60),
        figure("buildings assigned a second", get("rate"), "1/s", better="high", floor=4000, aim=20_000),
    ]  # fmt: skip


def measured(path: Path) -> dict[str, Any]:
    """Every figure of one map (an OpenStreetMap extract or a GeoPackage); ``numbered`` buildings are its truth."""
    sources = read_sources(path)
    queens = with_doors(project(sources, metre_crs(sources)))
    b, none = queens.buildings, make_areas([])
    traced = trace(queens.streets)
    faced = facing.face(b.geometry, queens.streets.geometry, traced)
    stated = np.array([plain(str(s)) for s in b.street], dtype=object)
    asked = (b.housenumber != "") & np.isin(stated.astype(str), traced.name.astype(str))
    right = np.array([*traced.name, ""], dtype=object)[faced.thoroughfare] == stated
    sure = asked & faced.sure
    rng = np.random.default_rng(7)
    hidden = rng.random(len(b)) < 0.2
    shown = replace(b, housenumber=np.where(hidden, "", b.housenumber).astype(object))
    began = time.process_time()
    found = assign(queens.streets, shown, none, none, none)
    codes.new_codes(len(b), Random(7))
    seconds = time.process_time() - began
    kept = shown.housenumber != ""
    changed = sum(found.number[k] != str(shown.housenumber[k]).strip().rstrip("号號") for k in np.flatnonzero(kept))
    issued = (found.number != "") & ~kept
    truth = [str(h).strip().rstrip("号號") for h in b.housenumber]
    known = np.flatnonzero(hidden & issued & (b.housenumber != ""))
    return {
        "numbered": int(asked.sum()),
        "faced": float(right[asked].mean()),
        "sure_right": float(right[sure].mean()),
        "sure": float(sure.sum() / asked.sum()),
        **_lines(traced),
        "broken": int(_broken(found, issued)),
        "changed": int(changed),
        **_on_their_streets(b, traced, stated, asked),
        **_without_street(queens, stated, asked & hidden),
        "hidden_among_all": float(np.mean([found.number[k] == truth[k] for k in known])),
        "rate": round(len(b) / seconds),
    }


def with_doors(sources: Sources) -> Sources:
    """Sources whose buildings have the number of their doors and address points, where these agree on one."""
    said: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for building, street, number in zip(
        sources.doors.building, sources.doors.street, sources.doors.housenumber, strict=True
    ):
        if street and number:
            said[str(building)].add((str(street), str(number)))
    b = sources.buildings
    street, number = b.street.copy(), b.housenumber.copy()
    for k in np.flatnonzero(b.housenumber == ""):
        if len(only := said.get(str(b.source_id[k]), set())) == 1:
            street[k], number[k] = next(iter(only))
    return replace(sources, buildings=replace(b, street=street, housenumber=number))


def _lines(traced: Thoroughfares) -> dict[str, float]:
    """Share of names that are one line; share of the others whose pieces are in order and say why."""
    pieces = np.bincount(traced.piece_of)
    of_name = {str(n): np.flatnonzero(traced.name == n) for n in traced.name}
    rest = [rows for rows in of_name.values() if len(rows) > 1 or pieces[rows[0]] > 1]
    said = [
        all(_in_order(traced, int(t)) and (pieces[t] == 1 or traced.shape[t] in REASONS) for t in rows)
        for rows in rest
    ]
    return {"one_line": 1 - len(rest) / len(of_name), "reasons": float(np.mean(said or [True]))}


def _in_order(traced: Thoroughfares, t: int) -> bool:
    at = traced.station[traced.piece_of == t]
    several = np.sum(traced.name == traced.name[t]) > 1
    return bool(np.all(np.diff(at) > 0)) and (traced.place[t] > 0) == several


def _on_their_streets(b: Buildings, traced: Thoroughfares, stated: Texts, asked: Bools) -> dict[str, float]:
    """Real numbers on the street they state: parity and order along a side, and every fifth one hidden."""
    rows = np.flatnonzero(asked)
    centre = shapely.centroid(b.geometry[rows])
    lines = {n: np.flatnonzero(traced.name == n) for n in set(stated[rows])}
    street = np.array([_nearest(traced, lines[n], c) for n, c in zip(stated[rows], centre, strict=True)])
    station, right = facing.locate(traced, centre, street)
    real = b.housenumber[rows]
    block = {t: doornumbers.block_of([str(h) for h in real[street == t]]) for t in np.unique(street)}
    read = [doornumbers.read(str(h), block=block[t]) for h, t in zip(real, street, strict=True)]
    base = np.array([r[0].low[0] if len(r) == 1 else -1 for r in read])
    same, orders, sizes = 0, [], []
    for side in np.unique(2 * street + right):
        on = np.flatnonzero((2 * street + right == side) & (base >= 0))
        odd = base[on] % 2 == 1
        same += max(odd.sum(), (~odd).sum())
        on = on[odd == (odd.mean() >= 0.5)]
        tau = kendalltau(station[on], base[on]).statistic if len(on) >= 3 else np.nan
        if np.isfinite(tau):
            orders.append(abs(tau))
            sizes.append(len(on))
    hidden = np.random.default_rng(1).random(len(rows)) < 0.2
    shown = np.where(hidden, "", real).astype(object)
    found = numbering.number(street, station, right, shown, Rule(infill="letter"), identity=b.source_id[rows])
    exact = [str(found.text[k]) == str(real[k]).strip().rstrip("号號") for k in np.flatnonzero(hidden)]
    return {
        "parity": float(same / (base >= 0).sum()),
        "tau": float(np.average(orders, weights=sizes)) if sizes else float("nan"),
        "hidden": float(np.mean(exact)),
    }


def _without_street(sources: Sources, stated: Texts, asked: Bools) -> dict[str, float]:
    """Buildings that keep their number and lose its street, among others that have both."""
    b, none = sources.buildings, make_areas([])
    shown = replace(b, street=np.where(asked, "", b.street).astype(object))
    found = assign(sources.streets, shown, none, none, none)
    right = np.array([*found.thoroughfares.name, ""], dtype=object)[found.thoroughfare] == stated
    return {
        "numbered_right": float(right[asked].mean()),
        "numbered_sure_right": float(right[asked & found.sure].mean()),
        "numbered_sure": float((asked & found.sure).sum() / asked.sum()),
    }


def _nearest(traced: Thoroughfares, rows: Ints, point: Any) -> int:
    """Of several streets of one name the one nearest to a point."""
    if len(rows) == 1:
        return int(rows[0])
    away = [shapely.distance(point, traced.piece[traced.piece_of == t]).min() for t in rows]
    return int(rows[int(np.argmin(away))])


def _broken(found: Addresses, issued: Bools) -> int:
    """Issued numbers that are not unique in their street, of another parity on their side, or out of order."""
    sides: dict[tuple[int, bool], list[int]] = defaultdict(list)
    texts: dict[tuple[int, str], int] = defaultdict(int)
    for k in np.flatnonzero(found.number != ""):
        texts[int(found.thoroughfare[k]), str(found.number[k])] += 1
        if issued[k]:
            sides[int(found.thoroughfare[k]), bool(found.right[k])].append(int(k))
    wrong = sum(texts[int(found.thoroughfare[k]), str(found.number[k])] > 1 for k in np.flatnonzero(issued))
    for rows in sides.values():
        if not found.through[int(found.thoroughfare[rows[0]])]:  # odd and even stood on one side before
            wrong += len({int(found.base[k]) % 2 for k in rows}) - 1
        rows.sort(key=lambda k: (found.station[k], found.base[k]))
        steps = [
            int(found.base[b] - found.base[a]) for a, b in pairwise(rows) if found.station[a] != found.station[b]
        ]
        wrong += min(sum(s < 0 for s in steps), sum(s > 0 for s in steps))
    return wrong


if __name__ == "__main__":
    for file in sys.argv[1:]:
        print(file, json.dumps(measured(Path(file)), indent=1))
