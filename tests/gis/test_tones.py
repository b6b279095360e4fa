"""Fill tones: neighbours differ, and what was shown before keeps its tone far from a change."""

from __future__ import annotations

import numpy as np
import shapely

from gis.tiles.colour import tones


def squares(n, joined=()):
    """An n x n board; pairs of squares in ``joined`` are one area (the first of them)."""
    boxes = [shapely.box(k % n, k // n, k % n + 1, k // n + 1) for k in range(n * n)]
    for a, b in joined:
        boxes[a] = shapely.union_all([boxes[a], boxes[b]])
    gone = {b for _, b in joined}
    return np.array([b for k, b in enumerate(boxes) if k not in gone], dtype=object)


def differ(areas, tone):
    a, b = shapely.STRtree(areas).query(areas, predicate="intersects")
    shared = (a < b) & (shapely.length(shapely.intersection(areas[a], areas[b])) > 0)
    return (tone[a[shared]] != tone[b[shared]]).all()


def test_nothing_before_is_as_ever():
    areas = squares(5)
    assert tones(areas, np.full(25, -1)).tolist() == tones(areas).tolist()


def test_all_keep_their_tones():
    areas = squares(5)
    tone = tones(areas)
    assert tones(areas, tone).tolist() == tone.tolist()


def test_a_join_changes_the_tones_around_it_at_most():
    before = tones(squares(6))
    areas = squares(6, [(14, 15)])
    kept = np.delete(before, 15)
    after = tones(areas, kept)
    assert differ(areas, after)
    moved = np.flatnonzero(after != kept)
    assert len(moved) <= 1
    assert shapely.distance(areas[moved], areas[14]).max(initial=0) == 0


def test_new_areas_take_a_free_tone():
    areas = squares(6)
    before = tones(areas)
    before[[7, 20, 21]] = -1
    after = tones(areas, before)
    assert differ(areas, after)
    assert (np.delete(after, [7, 20, 21]) == np.delete(before, [7, 20, 21])).all()


def test_hopeless_tones_are_made_anew():
    areas = squares(5)
    after = tones(areas, np.zeros(25, dtype=np.int64))
    assert differ(areas, after)
    assert set(after.tolist()) <= set(range(6))
