"""Rows of the report on plans: every bar of the issue, median and worst seed, the peers' values of the same run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any, Final, Literal

from benchmarks.partition_real import LEFT_OUT
from benchmarks.runner import Figure, figure

if TYPE_CHECKING:
    from benchmarks.partition_case import Case

Better = Literal["low", "high", "equal"]
Found = dict[str, Any]

#: Name shown for each peer.
NAMES: Final = {
    "metis": "METIS contiguous",
    "metis_best": "METIS contiguous, best of 3 seeds of 10 cuts",
    "kahip": "KaHIP strong",
    "mtkahypar": "Mt-KaHyPar",
    "gerrychain": "GerryChain tree, block surcharge",
    "spopt": "spopt MaxP",
}


def rows(
    cases: Sequence[Case], adjusted: Sequence[Found], real: dict[str, dict[str, Found]], sizes: Sequence[str]
) -> list[Figure]:
    """The whole table."""
    out: list[Figure] = []
    for size in sizes:
        mine = [c for c in cases if c.size == size]
        out += quality_rows(size, mine) + speed_rows(size, mine)
    out += proof_rows([c for c in cases if c.size == "8 grids"], [c for c in cases if c.size == "1k"])
    for size in ("10k", "100k"):
        out += gap_rows(size, [c for c in cases if c.size == size], barred=False)
    out += [exponent_row(cases), *adjust_rows(adjusted)]
    for name, by in real.items():
        out += real_rows(name.split(".", maxsplit=1)[0], by)
    return out + peer_rows(cases) + curve_rows(cases)


def _spread(
    name: str,
    values: Sequence[float | None],
    unit: str,
    better: Better,
    floor: float | None = None,
    aim: float | None = None,
    peer: Sequence[float | None] = (),
    peer_name: str = "metis",
) -> list[Figure]:
    """Median and worst of the seeds. A seed without a value counts as the worst there is: it has none."""
    theirs = [v for v in peer if v is not None]
    beside: dict[str, Any] = {}
    if theirs:
        beside = {"peer": NAMES.get(peer_name, peer_name), "peer_value": round(median(theirs), 5)}
    known = [v for v in values if v is not None]
    whole = bool(values) and len(known) == len(values)
    worst: Callable[..., float] = max if better == "low" else min
    note = "" if values else " (not run: see --quick)"
    mid = median(known) if known else None
    return [
        figure(
            f"{name}, median{note}",
            _round(mid),
            unit,
            better=better,
            floor=floor,
            aim=aim,
            left_out=not values,
            **beside,
        ),
        figure(
            f"{name}, worst seed{note}",
            _round(worst(known)) if whole else None,
            unit,
            better=better,
            floor=floor,
            aim=aim,
            left_out=not values,
            **beside,
        ),
    ]


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _ours(cases: Sequence[Case], key: str) -> list[float | None]:
    return [c.ours.get(key) for c in cases]


def _theirs(cases: Sequence[Case], key: str, peer: str = "metis") -> list[float | None]:
    return [c.peers.get(peer, {}).get(key) for c in cases]


def _against(cases: Sequence[Case], key: str, how: Callable[[float, float], float], peer: str) -> list[float | None]:
    pairs = zip(_ours(cases, key), _theirs(cases, key, peer), strict=True)
    return [None if a is None or b is None else how(a, b) for a, b in pairs]


def quality_rows(size: str, cases: Sequence[Case]) -> list[Figure]:
    """What a plan is worth, beside METIS on the same city."""

    def ratio(a: float, b: float) -> float:
        return a / b

    def more(a: float, b: float) -> float:
        return a - b

    valid = [_valid(c.ours) for c in cases]
    out = _spread(
        f"{size}: grids in range and contiguous, or proven impossible",
        valid,
        "share",
        "high",
        1.0,
        1.0,
        _theirs(cases, "both"),
    )
    cost = _against(cases, "cost", ratio, "metis")
    ones = [1.0 for c in cases if "cost" in c.peers.get("metis", {})]
    out += _spread(f"{size}: cost against METIS", cost, "", "low", 0.78, 0.72, ones)
    best = _against(cases, "cost", ratio, "metis_best")
    if any(v is not None for v in best):
        out += _spread(
            f"{size}: cost against METIS at its best", best, "", "low", None, None, [1.0 for _ in best], "metis_best"
        )
    street = _against(cases, "on_street", more, "metis")
    out += _spread(
        f"{size}: border on streets, more than METIS",
        street,
        "share",
        "high",
        0.05,
        0.07,
        _theirs(cases, "on_street"),
    )
    out += _spread(
        f"{size}: avoidable off-street border",
        _ours(cases, "avoidable"),
        "share",
        "low",
        0.005,
        0.002,
        _theirs(cases, "avoidable"),
    )
    shape = _against(cases, "pp", more, "metis")
    out += _spread(
        f"{size}: mean Polsby-Popper, more than METIS", shape, "", "high", 0.03, 0.06, _theirs(cases, "pp")
    )
    return out + _cv_rows(size, cases)


def _valid(ours: Found) -> float | None:
    """Share of grids in range and of one piece; a grid proven impossible to bring into range counts as in range."""
    if "both" not in ours:
        return None
    if ours["both"] < 1.0 and ours["contiguous"] == 1.0 and ours["exceptions"] and not ours["unproven"]:
        return 1.0
    return float(ours["both"])


def _cv_rows(size: str, cases: Sequence[Case]) -> list[Figure]:
    """CV against METIS's: medians, and the seed where ours is highest against its own METIS."""
    name = f"{size}: CV of households"
    pairs = [
        (a, b)
        for a, b in zip(_ours(cases, "cv"), _theirs(cases, "cv"), strict=True)
        if a is not None and b is not None
    ]
    if not pairs or len(pairs) < len(cases):
        return _spread(name, [None] if cases else [], "", "low", 0.16, 0.14)
    worst = max(pairs, key=lambda p: p[0] - p[1])
    out = []
    for what, (own, peer) in (
        ("median", (median(p[0] for p in pairs), median(p[1] for p in pairs))),
        ("worst seed", worst),
    ):
        out.append(
            figure(
                f"{name}, {what}",
                _round(own),
                "",
                better="low",
                floor=_round(peer),
                aim=0.14,
                peer=NAMES["metis"],
                peer_value=_round(peer),
            )
        )
    return out


