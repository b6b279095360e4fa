"""The cache of compiled loops where two processes fill it at the same moment."""

from __future__ import annotations

from pathlib import Path

import pytest
from numba.core.caching import IndexDataCacheFile

import gis.compiling  # noqa: F401 - names the files


def test_two_processes_that_compile_two_versions_at_once_keep_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has read the empty index before the other wrote: no index may name a file with the other's code."""
    files = [IndexDataCacheFile(str(tmp_path), "loop", "stamp") for _ in range(2)]
    for cache, kind in zip(files, ("int64", "float64"), strict=True):
        with monkeypatch.context() as racing:
            racing.setattr(cache, "_load_index", dict)
            cache.save((kind,), f"code for {kind}")
    assert len(list(tmp_path.glob("*.nbc"))) == 2
    for kind in ("int64", "float64"):
        assert IndexDataCacheFile(str(tmp_path), "loop", "stamp").load((kind,)) in (None, f"code for {kind}")
    files[0].save(("int64",), "code for int64")
    assert files[1].load(("int64",)) == "code for int64"
    assert files[1].load(("float64",)) == "code for float64"
