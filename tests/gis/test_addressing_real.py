"""Against 29,643 real house numbers of Queens: the street faced, and numbers issued among real ones."""

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from data.osm import read_osm
from gis.addressing import doornumbers, facing, gates
from gis.addressing.assign import assign
from gis.addressing.street_names import plain
from gis.addressing.thoroughfares import trace
from gis.territory.crs import metre_crs, project
from gis.territory.layers import make_areas

QUEENS = Path(__file__).parents[3] / "shared" / "data" / "osm" / "queens-village.osm.pbf"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not QUEENS.is_file(), reason="test data beside the repository (../shared/data/osm) is not here"
    ),
]
NONE = make_areas([])


@pytest.fixture(scope="module")
def queens():
    sources = read_osm(QUEENS)
    return project(sources, metre_crs(sources))


def test_the_street_a_building_faces(queens):
    b = queens.buildings
    t = trace(queens.streets)
    found = facing.face(b.geometry, queens.streets.geometry, t)
    stated = np.array([plain(str(s)) for s in b.street], dtype=object)
    asked = (b.housenumber != "") & np.isin(stated.astype(str), t.name.astype(str))
    assert asked.sum() > 25_000
    right = np.array([*t.name, ""], dtype=object)[found.thoroughfare] == stated
    sure = asked & found.sure
    assert right[asked].mean() >= 0.94
    assert sure.sum() / asked.sum() >= 0.85
    assert right[sure].mean() >= 0.985


def test_named_streets_become_one_line(queens):
    t = trace(queens.streets)
    pieces = np.bincount(t.piece_of)
    alone = [n for n in set(t.name) if (t.name == n).sum() == 1 and pieces[np.flatnonzero(t.name == n)[0]] == 1]
    assert len(alone) / len(set(t.name)) >= 0.85
    assert all(t.shape[k] in ("apart", "branches") for k in np.flatnonzero(pieces > 1))


def broken(found, issued):
    """Issued numbers that are not unique in their street, of another parity on their side, or out of order."""
    sides = defaultdict(list)
    texts = defaultdict(int)
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


def test_numbers_of_our_own(queens):
    none = np.array([""] * len(queens.buildings), dtype=object)
    found = assign(queens.streets, replace(queens.buildings, housenumber=none, street=none), NONE, NONE, NONE)
    issued = found.number != ""
    assert issued.sum() > 30_000
    assert broken(found, issued) == 0


def test_numbers_among_real_ones(queens):
    rng = np.random.default_rng(7)
    hidden = rng.random(len(queens.buildings)) < 0.2
    shown = replace(queens.buildings, housenumber=np.where(hidden, "", queens.buildings.housenumber).astype(object))
    found = assign(queens.streets, shown, NONE, NONE, NONE)
    stated = shown.housenumber != ""
    assert (found.number[stated] == [str(h).strip() for h in shown.housenumber[stated]]).all(), "existing ones stay"
    issued = (found.number != "") & ~stated
    assert broken(found, issued) == 0
    truth = [doornumbers.read(str(h), block=100) for h in queens.buildings.housenumber]
    asked = [k for k in np.flatnonzero(hidden & issued) if len(truth[k]) == 1]
    assert len(asked) > 4_000
    same_parity = np.mean([found.base[k] % 2 == truth[k][0].low[0] % 2 for k in asked])
    assert same_parity >= 0.95
    exact = np.mean([found.number[k] == str(queens.buildings.housenumber[k]).strip() for k in asked])
    assert exact >= 0.6
    assert not gates.check(found)