def speed_rows(size: str, cases: Sequence[Case]) -> list[Figure]:
    """Atoms a CPU second, and memory."""

    def speed(found: Found, atoms: int | None) -> float | None:
        return None if "cpu_s" not in found or not atoms else atoms / max(found["cpu_s"], 1e-3)

    own = [speed(c.ours, c.ours.get("atoms")) for c in cases]
    peer = [speed(c.peers.get("metis", {}), c.ours.get("atoms")) for c in cases]
    out = _spread(f"{size}: whole solve", own, "atoms/s/core", "high", 1500, 4000, peer)
    return (
        out
        + _spread(
            f"{size}: peak memory", _ours(cases, "peak_mb"), "MB", "low", None, None, _theirs(cases, "peak_mb")
        )[1:]
    )


def proof_rows(small: Sequence[Case], thousand: Sequence[Case]) -> list[Figure]:
    """Certificates: small cities solved and proven, bounds at 1k."""
    proven = [_proven(c.ours) for c in small]
    apart: list[float | None] = []
    for c in small:
        peer = c.peers.get("metis", {}).get("objective")
        own = c.ours.get("objective")
        apart.append(None if peer is None or not own or c.ours.get("exceptions") else 1 - own / peer)
    valid = [v for v in _theirs(small, "both") if v is not None]
    whole = [float(v == 1.0) for v in valid]
    out = _spread("8 grids or fewer: gap, proven 0", proven, "", "low", 0.0, 0.0, apart)
    out.append(
        figure(
            "8 grids or fewer: cities with every grid valid or proven impossible",
            _round(_mean([float(_valid(c.ours) == 1.0) for c in small])),
            "share",
            better="high",
            floor=1.0,
            peer=NAMES["metis"] if whole else None,
            peer_value=_round(_mean(whole)),
        )
    )
    return out + gap_rows("1k", thousand, barred=True)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _proven(ours: Found) -> float | None:
    """0 where the plan is proven the best or the rules are proven out of reach; else the gap to the bound."""
    if ours.get("status") == "optimal" or (ours.get("status") == "infeasible" and not ours.get("unproven")):
        return 0.0
    gap = ours.get("gap")
    return None if gap is None else float(gap)


