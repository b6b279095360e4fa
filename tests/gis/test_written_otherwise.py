"""Addresses that people write in other ways: what is right was judged by hand, address by address.

The places are those of published reports; streets, numbers and homes beside them are made up.
"""

from __future__ import annotations

import pytest

from data.addressing import model_file
from gis.addressing.matching.library import Library, OtherName, entries_of
from gis.addressing.matching.matcher import Matcher
from gis.addressing.parsing.model import Parser


def place(county, town, community):
    return {"county": county, "town": town, "community": community}


def doors(where, road, *numbers):
    return [{**where, "road": road, "number": n} for n in numbers]


def blocks(where, compound, buildings, road="", number="", units="", rooms=()):
    rows = []
    for b in buildings:
        base = {**where, "compound": compound, "building": str(b), "road": road, "number": number}
        rows.append(base)
        for u in units:
            rows += [{**base, "unit": u}, *({**base, "unit": u, "room": r} for r in rooms)]
    return rows


def library():
    """Streets of the same name, sections, suffixes, phases, groups and homes."""
    xinli = place("芦淞区", "董家塅街道", "新立社区")
    xinjian = place("石峰区", "响石岭街道", "新建村社区")
    heshun = place("南陵县", "籍山镇", "和顺社区")
    lujing = place("岳麓区", "麓谷街道", "麓景社区")
    huangni = place("岳麓区", "西湖街道", "黄泥岭社区")
    huzhong = place("岳麓区", "望月湖街道", "湖中社区")
    renmin = place("芙蓉区", "朝阳街街道", "人民新村社区")
    longgu = place("岳麓区", "洋湖街道", "龙骨寺社区")
    jiangwan = place("隆回县", "桃花坪街道", "江湾社区")
    luzhi = place("岳麓区", "坪塘街道", "鹿芝岭村")
    rows = [
        *doors(xinli, "董家塅路", "5", "12", "12附3", "12-3", "12A", "甲12", "12甲", "100", "102", "104", "106"),
        *doors(place("芦淞区", "建设街道", "钟鼓岭社区"), "建设路", "1", "2", "18", "36", "185"),
        *doors(xinjian, "建设路", "1", "3", "20"),
        *doors(xinjian, "建设北路", "33", "35", "36"),
        *blocks(xinjian, "北苑", "127", "建设北路", "36", "12", ("101", "402", "1046")),
        *blocks(heshun, "和顺二期", range(60, 91), "和顺路", "8"),
        *blocks(heshun, "和顺一期", range(1, 30), "和顺路", "6"),
        *blocks(heshun, "和顺三期A区", "12", "和顺路", "10"),
        *blocks(heshun, "和顺三期B区", "12", "和顺路", "10"),
        *blocks(lujing, "远大麓园", range(1, 10), "麓景路", "8", "123", ("101", "301", "302", "1046")),
        *doors(lujing, "麓景路", "2", "4", "6", "10", "12"),
        *blocks(huangni, "黄泥岭小区", ("1", "2", "7", "A", "B", "10"), "荣湾路", "7", "126", ("101", "402", "1046")),
        *doors(huangni, "荣湾路", "1", "3", "5"),
        *doors(huangni, "枫林一路", "1", "12", "21"),
        *doors(huzhong, "枫林二路", "1", "12"),
        *doors(huzhong, "枫林路", "12"),
        *blocks(huzhong, "望月湖小区", "12345"),
        *blocks(huzhong, "望月湖二片", "67"),
        *({**renmin, "building": str(b)} for b in range(1, 106)),
        *doors(renmin, "朝阳路", "1", "3", "5"),
        *doors(place("南陵县", "籍山镇", "逸和社区"), "朝阳路", "1", "7"),
        *(
            {**luzhi, "group": f"鹿芝岭村{g}组", "building": str(n)}
            for g in ("三", "四", "十三") for n in (1, 2, 12)
        ),
        *doors(longgu, "潇湘南路一段", "300", "302"),
        *doors(longgu, "潇湘南路二段", "300"),
        *doors(longgu, "五一大道", "158", "717"),
        *doors(longgu, "八一路", "1", "10"),
        *doors(longgu, "学士街", "12"),
        *doors(longgu, "学士巷", "12"),
        *doors(longgu, "解放东路", "88"),
        *doors(longgu, "解放西路", "88"),
        *blocks(jiangwan, "兴业小区", ("11", "12"), "", "", "12", ("101", "402")),
        *blocks(jiangwan, "1988小区", "3", "", "", "1", ("101",)),
        {**huangni, "road": "荣湾路", "number": "9", "ended": True},
    ]  # fmt: skip
    other = [
        OtherName("town", "朝阳街街道", "朝阳街道", "misprint"),
        OtherName("road", "荣湾路", "溁湾路", "alias"),
        OtherName("road", "枫林一路", "解放路", "former"),
        *(OtherName("group", f"鹿芝岭村{g}组", f"{g}组", "short") for g in ("三", "四", "十三")),
        OtherName("compound", "和顺二期", "和顺小区二期", "alias"),
    ]
    cities = [("city", c) for c in ("长沙市", "株洲市", "芜湖市", "邵阳市")]
    return Library(entries_of(rows), other, [("province", "湖南省"), ("province", "安徽省"), *cities])


