"""What a worker keeps in memory stays within its bounds, in bytes that are really held."""

from __future__ import annotations

import gc
import tracemalloc
import weakref

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from api.front.wsgi import HotTiles
from api.services.tiles import tile_cache, tile_tables
from api.services.tiles.tile_cache import Kept, TileCache
from api.services.tiles.tile_request import TileRequest
from api.services.tiles.tile_tables import Tables
from api.services.watch import Watch
from data.postgres.tiles.read_tiles import LAYERS, Shown
from gis.tiles.columns import build

LIMIT = 30_000


def request(x: int) -> TileRequest:
    return TileRequest(("grids",), 14, x, 0)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2 * LIMIT), st.booleans())))
def test_rendered_tiles_stay_within_their_bytes(steps):
    """Bodies that are alive anywhere fit, those of tiles that were dropped or replaced too."""
    cache, made = TileCache(LIMIT), []
    for x, size, look in steps:
        if look:
            cache.get(request(x))
            continue
        made.append(Kept("s", "e", bytes(size)))
        cache.put(request(x), made[-1])
        held = [k for k in made if k.body is not None]
        assert sum(len(k.body) + tile_cache._ENTRY for k in held) == cache.bytes <= LIMIT
        assert len(held) == len(cache)
        assert (made[-1].body is None) == (size + tile_cache._ENTRY > LIMIT)


def test_the_longest_unused_tile_goes_first():
    cache = TileCache(3 * (tile_cache._ENTRY + 1000))
    for x in range(3):
        cache.put(request(x), Kept("s", "e", bytes(1000)))
    cache.get(request(0))
    cache.put(request(3), Kept("s", "e", bytes(1000)))
    assert [x for x in range(4) if cache.get(request(x)) is not None] == [0, 2, 3]


def test_an_entry_takes_no_more_than_is_counted():
    """Besides its body: the request, the headers, its places in the cache and in the front's table."""
    cache, front = TileCache(1 << 30), HotTiles(Watch(""))
    body = b"the same for all"
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for x in range(1000):
            kept = Kept(f"{x:040}", f"{x:024}", body)
            path = f"/tiles/grids,communities,labels/14/{10_000 + x}/7000.mvt"
            cache.put(TileRequest(("grids", "communities", "labels"), 14, 10_000 + x, 7000), kept)
            front.keep({"PATH_INFO": path, "QUERY_STRING": ""}, kept)
        gc.collect()
        taken = (tracemalloc.get_traced_memory()[0] - before) / 1000
    finally:
        tracemalloc.stop()
    assert taken <= tile_cache._ENTRY


class Cell:
    """In place of the features of a cell."""

    def __init__(self, nbytes):
        self.nbytes = nbytes


def test_columns_kept_for_tiles_stay_within_their_bytes(monkeypatch):
    """What was dropped is not held by anything else either; what is used stays."""
    alive: weakref.WeakSet[Cell] = weakref.WeakSet()

    def read(*_):
        made = Cell(900)
        alive.add(made)
        return made

    monkeypatch.setattr(tile_tables.read_tiles, "cell", read)
    tables, shown = Tables(5000), Shown(1, 1, None, None)

    def cell(x, version=0):
        return tables.cell(None, LAYERS["buildings"], (13, x, 0), shown, version)

    first = weakref.ref(cell(0))
    for x in range(1, 40):
        cell(x)
        assert cell(0) is first()  # used all the time
        assert sum(c.nbytes for c in alive) <= 5000
    assert len(alive) == 5
    assert cell(38) in alive
    cell(0, version=1)  # another version takes the place of the old one
    assert first() is None
    assert len(alive) == 5


@pytest.mark.parametrize("filtered", [False, True])
def test_columns_count_what_they_take(filtered):
    """Also the table of values that a filter makes."""
    n = 3000
    numbers = np.arange(n)
    shapes = np.asarray(shapely.box(numbers, 0, numbers + 1, 1), dtype=object)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        names = [f"{k}号楼" for k in numbers.tolist()]
        columns = build(numbers, {"name": names, "floors": (numbers % 7).tolist()}, shapes)
        if filtered:
            assert columns.where(["name"], ["17号楼"]).sum() == 1
        del names
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert 0.8 * taken <= columns.nbytes <= 2 * taken