def gap_rows(size: str, cases: Sequence[Case], *, barred: bool) -> list[Figure]:
    """Gap to the bound, and METIS's to the same bound."""
    peer: list[float | None] = []
    for c in cases:
        theirs, bound = c.peers.get("metis", {}).get("objective"), c.ours.get("bound")
        peer.append(None if theirs is None or bound is None else 1 - bound / theirs)
    floor, aim = (0.02, 0.01) if barred else (None, None)
    return _spread(f"{size}: gap to the bound", _ours(cases, "gap"), "share", "low", floor, aim, peer)


def exponent_row(cases: Sequence[Case]) -> Figure:
    """How CPU grows with the city, from 10k to 100k atoms."""

    def exponent(of: Callable[[Case], float | None]) -> float | None:
        points = []
        for size in ("10k", "100k"):
            mine = [c for c in cases if c.size == size and of(c) is not None and "atoms" in c.ours]
            if not mine:
                return None
            points.append((median(c.ours["atoms"] for c in mine), median(of(c) or 0.0 for c in mine)))
        (n0, t0), (n1, t1) = points
        return round(math.log(t1 / t0) / math.log(n1 / n0), 4)

    peer = exponent(lambda c: c.peers.get("metis", {}).get("cpu_s"))
    own = exponent(lambda c: c.ours.get("cpu_s"))
    none = not any(c.size == "100k" for c in cases)
    name = "exponent of CPU, 10k to 100k" + (" (no city of 100k: see --quick)" if none else "")
    return figure(
        name, own, "", better="low", floor=1.1, aim=1.03, peer=NAMES["metis"], peer_value=peer, left_out=none
    )  # fmt: skip


def adjust_rows(found: Sequence[Found]) -> list[Figure]:
    """Plans adjusted after households changed."""
    why = next((f["fault"] for f in found if "fault" in f), "")
    note = f" ({why})" if why else ""
    good = [f for f in found if "moved" in f]
    every = bool(found) and len(good) == len(found)
    out = [
        figure(
            f"adjust: grids in range, worst seed{note}",
            min(f["in_range"] for f in good) if every else None,
            "share",
            better="high",
            floor=1.0,
        ),
        figure(
            f"adjust: other grids unchanged unless on a reported chain{note}",
            all(f["unchanged"] for f in good) if every else None,
            "",
            better="equal",
            floor=True,
        ),
    ]
    out += _spread(
        f"adjust: households moved against the lower bound{note}",
        _ratios(good, "least") if every else [None], "times", "low", 2.0,
    )  # fmt: skip
    out += _spread(
        f"adjust: households moved against what whole atoms must{note}",
        _ratios(good, "unit_bound") if every else [None], "times", "low",
    )  # fmt: skip
    return out + _spread("adjust: time", [f["cpu_s"] for f in good] or [None], "CPU s", "low")[:1]