@pytest.fixture(scope="module")
def matcher():
    return Matcher(library(), Parser(model_file.shipped()))


#: Typed, and the standard text of the one address it means, with the first character of its county.
EXACT = (
    ("董家墩路12号", "芦:董家塅路12号"),
    ("董家段路12号附3", "芦:董家塅路12附3号"),
    ("董家塅路12-3号", "芦:董家塅路12-3号"),
    ("董家塅路12附3号", "芦:董家塅路12附3号"),
    ("董家塅路12號附３號", "芦:董家塅路12附3号"),
    ("董家塅路甲12号", "芦:董家塅路甲12号"),
    ("董家塅路12号甲", "芦:董家塅路12甲号"),
    ("董家塅路12甲", "芦:董家塅路12甲号"),
    ("董家塅路12a", "芦:董家塅路12A号"),
    ("董家塅路12 A号", "芦:董家塅路12A号"),
    ("董家塅路12号A", "芦:董家塅路12A号"),
    ("芦淞区建设路1号", "芦:建设路1号"),
    ("石峰区建设路1号", "石:建设路1号"),
    ("建设路18号", "芦:建设路18号"),
    ("建设北路36号院1栋2单元402", "石:建设北路36号北苑1栋2单元402室"),
    ("建设北路36号院7-2-1046", "石:建设北路36号北苑7栋2单元1046室"),
    ("建设北路三十六号院内七号楼二单元1046", "石:建设北路36号北苑7栋2单元1046室"),
    ("北苑7-2-1046", "石:建设北路36号北苑7栋2单元1046室"),
    ("北苑 7 2 1046", "石:建设北路36号北苑7栋2单元1046室"),
    ("北苑7栋2单元10楼1046", "石:建设北路36号北苑7栋2单元1046室"),
    ("7-2-1046北苑", "石:建设北路36号北苑7栋2单元1046室"),
    ("和顺三期A区1栋", "南:和顺路10号和顺三期A区1栋"),
    ("和顺路8号64栋", "南:和顺路8号和顺二期64栋"),
    ("遠大麓園5棟1單元101室", "岳:麓景路8号远大麓园5栋1单元101室"),
    ("远大麓园5-1-101", "岳:麓景路8号远大麓园5栋1单元101室"),
    ("远大麓园5栋一单元0101", "岳:麓景路8号远大麓园5栋1单元101室"),
    ("麓景路8号5栋1单元302室", "岳:麓景路8号远大麓园5栋1单元302室"),
    ("黄泥岭小区A栋1单元101", "岳:荣湾路7号黄泥岭小区A栋1单元101室"),
    ("黄泥岭小区10栋1单元101", "岳:荣湾路7号黄泥岭小区10栋1单元101室"),
    ("黄泥岭A-1-101", "岳:荣湾路7号黄泥岭小区A栋1单元101室"),
    ("黄泥岭小区一栋", "岳:荣湾路7号黄泥岭小区1栋"),
    ("黄泥岭小区1号", "岳:荣湾路7号黄泥岭小区1栋"),
    ("黄泥岭小区1号楼", "岳:荣湾路7号黄泥岭小区1栋"),
    ("黄泥岭小区1", "岳:荣湾路7号黄泥岭小区1栋"),
    ("枫林路12号", "岳:枫林路12号"),
    ("枫林一路十二号", "岳:枫林一路12号"),
    ("枫林1路12号", "岳:枫林一路12号"),
    ("枫林二路12号", "岳:枫林二路12号"),
    ("解放路12号", "岳:枫林一路12号"),
    ("湖南长沙岳麓区枫林一路12号", "岳:枫林一路12号"),
    ("湖南省长沙市枫林一路12号", "岳:枫林一路12号"),
    ("芙蓉区朝阳路1号", "芙:朝阳路1号"),
    ("芜湖市南陵县朝阳路1号", "南:朝阳路1号"),
    ("朝阳路7号", "南:朝阳路7号"),
    ("朝阳路3", "芙:朝阳路3号"),
    ("人民新村34", "芙:人民新村社区34号"),
    ("人民新村34栋", "芙:人民新村社区34号"),
    ("人民新村社区朝阳路3号", "芙:朝阳路3号"),
    ("鹿芝岭村3组12号", "岳:鹿芝岭村三组12号"),
    ("鹿芝岭村十三组12号", "岳:鹿芝岭村十三组12号"),
    ("鹿芝岭三组12号", "岳:鹿芝岭村三组12号"),
    ("鹿芝岭村13组12号", "岳:鹿芝岭村十三组12号"),
    ("三组12号", "岳:鹿芝岭村三组12号"),
    ("十三组12号", "岳:鹿芝岭村十三组12号"),
    ("潇湘南路一段300号", "岳:潇湘南路一段300号"),
    ("潇湘南路1段300号", "岳:潇湘南路一段300号"),
    ("五一大道158号", "岳:五一大道158号"),
    ("51大道158号", "岳:五一大道158号"),
    ("五一大道一百五十八号", "岳:五一大道158号"),
    ("八一路10号", "岳:八一路10号"),
    ("八一路一十号", "岳:八一路10号"),
    ("学士街12号", "岳:学士街12号"),
    ("学士巷12号", "岳:学士巷12号"),
    ("溁湾路7号黄泥岭小区7-6-1046", "岳:荣湾路7号黄泥岭小区7栋6单元1046室"),
    ("望月湖二片6栋", "岳:望月湖二片6栋"),
    ("荣湾路５号", "岳:荣湾路5号"),
    ("荣湾路 5 号 收件人张三 13800138000", "岳:荣湾路5号"),
    ("张三 13800138000 湖南省长沙市岳麓区荣湾路5号", "岳:荣湾路5号"),
    ("1988小区3栋1单元101", "隆:1988小区3栋1单元101室"),
    ("1988小区3-1-101", "隆:1988小区3栋1单元101室"),
    ("兴业小区11栋1单元101室，隆回县", "隆:兴业小区11栋1单元101室"),
    ("兴业小区11栋隆回县桃花坪街道", "隆:兴业小区11栋"),
    ("11栋1单元101兴业小区", "隆:兴业小区11栋1单元101室"),
    ("荣湾路-5号", "岳:荣湾路5号"),
)
#: Typed, first and last of what it means, and how many.
RANGES = (
    ("董家塅路100-106号", "董家塅路100号", "董家塅路106号", 4),
    ("董家塅路100号至106号", "董家塅路100号", "董家塅路106号", 4),
    ("和顺二期64-85栋", "和顺路8号和顺二期64栋", "和顺路8号和顺二期85栋", 22),
    ("和顺二期64栋-85栋", "和顺路8号和顺二期64栋", "和顺路8号和顺二期85栋", 22),
    ("人民新村34-36栋", "人民新村社区34号", "人民新村社区36号", 3),
    ("荣湾路3-5号", "荣湾路3号", "荣湾路5号", 2),
    ("荣湾路1-5号", "荣湾路1号", "荣湾路5号", 3),
)
#: Typed, and the first candidate ("" for none): absent, ambiguous, elsewhere, only near, or not all of it is read.
NOT_SURE = (
    ("董家塅路12之3", "董家塅路12号"),
    ("董家塅路12/3", "董家塅路12号"),
    ("董家塅路12、104号", "董家塅路12号"),
    ("董家塅路12附4", "董家塅路12号"),
    ("董家塅路123号", ""),
    ("董家塅路1 2号", ""),
    ("建设路1号", "建设路1号"),
    ("株洲市石峰区建设路18号", "建设路18号"),
    ("北苑7-1046", "建设北路36号北苑7栋1单元1046室"),
    ("北苑7栋2单元9楼1046", "建设北路36号北苑7栋2单元1046室"),
    ("北苑2-7-1046", "建设北路36号北苑2栋"),
    ("和顺二期64、65栋", "和顺路8号和顺二期64栋"),
    ("和顺二期64栋、65栋", "和顺路8号和顺二期64栋"),
    ("和顺二期85-64栋", ""),
    ("和顺二期64-95栋", "和顺路8号和顺二期64栋"),
    ("和顺小区64栋", "和顺路8号和顺二期64栋"),
    ("和顺三期1栋", "和顺路10号和顺三期A区1栋"),
    ("和顺路10号1栋", "和顺路10号和顺三期A区1栋"),
    ("和顺路8号和顺一期64栋", "和顺路8号和顺二期64栋"),
    ("和顺二期和顺路6号64栋", "和顺路6号和顺一期1栋"),
    ("远大麓园5栋101", "麓景路8号远大麓园5栋1单元101室"),
    ("远大麓园5栋4单元101", "麓景路8号远大麓园5栋"),
    ("枫林三路12号", "枫林一路12号"),
    ("解放路88号", "解放东路88号"),
    ("原解放路12号", "枫林一路12号"),
    ("安徽省南陵县枫林一路12号", "枫林一路12号"),
    ("南陵县枫林一路12号", "枫林一路12号"),
    ("长沙市岳麓区西湖街道望月湖街道枫林一路12号", "枫林一路12号"),
    ("北京市朝阳区朝阳路1号", "朝阳路1号"),
    ("朝阳路1号", "朝阳路1号"),
    ("人民新村106栋", ""),
    ("人民新村34栋2单元", "人民新村社区34号"),
    ("潇湘南路300号", "潇湘南路一段300号"),
    ("潇湘南路二段302号", ""),
    ("学士路12号", "学士街12号"),
    ("荣湾路9号", "荣湾路9号"),
    ("荣湾路7号7栋6单元1046室对面", "荣湾路7号黄泥岭小区7栋6单元1046室"),
    ("荣湾路7号旁", "荣湾路7号黄泥岭小区1栋"),
    ("荣湾路5号向北100米", "荣湾路5号"),
    ("荣湾路五号（近枫林一路）", "荣湾路5号"),
    ("荣湾路与枫林一路交叉口", ""),
    ("望月湖6栋", "望月湖二片6栋"),
    ("望月湖小区6栋", ""),
    ("<script>alert(1)</script>荣湾路5号", "荣湾路5号"),
    ("荣湾路5号'; DROP TABLE address;--", "荣湾路5号"),
    ("荣湾路5号<b>", "荣湾路5号"),
    ("荣湾路5号2楼", "荣湾路5号"),
    ("隆回县兴业小区13栋", ""),
    ("荣湾路5号3栋", "荣湾路5号"),
    ("荣湾路5.5号", "荣湾路5号"),
    ("荣湾路5号5号", "荣湾路5号"),
    ("荣湾路5号和荣湾路3号", "荣湾路3号"),
    ("荣湾路3号、5号", "荣湾路3号"),
    ("荣湾路3、5号", "荣湾路3号"),
    ("荣湾路3号到荣湾路5号", "荣湾路5号"),
    ("和顺三期1栋", "和顺路10号和顺三期A区1栋"),
    ("和顺小区64栋", "和顺路8号和顺二期64栋"),
    ("董家塅路123号", ""),
    ("董家塅路12、13号", "董家塅路12号"),
    ("和顺二期64、99栋", "和顺路8号和顺二期64栋"),
    ("和顺二期兴业小区11栋", "兴业小区11栋"),
    ("荣湾路枫林一路12号", "枫林一路12号"),
    ("荣湾路7号枫林一路12号", "枫林一路12号"),
    ("黄泥岭小区(荣湾路7号)1栋", "荣湾路7号黄泥岭小区1栋"),
)


@pytest.mark.parametrize(("typed", "right"), EXACT, ids=range(len(EXACT)))
def test_it_means_this_address(matcher, typed, right):
    found = matcher.match(typed)
    known = matcher.library
    assert [f"{known.named('county', r)[0]}:{known.text(r)}" for r in found.rows] == [right]


@pytest.mark.parametrize(("typed", "first", "last", "count"), RANGES, ids=range(len(RANGES)))
def test_it_means_these_addresses(matcher, typed, first, last, count):
    texts = [matcher.library.text(r) for r in matcher.match(typed).rows]
    assert (texts[0], texts[-1], len(texts)) == (first, last, count)


@pytest.mark.parametrize(("typed", "candidate"), NOT_SURE, ids=range(len(NOT_SURE)))
def test_it_is_not_called_exact(matcher, typed, candidate):
    found = matcher.match(typed)
    assert found.status == ("unsure" if candidate else "none")
    assert found.rows == ()
    assert found.reasons
    assert [matcher.library.text(r) for r in found.candidates[:1]] == ([candidate] if candidate else [])
