"""Another town's addresses in other hands: lanes 弄, capital numerals, brackets, units by name, names that resemble.

What is right was judged by hand, text by text. Names are made up or common; no address is a person's.
"""

from __future__ import annotations

import pytest

from data.addressing import model_file
from gis.addressing.matching.library import Library, OtherName, entries_of
from gis.addressing.matching.matcher import Matcher
from gis.addressing.matching.segment import Segment, pack
from gis.addressing.parsing.model import Parser


def place(county, town, community):
    return {"county": county, "town": town, "community": community}


def doors(where, road, *numbers):
    return [{**where, "road": road, "number": n} for n in numbers]


def homes(where, compound, buildings, road="", number="", units=("",), rooms=()):
    rows = []
    for b in buildings:
        base = {**where, "compound": compound, "building": b, "road": road, "number": number}
        rows += [base, *({**base, "unit": u} for u in units if u)]
        rows += [{**base, "unit": u, "room": r} for u in units for r in rooms]
    return rows


def library():
    wukang = place("徐汇区", "湖南路街道", "武康社区")
    yongjia = place("徐汇区", "天平路街道", "永嘉社区")
    weihai = place("静安区", "南京西路街道", "威海社区")
    yantan = place("城关区", "雁南街道", "滩尖子社区")
    keyuan = place("海淀区", "中关村街道", "科源社区")
    east = place("小山县", "城郊镇", "东门社区")
    stone = place("小山县", "石桥镇", "石桥村")
    rows = [
        *doors(wukang, "武康路", "1", "99", "393", "393甲", "100弄1", "100弄2", "100弄3"),
        *doors(wukang, "湖南路", "280", "280附1", "280附2"),
        *doors(wukang, "复兴中路", "1", "1195"),
        *doors(wukang, "复兴西路", "1", "147"),
        *doors(wukang, "陕西南路", "25", "369"),
        *doors(weihai, "陕西北路", "369"),
        *doors(yongjia, "太原路", "160", "200", "200A", "200B"),
        *homes(yongjia, "永嘉新村", ("1", "2", "3", "8"), "永嘉路", "580", ("1", "2"), ("101", "202")),
        *homes(yongjia, "永嘉庭", ("A", "B"), "永嘉路", "570", rooms=("101", "1201")),
        *doors(weihai, "威海路", "590", "696"),
        *homes(weihai, "静安别墅", ("1", "5", "19"), rooms=("101", "201")),
        *doors(yantan, "雁滩路", "3088"),
        *homes(yantan, "飞天家园一区", ("1", "3"), "雁南路", "300", ("1", "3"), ("402", "1203")),
        *homes(yantan, "飞天家园二区", ("1", "3"), "雁南路", "302", ("1", "3"), ("402", "1203")),
        *homes(yantan, "天庆国际新城", ("1", "11"), "雁滩路", "3090", ("东", "西"), ("101", "602")),
        *homes(yantan, "雁滩花园", ("甲", "1"), "南昌路", "1918", ("甲", "乙"), ("101", "602")),
        *doors(keyuan, "中关村大街", "27"),
        *doors(keyuan, "中关村南一条", "3", "甲3", "乙3"),
        *homes(keyuan, "科源小区", ("18", "801"), "", "", ("1", "2"), ("101", "302")),
        *homes(keyuan, "稻香园南社区", ("3",), "", "", ("2",), ("1804",)),
        *homes(keyuan, "稻香园", ("3",), "", "", ("2",), ("1804",)),
        *doors(east, "东门路", "1", "3", "5", "7"),
        *doors(east, "东门二巷", "8"),
        *doors(east, "解放路", "1", "9"),
        *homes(east, "锦绣华庭", tuple(map(str, range(1, 11))), "人民东路", "66", ("1", "2"), ("101", "1502")),
        *homes(east, "锦绣花园", ("3",), "解放路", "88", ("2",), ("602",)),
        *doors(stone, "解放路", "2", "9"),
        *doors(stone, "石桥老街", "12", "14"),
        *({**stone, "group": f"石桥村{g}组", "building": n} for g in ("一", "十二", "李家湾") for n in ("1", "5")),
    ]
    other = [
        OtherName("road", "复兴中路", "辣斐德路", "former"),
        OtherName("road", "武康路", "福开森路", "former"),
        OtherName("compound", "天庆国际新城", "天庆", "alias"),
        *(OtherName("group", f"石桥村{g}组", f"{g}组", "short") for g in ("一", "十二", "李家湾")),
    ]
    lie = {"徐汇区": "上海市", "静安区": "上海市", "海淀区": "北京市", "城关区": "兰州市", "小山县": "兰州市"}
    above = [("province", "甘肃省"), *(("city", c) for c in ("上海市", "北京市", "兰州市"))]
    within = [*lie.items(), ("城关区", "甘肃省"), ("小山县", "甘肃省")]
    return Library.of([Segment(pack(entries_of(rows)))]).grown(other_names=other, above=above, within=within)


@pytest.fixture(scope="module")
def matcher():
    return Matcher(library(), Parser(model_file.shipped()))


