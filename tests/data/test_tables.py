"""Tables as people save them: encodings, workbooks, headings, and faults told with their row."""

import pytest
from openpyxl import Workbook

from data.tables import read_households
from gis.errors import InputError

CHINESE = "楼栋编号,地址,总户数,常住户数,备注\nb1,董家塅街7号,36,30,\nb2,,0,0,空置\n"


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings_are_found_out(tmp_path, encoding):
    table = read_households(write(tmp_path / "t.csv", CHINESE, encoding))
    assert table.encoding == encoding
    assert table.unused == ("备注",)
    first, second = table.rows
    assert (first.number, first.clue.source_id, first.clue.address) == (2, "b1", "董家塅街7号")
    assert (first.households, first.occupied) == (36, 30)
    assert (second.number, second.households, second.occupied) == (3, 0, 0)


def test_a_declared_encoding_is_used(tmp_path):
    path = write(tmp_path / "t.csv", "id,households\n東,3\n", "big5")
    assert read_households(path, encoding="big5").rows[0].clue.source_id == "東"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters(tmp_path, delimiter):
    path = write(tmp_path / "t.csv", f"id{delimiter}households\nb1{delimiter}12\n")
    assert read_households(path).rows[0].households == 12


def workbook(path, rows, sheet="楼栋"):
    book = Workbook()
    book.active.title = "说明"
    page = book.create_sheet(sheet)
    for row in rows:
        page.append(row)
    book.save(path)
    return path


def test_workbook_by_sheet(tmp_path):
    path = workbook(tmp_path / "t.xlsx", [[], ["名称", "户数"], ["翠湖公馆一期1栋", 48], [None, None], ["2栋", 36.0]])
    table = read_households(path, sheet="楼栋")
    assert [(r.number, r.clue.name, r.households) for r in table.rows] == [(3, "翠湖公馆一期1栋", 48), (5, "2栋", 36)]


@pytest.mark.parametrize(
    ("text", "code", "values"),
    [
        ("id,地址\nb1,x\n", "table.columns", {}),
        ("户数\n3\n", "table.columns", {}),
        ("id,户数\n", "table.no_rows", {}),
        ("\n\n", "table.no_rows", {}),
        ("id,户数\nb1,\n", "table.no_count", {"row": 2}),
        ("id,户数\nb1,3\nb2,-1\n", "table.count", {"row": 3}),
        ("id,户数\nb1,2.5\n", "table.count", {"row": 2, "value": "2.5"}),
        ("id,户数\nb1,nan\n", "table.count", {"row": 2}),
        ("id,户数\nb1,许多\n", "table.count", {"row": 2, "value": "许多"}),
        ("id,户数,常住户数\nb1,3,4\n", "table.more_occupied", {"row": 2}),
        ("id,户数,总户数\nb1,3,4\n", "table.twice_column", {}),
        ("id,户数\nb1,\0\n", "table.unreadable", {}),
    ],
)
def test_faults_name_the_row(tmp_path, text, code, values):
    with pytest.raises(InputError) as told:
        read_households(write(tmp_path / "t.csv", text))
    assert told.value.code == code
    assert values.items() <= told.value.values.items()


def test_other_faults(tmp_path):
    with pytest.raises(InputError, match=r"input\.missing_file"):
        read_households(tmp_path / "none.csv")
    with pytest.raises(InputError, match=r"input\.empty_file"):
        read_households(write(tmp_path / "t.csv", ""))
    with pytest.raises(InputError, match=r"table\.kind"):
        read_households(write(tmp_path / "t.pdf", "x"))
    with pytest.raises(InputError, match=r"table\.unreadable"):
        read_households(write(tmp_path / "t.xlsx", "not a workbook"))
    (tmp_path / "bytes.csv").write_bytes(b"id,households\n\xff\xff\xff,3\n")
    with pytest.raises(InputError, match=r"table\.encoding"):
        read_households(tmp_path / "bytes.csv")
    with pytest.raises(InputError, match=r"table\.unknown_encoding"):
        read_households(write(tmp_path / "t.csv", CHINESE), encoding="klingon")
    with pytest.raises(InputError, match=r"table\.no_sheet"):
        read_households(workbook(tmp_path / "u.xlsx", [["id", "户数"]]), sheet="没有")
