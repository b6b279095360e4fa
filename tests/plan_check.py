"""A second look at a plan file: its figures confirmed against the *input* by slow, simple code.

Nothing here uses the product: files are read with osmium and pyogrio, geometry is compared as integer
centimetres, sums are plain sums. ``check_plan`` returns what is wrong, one line a fault; an empty list is a pass.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import osmium
import pandas as pd
import pyogrio
import pyproj
import shapely

STREETS = {"street", "barrier", "moved"}
MAIN = {"motorway", "trunk", "primary", "secondary", "tertiary"}
MAIN |= {f"{m}_link" for m in MAIN}
TABLES = ("territory", "grids", "atoms", "blocks", "buildings", "borders", "streets", "excluded")


# ---------------------------------------------------------------- the input, read afresh


class _Osm(osmium.SimpleHandler):
    """Ids of everything tagged as a building, and every line that a border could follow."""

    def __init__(self):
        super().__init__()
        self.buildings, self.lines, self.ways, self.members = [], [], {}, set()

    def node(self, n):
        if n.tags.get("building", "no") not in ("no", "entrance"):
            self.buildings.append(f"node/{n.id}")

    def way(self, w):
        if w.tags.get("building", "no") != "no":
            self.buildings.append(f"way/{w.id}")
        points = [(p.lon, p.lat) if p.location.valid() else None for p in w.nodes]
        self.ways[w.id] = points
        if any(k in w.tags for k in ("highway", "railway", "waterway", "natural", "barrier", "landuse")):
            self.lines.append(points)

    def relation(self, r):
        if r.tags.get("type") == "multipolygon":
            if r.tags.get("building", "no") != "no":
                self.buildings.append(f"relation/{r.id}")
            self.members |= {m.ref for m in r.members if m.type == "w"}


def _pieces(points):
    run = []
    for p in [*points, None]:
        if p is not None:
            run.append(p)
        else:
            if len(run) > 1:
                yield shapely.LineString(run)
            run = []


def read_osm(path):
    found = _Osm()
    found.apply_file(str(path), locations=True)
    points = found.lines + [found.ways[i] for i in found.members if i in found.ways]
    lines = [piece for p in points for piece in _pieces(p)]
    return {"ids": found.buildings, "given": {}, "lines": np.array(lines, dtype=object), "crs": "EPSG:4326"}


def read_gpkg(path):
    frame = pyogrio.read_dataframe(path, layer="buildings", fid_as_index=True)
    column = next((c for c in ("source_id", "osm_id") if c in frame), None)
    ids = [str(v) for v in (frame[column] if column else frame.index)]
    given = {}
    if "households" in frame:
        given = {i: int(h) for i, h in zip(ids, frame["households"], strict=True) if h == h and h is not None}
    lines, crs = [], str(frame.crs)
    layers = [str(n) for n in pyogrio.list_layers(path)[:, 0]]
    for layer in ("streets", "barriers"):
        if layer in layers:
            other = pyogrio.read_dataframe(path, layer=layer, columns=[]).to_crs(crs).geometry
            for g in shapely.get_parts(other[~other.isna()].to_numpy()):
                lines.append(g if g.geom_type == "LineString" else g.boundary)
    return {"ids": ids, "given": given, "lines": np.array(lines, dtype=object), "crs": crs}


def read_input(path):
    return read_gpkg(path) if str(path).endswith(".gpkg") else read_osm(path)


def read_tables(path):
    return {name: pyogrio.read_dataframe(path, layer=name) for name in TABLES}


# ---------------------------------------------------------------- geometry as integer centimetres


def rings(polygon):
    for part in shapely.get_parts(polygon):
        yield list(part.normalize().exterior.coords)
        for hole in part.interiors:
            yield list(hole.coords)


def edges(polygon, faults, what):
    """Directed edges in centimetres, the inside on one and the same hand."""
    out = []
    for part in shapely.get_parts(polygon):
        part = shapely.orient_polygons(part)
        for ring in [part.exterior, *part.interiors]:
            xy = np.asarray(ring.coords) * 100
            cm = np.rint(xy)
            if np.abs(xy - cm).max() > 1e-3:
                faults.append(f"{what}: a vertex is off the 1 cm grid")
            cm = [tuple(p) for p in cm.astype(np.int64).tolist()]
            out += list(itertools.pairwise(cm))
    return out


def twice_area(pairs):
    """Twice the signed area of directed edges, exactly (integers of any size)."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)


def metres(edge):
    (x0, y0), (x1, y1) = edge
    return math.hypot(x1 - x0, y1 - y0) / 100


# ---------------------------------------------------------------- the checks


