"""Files of arrays that processes map together: whole or not there, read as written, never trusted blindly."""

from __future__ import annotations

import numpy as np
import pytest

from data import index_files


@pytest.fixture
def arrays():
    return {
        "cell": np.arange(7, dtype=np.int32),
        "edges": np.arange(12.0).reshape(4, 3),
        "none": np.empty((0, 4)),
        "first": np.array([0, 3], dtype=np.int64),
    }


def test_read_as_written(tmp_path, arrays):
    path = tmp_path / "a.index"
    index_files.write(path, arrays)
    found = index_files.read(path)
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert (found[name] == array).all()
    assert [p.name for p in tmp_path.iterdir()] == ["a.index"]


def test_a_mapping_outlives_its_file_and_keeps_its_changes_to_itself(tmp_path, arrays):
    path = tmp_path / "a.index"
    index_files.write(path, arrays)
    first, second = index_files.read(path), index_files.read(path)
    path.unlink()
    first["cell"][0] = 99
    assert second["cell"].tolist() == list(range(7))


def test_nothing_is_left_of_a_write_that_fails(tmp_path, arrays, monkeypatch):
    monkeypatch.setattr(np, "ascontiguousarray", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        index_files.write(tmp_path / "a.index", arrays)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cut", [0, 5, 12, 40, 200, -1])
def test_half_a_file_is_no_file(tmp_path, arrays, cut):
    path = tmp_path / "a.index"
    index_files.write(path, arrays)
    path.write_bytes(path.read_bytes()[:cut])
    assert index_files.read(path) is None


@pytest.mark.parametrize(
    "content", [b"", b"WGARRAY2" + bytes(60), b"WGARRAY1" + b"\xff" * 60, b"WGARRAY1" + bytes(60)]
)
def test_another_file_is_no_file(tmp_path, content):
    path = tmp_path / "a.index"
    path.write_bytes(content)
    assert index_files.read(path) is None
    assert index_files.read(tmp_path / "absent") is None