#: The one address, and texts that mean it beyond doubt.
EXACT = {
    "武康路393号": (
        "福开森路(今武康路)393号",
        "武康路(原福开森路)393号",
        "上海市/徐汇区/武康路/393号",
        "上海市；徐汇区；武康路；393号",
        "上海市|徐汇区|武康路|393号",
        "“武康路”393号",
        "武康路:393号",
        "武康路No.393",
        "武康路№393",
        "武康路门牌号393",
        "武康路门牌393号",
        "我住在武康路393号",
        "我家在武康路393号",
        "请送到武康路393号",
        "393号 武康路",
    ),
    "武康路393甲号": ("武康路393号甲", "武康路393甲"),
    "武康路100弄1号": (
        "武康路１００弄１号",
        "武康路 100 弄 1 号",
        "武康路一百弄一号",
        "武康路100弄1",
        "100弄1号武康路",
    ),
    "湖南路280附1号": ("湖南路280号（附1号）", "湖南路280号附一", "上海湖南路280附1号"),
    "太原路200A号": ("太原路200号A", "太原路200a"),
    "永嘉路580号永嘉新村3栋1单元101室": (
        "101室1单元3栋永嘉新村",
        "101室,1单元,3栋,永嘉新村,永嘉路580号",
        "101室,永嘉新村3栋1单元",
        "永嘉新村(永嘉路580号)3栋1单元101室",
        "永嘉新村3栋(1单元)101室",
        "永嘉新村3栋-1单元-101",
        "永嘉新村3号1单元101",
        "永嘉新村3-1-101 王先生收",
        "永嘉新村3-1-101（李女士）",
    ),
    "永嘉路570号永嘉庭A栋1201室": ("永嘉庭A1201", "永嘉路570号A-1201", "永嘉庭a座12F1201"),
    "永嘉路570号永嘉庭A栋": ("永嘉庭A", "永嘉庭a座"),
    "静安别墅5栋201室": ("静安别墅5号201室", "静安别墅5号201", "静安别墅五号201室"),
    "雁滩路3090号天庆国际新城11栋东单元602室": ("天庆11栋东门602", "天庆11-东-602", "天庆国际新城11号楼东单元602"),
    "南昌路1918号雁滩花园甲栋甲单元101室": ("南昌路1918号甲栋甲单元101", "雁滩花园甲-甲-101"),
    "雁南路300号飞天家园一区1栋1单元402室": ("飞天家园（一区）1栋1单元402", "飞天家园1区1-1-402"),
    "中关村南一条3号": ("中关村南1条3号",),
    "东门路1号": ("东门路壹号", "东门路No1"),
    "人民东路66号锦绣华庭10栋": ("锦绣华庭拾栋", "锦绣华庭第十栋"),
    "石桥村一组5号": (
        "石桥1组5号",
        "石桥村第一组5号",
        "石桥村第1村民小组5号",
        "石桥村一小组五号",
        "石桥村村民委员会一组5号",
        "1组5号",
    ),
    "石桥村十二组5号": ("石桥村第12村民小组5号", "12组5号"),
    "石桥村李家湾组5号": ("石桥村李家湾5号", "李家湾5号", "李家湾组5号"),
    "石桥老街14号": ("石橋老街14號",),
}
#: Not sure, the first candidate, and the texts.
FIRST = {
    "太原路200B号": ("太原路200-B号",),
    "武康路393号": ("武康路393号楼", "武康路393号(对面)"),
    "湖南路280号": ("湖南路280号附3", "湖南路280-1号", "湖南路280号之1"),
    "武康路100弄1号": ("武康路100弄1号101室", "武康路100弄9号"),
    "永嘉路580号永嘉新村3栋1单元101室": ("永嘉新村3/1/101", "永嘉新村3.1.101", "永嘉新邨3栋1单元101"),
    "雁南路302号飞天家园二区3栋3单元1203室": ("雁南路302号飞天家园3-3-1203",),
    "中关村南一条乙3号": ("中关村南一条3号乙",),
    "中关村南一条3号": ("中关村南二条3号", "中关村南一条丙3号"),
    "稻香园3栋2单元1804室": ("稻香园小区3号楼2单元1804",),
    "石桥老街14号": ("老街14号", "石桥街14号"),
    "威海路696号": ("威海市威海路696号", "山东威海路696号", "威海路696号(朝阳社区)", "威海路696号(590号)"),
    "陕西南路369号": ("静安区陕西南路369号",),
    "东门二巷8号": ("东门三巷8号", "东门巷8号"),
    "人民东路66号锦绣华庭3栋": ("锦绣花庭3栋", "锦锈华庭3栋"),
    "复兴西路147号": ("复兴东路147号", "黄浦区复兴西路147号"),
}
NONE = (
    "石桥村11组5号",
    "石桥村3组5号",
    "武康路100号",
    "南京东路20号",
    "武康路39(3)号",
    "锦绣华庭贰拾栋",
    "",
    "393号",
    "弄",
    "号" * 90,
)


@pytest.mark.parametrize("right", EXACT)
def test_it_means_this_address(matcher, right):
    for typed in EXACT[right]:
        found = matcher.match(typed)
        assert (typed, found.status, [matcher.library.text(r) for r in found.rows]) == (typed, "exact", [right])


@pytest.mark.parametrize("right", FIRST)
def test_it_comes_first_and_is_not_called_exact(matcher, right):
    for typed in FIRST[right]:
        found = matcher.match(typed)
        assert (typed, found.status, matcher.library.text(found.candidates[0])) == (typed, "unsure", right)
        assert found.reasons


@pytest.mark.parametrize("typed", NONE)
def test_nothing_is_made_of_it(matcher, typed):
    found = matcher.match(typed)
    assert found.status != "exact"
    assert found.reasons


def test_two_streets_of_one_name_are_told_apart_by_town(matcher):
    for typed, town in (
        ("解放路9号 石桥镇", "石桥镇"),
        ("解放路9号(城郊镇)", "城郊镇"),
        ("石桥村解放路9号", "石桥镇"),
    ):
        found = matcher.match(typed)
        assert [(found.status, matcher.library.named("town", r)) for r in found.rows] == [("exact", town)]
    assert matcher.match("小山县解放路9号").reasons == ("several",)
