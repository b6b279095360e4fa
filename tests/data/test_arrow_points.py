"""Arrow tables from strangers: read whole or refused in one way, whatever the bytes."""

from __future__ import annotations

import contextlib

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import arrow_points
from gis.errors import InputError

TABLE = pa.table({"lon": [1.0, 2.0], "lat": [3.0, 4.0], "name": pa.array(["甲", "乙"]).dictionary_encode()})
GOOD = {form: arrow_points.write(TABLE, form) for form in (arrow_points.STREAM, arrow_points.FILE)}


@pytest.mark.parametrize("form", GOOD)
def test_read_as_written(form):
    assert arrow_points.read(GOOD[form]).equals(TABLE)


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
@pytest.mark.parametrize("name", ["lon", "name"])
def test_compressed_buffers_are_refused_before_they_are_unpacked(codec, name):
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=codec)
    with pa.ipc.new_stream(sink, TABLE.select([name]).schema, options=options) as writer:
        writer.write_table(TABLE.select([name]))
    with pytest.raises(InputError, match=r"lookup[.]arrow_compressed"):
        arrow_points.read(bytes(sink.getvalue()))


@given(st.sampled_from(sorted(GOOD)), st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=4),
       st.integers(0, 2000))  # fmt: skip
def test_no_bytes_do_more_than_be_refused(form, changes, length):
    body = bytearray(GOOD[form])
    for at, value in changes:
        body[at % len(body)] = value
    with contextlib.suppress(InputError):
        arrow_points.read(bytes(body[:length]))
