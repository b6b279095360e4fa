"""Streets to blocks to atoms: the seamless units that every plan is built from.

``build.build_atoms`` cuts, ``given.atoms_from_given`` takes a given layer, ``graph.graph_of`` joins neighbours.
"""

from __future__ import annotations


def warm() -> None:
    """Compile every kernel once, so that the cache holds them."""
    import numpy as np
    import shapely

    from gis.blocks.build import build_atoms
    from gis.territory.layers import make_buildings, make_sources, make_streets

    homes = [shapely.box(x, y, x + 9, y + 9) for x in (10, 40, 70) for y in (10, 40)]
    ring = shapely.LineString([(62, 20), (66, 25), (62, 30), (62, 20)])
    streets = [shapely.LineString([(50.5, -5), (50.5, 105)]), ring]
    sources = make_sources("EPSG:32650", buildings=make_buildings(homes), streets=make_streets(streets))
    build_atoms(sources, shapely.box(0, 0, 100, 100), np.ones(len(homes), np.int64))
