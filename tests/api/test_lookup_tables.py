"""Tables of points as people really send them: what is read, what is refused, and where the fault is said to lie."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from api.answers import LookupOptions
from api.services.lookup import pointfiles
from api.services.lookup.pointfiles import CSV, JSON, STREAM
from data import arrow_points
from gis.errors import InputError

OPTIONS = LookupOptions("wgs84")


def read(text):
    return pointfiles.read(text.encode(), CSV, OPTIONS)


def fault(text):
    with pytest.raises(InputError) as caught:
        read(text)
    return caught.value.code, caught.value.values


def test_a_json_body_may_leave_its_options_to_the_query():
    given = pointfiles.read(b'{"points": [[113, 28]]}', JSON, LookupOptions("gcj02", 5.0))
    assert (given.options.crs, given.options.accuracy) == ("gcj02", 5.0)
    own = pointfiles.read(b'{"points": [[113, 28]], "crs": "bd09", "accuracy": 7}', JSON, LookupOptions("gcj02", 5.0))
    assert (own.options.crs, own.options.accuracy) == ("bd09", 7.0)


def test_the_line_of_a_fault_is_the_file_s_own():
    """Blank lines and cells of several lines count as they do in an editor."""
    code, values = fault('lon,lat,note\n113,28,"one\ntwo"\n\n113,x,\n')
    assert code == "lookup.csv_number"
    assert values == {"row": 5, "column": "lat", "value": "x"}


def test_a_row_longer_than_the_header_is_refused():
    """Its answers would stand under the wrong names. Empty cells at the end are what spreadsheets leave."""
    code, values = fault("lon,lat\n113,28\n113,28,east,gate\n")
    assert (code, values["row"]) == ("lookup.csv_width", 3)
    given = read("lon,lat\n113,28,,\n112,27\n")
    assert given.rows == [["113", "28"], ["112", "27"]]


@pytest.mark.parametrize("number", ["1_13", "0x71", "1,5", "", "--1", "113e"])
def test_what_is_no_number_is_refused(number):
    assert fault(f'lon,lat\n"{number}",28\n')[0] == "lookup.csv_number"


@pytest.mark.parametrize("number", ["113", " 113.0 ", "+1.13e2", "１１３"])
def test_what_is_a_number_is_read(number):
    assert read(f"lon,lat\n{number},28\n").x.tolist() == [113.0]


def test_columns_that_came_along_keep_names_of_their_own():
    assert pointfiles.renamed(["status", "status_", "lon", "status"]) == ["status__", "status_", "lon", "status___"]
    table = pa.table({"lon": [113.0], "lat": [28.0], "code": ["a"], "code_": ["b"]})
    given = pointfiles.read(arrow_points.write(table, STREAM), STREAM, OPTIONS)
    assert np.isfinite(given.x).all()
    assert pointfiles.renamed(table.column_names) == ["lon", "lat", "code__", "code_"]


def test_more_points_than_a_request_may_hold():
    table = arrow_points.write(pa.table({"lon": [1.0, 2.0, 3.0], "lat": [1.0, 2.0, 3.0]}), STREAM)
    for body, form in ((b"lon,lat\n1,1\n2,2\n3,3\n", CSV), (table, STREAM)):
        assert len(pointfiles.read(body, form, OPTIONS, 3).x) == 3
        with pytest.raises(InputError) as caught:
            pointfiles.read(body, form, OPTIONS, 2)
        assert caught.value.code == "lookup.too_many_points"


def cells(column):
    return pointfiles._cells("c", pa.chunked_array(column))


def test_columns_of_arrow_as_words():
    assert cells([pa.array([1, None]), pa.array([3])]) == ["1", "", "3"]
    assert cells([pa.array(["东", None, "东"]).dictionary_encode(), pa.array(["西", "东"]).dictionary_encode()]) == [
        "东", "", "东", "西", "东",
    ]  # fmt: skip
    assert cells([pa.array([], pa.string()).dictionary_encode()]) == []


def test_lists_of_arrow_as_json():
    """What our own answers hold can be asked again: candidates and people are lists of records."""
    person = pa.list_(pa.struct([("name", pa.string()), ("m", pa.float64())]))
    assert cells([pa.array([[{"name": "东", "m": 1.5}], [], None], person)]) == ['[{"name":"东","m":1.5}]', "[]", ""]
    assert cells([pa.array([[1, None]])]) == ["[1,null]"]


def overlapping():
    offsets, values = pa.array([0, 9, 0, 9], pa.int32()).buffers()[1], pa.array(range(9))
    return pa.Array.from_buffers(pa.list_(pa.int64()), 3, [None, offsets], children=[values])


def test_lists_that_overlap_are_refused():
    with pytest.raises(InputError) as caught:
        cells([overlapping()])
    assert caught.value.code == "lookup.arrow_broken"


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[{}] * 5], pa.list_(pa.struct([]))),
        pa.array([[{"x" * 1000: None}] * 100_000], pa.list_(pa.struct([("x" * 1000, pa.bool_())]))),
        pa.DictionaryArray.from_arrays(pa.array(np.zeros(100_000, np.int8)), pa.array(["x" * 10_000])),
        pa.array([[None] * 5], pa.list_(pa.null())),
        pa.array(["view"], pa.string_view()),
        pa.RunEndEncodedArray.from_arrays(pa.array([9], pa.int32()), pa.array(["x"])),
    ],
    ids=["records of nothing", "long names", "a long word a hundred thousand times", "list", "view", "runs"],
)
def test_few_bytes_that_stand_for_many_words_are_refused(column):
    with pytest.raises(InputError) as caught:
        cells([column])
    assert caught.value.code == "lookup.arrow_text"