def check_plan(source: Path, plan: Path, report: dict, *, tables: dict | None = None) -> list[str]:
    """Everything that is wrong with a plan file, given the input it was made from and its report."""
    faults: list[str] = []
    t = tables or read_tables(plan)
    given = read_input(source)
    owner = check_coverage(t, faults)
    check_buildings(t, given, faults)
    check_sums(t, report, faults)
    if owner is not None:
        check_grids(t, owner, report, faults)
        check_borders(t, owner, given, report, faults)
    return faults


def check_coverage(t, faults):
    """Atoms meet edge to edge and fill the territory: every edge has its reverse, or is the territory's own."""
    owner = {}
    total = 0
    for i, polygon in enumerate(t["atoms"].geometry):
        if polygon is None or polygon.geom_type != "Polygon" or not polygon.is_valid:
            faults.append(f"atom {i}: not one valid polygon")
            return None
        pairs = edges(polygon, faults, f"atom {i}")
        total += twice_area(pairs)
        for e in pairs:
            if e in owner:
                faults.append(f"atoms {owner[e]} and {i} overlap along {e}")
            owner[e] = i
    outer = {e for e in owner if (e[1], e[0]) not in owner}
    if len(t["territory"]) != 1:
        faults.append("territory: not one row")
    whole = edges(t["territory"].geometry[0], faults, "territory")
    if set(whole) != outer or len(whole) != len(outer):
        faults.append(f"coverage: {len(set(whole) ^ outer)} edges between atoms and territory do not meet")
    if twice_area(whole) != total:
        faults.append("coverage: the areas of the atoms do not sum to the territory's")
    holes = sum(len(p.interiors) for p in shapely.get_parts(t["territory"].geometry[0]))
    if holes:
        faults.append(f"territory: {holes} holes")
    return owner


def check_buildings(t, given, faults):
    """Every building of the input once, in ``buildings`` or in ``excluded``; given households as they were."""
    excluded = t["excluded"]
    left_out = excluded[excluded["layer"] == "buildings"]
    seen = Counter(t["buildings"]["source_id"].astype(str)) + Counter(left_out["source_id"].astype(str))
    wanted = Counter(given["ids"])
    for name, missing in (("lost", wanted - seen), ("invented or doubled", seen - wanted)):
        if missing:
            faults.append(f"buildings: {sum(missing.values())} {name}, such as {next(iter(missing))}")
    rows = pd.concat([t["buildings"], left_out])
    for i, count in zip(rows["source_id"].astype(str), rows["households"], strict=True):
        if i in given["given"] and given["given"][i] != count:
            faults.append(f"building {i}: {count} households, the input says {given['given'][i]}")
    atoms = t["atoms"].set_index("atom_id")
    b = t["buildings"]
    unknown = set(b["atom"]) - set(atoms.index)
    if unknown:
        faults.append(f"buildings: no such atom as {sorted(unknown)[0]}")
        return
    if list(atoms.loc[b["atom"], "grid"]) != list(b["grid"]):
        faults.append("buildings: grid is not that of the atom")
    far = shapely.distance(b.geometry.to_numpy(), atoms.geometry.loc[b["atom"]].to_numpy()) > 0.5
    if far.any():
        faults.append(f"buildings: {far.sum()} lie away from their atom, such as {b['source_id'][far].iloc[0]}")


def check_sums(t, report, faults):
    """Households of buildings, atoms, blocks, grids and report agree."""
    b, a, g = t["buildings"], t["atoms"], t["grids"]
    if (b["households"] < 0).any() or (a["households"] < 0).any():
        faults.append("households: negative")
    by_atom = b.groupby("atom")["households"].sum().reindex(a["atom_id"], fill_value=0)
    if report["territory"] != "atoms" and list(by_atom) != list(a["households"]):
        faults.append("atoms: households are not the sum of their buildings'")
    by_grid = a.groupby("grid")["households"].sum().reindex(g["code"], fill_value=0)
    if list(by_grid) != list(g["households"]):
        faults.append("grids: households are not the sum of their atoms'")
    by_block = a.groupby("block")["households"].sum().reindex(t["blocks"]["block"], fill_value=0)
    if list(by_block) != list(t["blocks"]["households"]):
        faults.append("blocks: households are not the sum of their atoms'")
    counts = b.groupby("grid").size().reindex(g["code"], fill_value=0)
    if list(counts) != list(g["buildings"]):
        faults.append("grids: buildings are not counted right")
    if report["grids"] != len(g) or report["households"] != int(g["households"].sum()):
        faults.append("report: grids or households differ from the file")
    if g["code"].duplicated().any() or g["grid_id"].duplicated().any():
        faults.append("grids: a code or id is there twice")
    told = sum(e["households"] for e in report["excluded"])
    if told != int(t["excluded"]["households"].sum()):
        faults.append("report: households left out differ from the file")


