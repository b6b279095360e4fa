"""Workers share one file of an index: built once, mapped by all, gone when nobody wants it any more."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest
import shapely

from api.services.lookup.index_store import IndexStore
from gis.locate import index as locate


def squares(n, size=100.0):
    return np.array([shapely.box(i * size, 0, (i + 1) * size, size) for i in range(n)], dtype=object)


@pytest.fixture
def counted(monkeypatch):
    """Counts how often an index is built."""
    built = []

    def build(polygons):
        built.append(len(polygons))
        return real(polygons)

    real = locate.build
    monkeypatch.setattr(locate, "build", build)
    return built


def test_the_second_worker_maps_what_the_first_built(tmp_path, counted):
    one, two = IndexStore(tmp_path).index(squares(3)), IndexStore(tmp_path).index(squares(3))
    assert counted == [3]
    x = np.array([50.0, 100.0, 250.0, 301.0])
    assert two.locate(x, np.full(4, 50.0)).tolist() == one.locate(x, np.full(4, 50.0)).tolist() == [0, 0, 2, -1]
    assert two.locate_one(250.0, 40.0) == (2, 40.0)
    assert len(list(tmp_path.glob("*.index"))) == 1


def test_threads_that_ask_at_once_build_once(tmp_path, counted):
    store = IndexStore(tmp_path)
    asking = [threading.Thread(target=store.index, args=(squares(4),)) for _ in range(4)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert counted == [4]


def test_other_borders_are_another_file_and_old_ones_go(tmp_path, counted):
    store = IndexStore(tmp_path)
    old = store.index(squares(3))
    (file,) = tmp_path.glob("*.index")
    store.index(squares(5))
    assert len(list(tmp_path.glob("*.index"))) == 2
    os.utime(file, (0, 0))
    store.index(squares(5))
    assert not file.exists()
    assert old.locate(np.array([250.0]), np.array([50.0])).tolist() == [2]
    assert counted == [3, 5]


def test_a_broken_file_is_made_anew(tmp_path, counted):
    IndexStore(tmp_path).index(squares(3))
    (file,) = tmp_path.glob("*.index")
    file.write_bytes(file.read_bytes()[:100])
    assert IndexStore(tmp_path).index(squares(3)).locate(np.array([150.0]), np.array([1.0])).tolist() == [1]
    assert counted == [3, 3]


def test_without_a_place_to_write_it_is_kept_in_memory(tmp_path, counted, caplog):
    file = tmp_path / "file"
    file.write_text("")
    for store in (IndexStore(), IndexStore(file / "below")):
        assert store.index(squares(2)).locate(np.array([150.0]), np.array([1.0])).tolist() == [1]
    assert counted == [2, 2]
    assert "kept in memory only" in caplog.text
