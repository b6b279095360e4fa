"""Tiles on disk: whole or not there, bounded, and nobody's fault when the disk is."""

from __future__ import annotations

import errno
import logging
from pathlib import Path

import pytest

from data.tile_store import TileStore

KEY = "ab" * 20


@pytest.fixture
def store(tmp_path):
    return TileStore(tmp_path / "tiles", 1 << 20)


def files(folder):
    return [p for p in folder.rglob("*") if p.is_file()]


def test_what_was_kept_is_found_by_every_worker(store, tmp_path):
    assert store.get(KEY) is None
    store.put(KEY, b"body")
    assert store.get(KEY) == b"body"
    assert TileStore(tmp_path / "tiles", 1 << 20).get(KEY) == b"body"
    assert len(files(tmp_path)) == 1  # no temporary file is left


@pytest.mark.parametrize("broken", [b"", b"x", None])
def test_half_a_file_is_none(store, tmp_path, broken):
    store.put(KEY, b"a body of some length")
    (path,) = files(tmp_path)
    path.write_bytes(path.read_bytes()[:-3] if broken is None else broken)
    assert store.get(KEY) is None
    store.put(KEY, b"new")
    assert store.get(KEY) == b"new"


def test_it_is_bounded(tmp_path):
    limit = 64 << 10
    store = TileStore(tmp_path, limit)
    for k in range(200):
        store.put(f"{k:040x}", bytes(1000))
        assert sum(p.stat().st_size for p in files(tmp_path)) <= limit
    assert store.get(f"{199:040x}") == bytes(1000)
    assert store.get(f"{0:040x}") is None
    store.put(KEY, bytes(limit))  # more than fits
    assert store.get(KEY) is None


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_full_or_read_only_disk_is_logged_once(store, tmp_path, monkeypatch, caplog, fault):
    def fail(self, data):
        with open(self, "wb") as half:
            half.write(data[:5])
        raise OSError(fault, "no")

    store.put(KEY, b"kept before")
    monkeypatch.setattr(Path, "write_bytes", fail)
    with caplog.at_level(logging.WARNING):
        for k in range(5):
            store.put(f"{k:040x}", b"body")
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert len(files(tmp_path)) == 1  # what was written half is gone
    assert store.get(f"{0:040x}") is None
    assert store.get(KEY) == b"kept before"


def test_a_folder_that_is_a_file_or_vanishes(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    store = TileStore(tmp_path / "file", 1 << 20)
    store.put(KEY, b"body")
    assert store.get(KEY) is None
    gone = TileStore(tmp_path / "gone", 1 << 20)
    gone.put(KEY, b"body")
    for path in files(tmp_path / "gone"):
        path.unlink()
    assert gone.get(KEY) is None