def check_grids(t, owner, report, faults):
    """Grid polygons are the union of their atoms; one piece by edges; range, CV and compactness as reported."""
    grid_of = list(t["atoms"]["grid"])
    border = defaultdict(set)
    linked = defaultdict(set)
    for (p, q), i in owner.items():
        j = owner.get((q, p))
        if j is None or grid_of[i] != grid_of[j]:
            border[grid_of[i]].add((p, q))
        else:
            linked[i].add(j)
    members = defaultdict(list)
    for i, grid in enumerate(grid_of):
        members[grid].append(i)
    whole, scores = 0, []
    for code, kind, polygon in zip(t["grids"]["code"], t["grids"]["kind"], t["grids"].geometry, strict=True):
        if set(edges(polygon, faults, f"grid {code}")) != border[code]:
            faults.append(f"grid {code}: its polygon is not the union of its atoms")
        whole += _one_piece(members[code], linked)
        if kind == "residential":
            length = sum(map(metres, border[code]))
            scores.append(4 * math.pi * (twice_area(border[code]) / 2e4) / length**2)
    _same("contiguous_share", whole / len(t["grids"]), report, faults)
    _same("compactness_mean", float(np.mean(scores)) if scores else None, report, faults)
    living = t["grids"][t["grids"]["kind"] == "residential"]
    low, high = report["bounds"]["minimum"], report["bounds"]["maximum"]
    counted = living["counted"].to_numpy()
    if len(counted):
        _same("in_range_share", float(((counted >= low) & (counted <= high)).mean()), report, faults)
        if counted.mean() > 0:
            _same("cv_households", float(counted.std() / counted.mean()), report, faults)
    named = {e["grid"] for e in report["exceptions"]}
    silent = set(living["code"][(counted < low) | (counted > high)]) - named
    if silent:
        faults.append(f"grids out of range without a word: {sorted(silent)[:3]}")
    if not report["seamless"]:
        faults.append("report: not seamless")


def _one_piece(atoms, linked):
    seen, todo = {atoms[0]}, [atoms[0]]
    while todo:
        for other in linked[todo.pop()]:
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return len(seen) == len(atoms)


def check_borders(t, owner, given, report, faults):
    """Every metre between two grids once, with the right grids; shares as reported; streets where it says so."""
    grid_of = list(t["atoms"]["grid"])
    wanted = {}
    for (p, q), i in owner.items():
        j = owner.get((q, p))
        if j is not None and p < q and grid_of[i] != grid_of[j]:
            wanted[p, q] = {grid_of[i], grid_of[j]}
    length, on_street, main, seen = 0.0, 0.0, 0.0, Counter()
    rows = t["borders"]
    street_lines = []
    for left, right, kind, basis, line in zip(
        rows["left"], rows["right"], rows["class"], rows["basis"], rows.geometry, strict=True
    ):
        cm = [tuple(p) for p in np.rint(np.asarray(line.coords) * 100).astype(np.int64).tolist()]
        for p, q in itertools.pairwise(cm):
            e = (p, q) if p < q else (q, p)
            seen[e] += 1
            if wanted.get(e) != {left, right}:
                faults.append(f"borders: {left}-{right} runs where these two do not meet, {e}")
                return
            length += metres(e)
            on_street += metres(e) * (basis in STREETS)
            main += metres(e) * (basis in STREETS and kind in MAIN)
        if basis in ("street", "barrier"):
            street_lines.append(line)
    if set(seen) != set(wanted) or any(n > 1 for n in seen.values()):
        faults.append(
            f"borders: {len(set(wanted) - set(seen))} pieces missing, {sum(seen.values()) - len(seen)} twice"
        )
    _same("on_street_share", on_street / length if length else None, report, faults)
    _same("main_street_share", main / length if length else None, report, faults)
    check_streets(street_lines, given, pyproj.CRS(t["atoms"].crs), faults)


def check_streets(lines, given, crs, faults):
    """At least 99.9 % of what is called on a street or barrier lies within 1 m of a line of the input."""
    if not lines:
        return
    move = pyproj.Transformer.from_crs(given["crs"], crs, always_xy=True)
    inputs = shapely.transform(given["lines"], lambda c: np.column_stack(move.transform(c[:, 0], c[:, 1])))
    tree = shapely.STRtree(inputs)
    points = shapely.points(shapely.get_coordinates(shapely.segmentize(np.array(lines, dtype=object), 5.0)))
    near = np.unique(tree.query(points, predicate="dwithin", distance=1.0)[0])
    if len(near) < 0.999 * len(points):
        faults.append(f"borders: {1 - len(near) / len(points):.2%} of 'on street' is not within 1 m of the input")


def _same(name, value, report, faults):
    told = report[name]
    if (told is None) != (value is None) or (told is not None and abs(told - value) > 1e-6):
        faults.append(f"report: {name} is {told}, counted {value}")