def real_rows(name: str, by: dict[str, Found]) -> list[Figure]:
    """A real extract: what borders run along, shapes, footprints, beside the peers on the same graph."""
    ours = by["ours"]
    note = f" ({ours['fault']})" if "fault" in ours else ""
    left_out = ours.get("fault") == LEFT_OUT
    out = []
    bars: tuple[tuple[str, str, str, Better, float | None], ...] = (
        ("border within 10 m of a street, water or rail", "near_share", "share", "high", 0.90),
        ("the same, foot and cycle ways left out", "near_road_share", "share", "high", None),
        ("median Polsby-Popper", "pp_median", "", "high", 0.53),
        ("footprints cut by more than 5 % by a cell border", "cut_footprints", "", "low", 0.0),
        ("grids in range and contiguous, or proven impossible", "both", "share", "high", 1.0),
        ("cost", "cost", "priced m", "low", None),
        ("border on streets and barriers", "on_street", "share", "high", None),
        ("CV of households", "cv", "", "low", None),
        ("solve", "cpu_s", "CPU s", "low", None),
    )
    peers = [p for p in by if p != "ours"] or [""]
    divided = ours.get("grids") != 1  # a place of one grid has no border to draw, and the shape it has
    for peer in peers:
        for what, key, unit, better, bar in bars:
            floor = bar if peer == peers[0] and divided else None
            value = _real_valid(ours) if key == "both" else ours.get(key)
            beside: dict[str, Any] = {}
            if peer:
                theirs = by[peer]
                beside = {
                    "peer": NAMES[peer],
                    "peer_value": _round(theirs[key]) if key in theirs else theirs["fault"],
                }
            out.append(
                figure(
                    f"{name}: {what}{note}",
                    _round(value),
                    unit,
                    better=better,
                    floor=floor,
                    left_out=left_out,
                    **beside,
                )
            )
    return out


def _real_valid(ours: Found) -> float | None:
    if "both" not in ours:
        return None
    return float(ours["both"]) + ours["proven"] / ours["grids"] if ours["contiguous"] == 1.0 else float(ours["both"])


def peer_rows(cases: Sequence[Case]) -> list[Figure]:
    """What the other peers reach on the same cities: their values, with ours beside them. No bar hangs on them."""
    out: list[Figure] = []
    for size in dict.fromkeys(c.size for c in cases):
        for peer in dict.fromkeys(p for c in cases if c.size == size for p in c.peers):
            with_peer = [c for c in cases if c.size == size and peer in c.peers]
            mine = [c for c in with_peer if "cost" in c.peers[peer]]
            for what, key, unit in (
                ("grids in range and contiguous", "both", "share"),
                ("cost", "cost", "priced m"),
                ("border on streets", "on_street", "share"),
                ("avoidable off-street border", "avoidable", "share"),
                ("mean Polsby-Popper", "pp", ""),
                ("CV of households", "cv", ""),
                ("time", "cpu_s", "CPU s"),
            ):
                if not mine:
                    out.append(Figure(f"{size}: {what}", None, unit, NAMES[peer], _fault(with_peer, peer)))
                    break
                own = [c.ours[key] for c in mine if key in c.ours]
                theirs = [c.peers[peer][key] for c in mine]
                label = f"{size}: {what}, median of {len(mine)} of {len(with_peer)}"
                out.append(
                    Figure(label, _round(median(own)) if own else None, unit, NAMES[peer], _round(median(theirs)))
                )
    return out


def _fault(cases: Sequence[Case], peer: str) -> str:
    return next((str(c.peers[peer]["fault"]) for c in cases if "fault" in c.peers[peer]), "no plan")


def curve_rows(cases: Sequence[Case]) -> list[Figure]:
    """Time and quality: objective against METIS's plan on the same city, after so many iterations."""
    out: list[Figure] = []
    for case in cases:
        peer = case.peers.get("metis", {}).get("objective")
        for iterations, found in case.curve.items():
            value = found.get("objective")
            name = f"{case.size} seed {case.seed}: objective after {iterations} iterations"
            out.append(
                Figure(
                    f"{name}, {found.get('cpu_s')} CPU s",
                    _round(value),
                    "priced m",
                    NAMES["metis"] if peer else None,
                    _round(peer),
                )
            )
    return out


def _ratios(found: Sequence[Found], bound: str) -> list[float | None]:
    """Households moved, as times of a bound."""
    return [f["moved"] / f[bound] if f.get(bound) else (math.inf if f["moved"] else 1.0) for f in found]
