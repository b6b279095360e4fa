"""Some two hundred hard addresses and a library to match them in: the places of the published practices.

Communities, compounds and building ranges are those that reports name; streets, numbers and rooms beside them are
made up. Every case says what is right: the standard text of an address (several for a range), or "" where nothing
may be called exact, because the address is absent, ambiguous, elsewhere, or only near.
"""

from __future__ import annotations

from typing import Any, Final

from gis.addressing.matching.library import Library, OtherName, entries_of

_HOMES: Final = ("101", "102", "201", "202", "402", "1046")


def library() -> Library:
    """Addresses of seven counties as one deployment."""
    rows: list[dict[str, Any]] = []

    def place(county: str, town: str, community: str) -> dict[str, str]:
        return {"county": county, "town": town, "community": community}

    def doors(where: dict[str, str], road: str, *numbers: str) -> None:
        rows.extend({**where, "road": road, "number": n} for n in numbers)

    def blocks(where: dict[str, str], compound: str, first: int, last: int, road: str = "", number: str = "") -> None:
        for b in range(first, last + 1):
            rows.append({**where, "compound": compound, "building": str(b), "road": road, "number": number})

    def homes(
        where: dict[str, str], compound: str, building: str, units: str, road: str = "", number: str = ""
    ) -> None:
        base = {**where, "compound": compound, "building": building, "road": road, "number": number}
        for unit in units or " ":
            named = {**base, "unit": unit.strip()}
            if unit.strip():
                rows.append(named)
            rows.extend({**named, "room": r} for r in _HOMES)

    xihu = place("岳麓区", "西湖街道", "黄泥岭社区")
    doors(
        xihu, "枫林一路", "1", "2", "12", "12附1", "12附3", "12-3", "14", "16", "18", "120", "甲15", "15", "15A", "21"
    )
    doors(xihu, "荣湾路", "5", "7", "9")
    blocks(xihu, "黄泥岭小区", 1, 12, "荣湾路", "7")
    homes(xihu, "黄泥岭小区", "7", "6", "荣湾路", "7")
    homes(xihu, "黄泥岭小区", "3", "12", "荣湾路", "7")
    lugu = place("岳麓区", "麓谷街道", "麓景社区")
    blocks(lugu, "远大麓园", 1, 9, "麓景路", "8")
    homes(lugu, "远大麓园", "5", "", "麓景路", "8")
    doors(lugu, "麓景路", "2", "4", "6", "10")
    doors(place("岳麓区", "麓谷街道", "麓泉社区"), "麓泉路", "11", "12", "13", "枫林")
    doors(place("岳麓区", "咸嘉湖街道", "荷叶塘社区"), "咸嘉湖路", "100", "102")
    doors(place("岳麓区", "洋湖街道", "龙骨寺社区"), "潇湘南路", "300", "302", "304")
    leifeng = place("望城区", "雷锋街道", "荷花塘社区")
    doors(leifeng, "雷锋大道", "66", "68")
    chaoyang = place("芙蓉区", "朝阳街街道", "人民新村社区")
    rows.extend({**chaoyang, "building": str(b)} for b in range(1, 106))
    doors(chaoyang, "朝阳路", "1", "3", "5", "88")
    nanling = place("南陵县", "籍山镇", "和顺社区")
    blocks(nanling, "和顺二期", 60, 90, "和顺路", "8")
    homes(nanling, "和顺二期", "64", "12", "和顺路", "8")
    blocks(nanling, "和顺一期", 1, 59, "和顺路", "6")
    doors(nanling, "和顺路", "2", "4")
    doors(place("南陵县", "籍山镇", "逸和社区"), "朝阳路", "1", "7")
    lusong = place("芦淞区", "董家塅街道", "新立社区")
    doors(lusong, "董家塅路", "5", "6", "7")
    blocks(lusong, "新立小区", 1, 5)
    zhonggu = place("芦淞区", "建设街道", "钟鼓岭社区")
    rows.extend({**zhonggu, "building": str(b)} for b in (20, 21, 22, 23))
    shifeng = place("石峰区", "响石岭街道", "新建村社区")
    doors(shifeng, "建设北路", "33", "35")
    jiangwan = place("隆回县", "桃花坪街道", "江湾社区")
    blocks(jiangwan, "兴业小区", 1, 15)
    homes(jiangwan, "兴业小区", "11", "12")
    doors(jiangwan, "桃洪东路", "200", "202")
    village = place("岳麓区", "坪塘街道", "鹿芝岭村")
    for group in ("鹿芝岭村三组", "鹿芝岭村四组"):
        rows.extend({**village, "group": group, "building": str(n)} for n in (1, 2, 12))
    other = [
        OtherName("town", "朝阳街街道", "朝阳街道", "misprint"),
        OtherName("town", "咸嘉湖街道", "成嘉湖街道", "misprint"),
        OtherName("compound", "和顺二期", "和顺小区二期", "alias"),
        OtherName("compound", "和顺二期", "和顺2期", "variant"),
        OtherName("road", "荣湾路", "溁湾路", "alias"),
        OtherName("road", "枫林一路", "解放路", "former"),
        OtherName("group", "鹿芝岭村三组", "三组", "short"),
        OtherName("group", "鹿芝岭村四组", "四组", "short"),
    ]
    above: list[Any] = [("province", "湖南省"), ("province", "安徽省")]
    above += [("city", c) for c in ("长沙市", "株洲市", "邵阳市", "芜湖市")]
    return Library(entries_of(rows), other, above)


def _blocks(road: str, name: str, first: int, last: int) -> tuple[str, ...]:
    return tuple(f"{road}{name}{b}栋" for b in range(first, last + 1))


_FENGLIN, _RONGWAN, _HESHUN = "枫林一路12号", "荣湾路7号黄泥岭小区", "和顺路8号和顺二期"
_LUYUAN, _XINGYE = "麓景路8号远大麓园", "兴业小区"

#: (typed, right): the standard text, several for a range, "" for "not exact".
CASES: Final[tuple[tuple[str, str | tuple[str, ...]], ...]] = (
    # --- as reports print them
    ("籍山镇和顺社区和顺二期64栋", f"{_HESHUN}64栋"),
    ("桃花坪街道江湾社区兴业小区11栋", f"{_XINGYE}11栋"),
    ("西湖街道黄泥岭社区黄泥岭小区3栋", f"{_RONGWAN}3栋"),
    ("远大麓园5栋", f"{_LUYUAN}5栋"),
    ("人民新村34栋", "人民新村社区34号"),
    ("人民新村社区34栋", "人民新村社区34号"),
    ("朝阳街道人民新村社区34栋", "人民新村社区34号"),
    ("芙蓉区朝阳街街道人民新村34号", "人民新村社区34号"),
    ("钟鼓岭22栋", "钟鼓岭社区22号"),
    ("芦淞区钟鼓岭社区22栋", "钟鼓岭社区22号"),
    ("和顺二期64-85栋", _blocks("和顺路8号", "和顺二期", 64, 85)),
    ("和顺二期64至85栋", _blocks("和顺路8号", "和顺二期", 64, 85)),
    ("籍山镇和顺社区和顺二期64—85栋", _blocks("和顺路8号", "和顺二期", 64, 85)),
    ("和顺二期64~66幢", _blocks("和顺路8号", "和顺二期", 64, 66)),
    ("和顺二期六十四到六十六栋", _blocks("和顺路8号", "和顺二期", 64, 66)),
    ("和顺一期1-3号楼", _blocks("和顺路6号", "和顺一期", 1, 3)),
    ("兴业小区11栋", f"{_XINGYE}11栋"),
    ("隆回县桃花坪街道江湾社区兴业小区11栋", f"{_XINGYE}11栋"),
    ("湖南省邵阳市隆回县桃花坪街道江湾社区兴业小区11栋2单元402室", f"{_XINGYE}11栋2单元402室"),
    ("董家塅街道新立社区董家塅路5号", "董家塅路5号"),
    ("董家墩路5号", "董家塅路5号"),
    ("董家段路5号", "董家塅路5号"),
    ("董家墩街道新立社区董家段路6号", "董家塅路6号"),
    ("成嘉湖街道咸嘉湖路100号", "咸嘉湖路100号"),
    ("成嘉湖路100号", "咸嘉湖路100号"),
    ("咸嘉湖街道荷叶塘社区咸嘉湖路102号", "咸嘉湖路102号"),
    ("望城区雷锋街道荷花塘社区雷锋大道66号", "雷锋大道66号"),
    ("雷锋大道68号", "雷锋大道68号"),
    ("响石岭街道新建村社区建设北路33号", "建设北路33号"),
    ("株洲市石峰区建设北路35号", "建设北路35号"),
    ("洋湖街道龙骨寺社区潇湘南路302号", "潇湘南路302号"),
    # --- exact suffixes
    ("枫林一路12号", _FENGLIN),
    ("枫林一路12", _FENGLIN),
    ("枫林一路12号附3号", "枫林一路12附3号"),
    ("枫林一路12附3号", "枫林一路12附3号"),
    ("枫林一路12附3", "枫林一路12附3号"),
    ("枫林一路12-3", "枫林一路12-3号"),
    ("枫林一路12-3号", "枫林一路12-3号"),
    ("枫林一路12号-3", "枫林一路12-3号"),
    ("枫林一路12号附1", "枫林一路12附1号"),
    ("枫林一路12附2号", ""),
    ("枫林一路12-4号", ""),
    ("枫林一路12-1", ""),
    ("枫林一路14附3号", ""),
    ("枫林一路14-3", ""),
    ("枫林一路120号", "枫林一路120号"),
    ("枫林一路112号", ""),
    ("枫林一路甲15号", "枫林一路甲15号"),
    ("枫林一路15号", "枫林一路15号"),
    ("枫林一路15A号", "枫林一路15A号"),
    ("枫林一路15a", "枫林一路15A号"),
    ("枫林一路15B", ""),
    ("枫林一路15号甲", ""),
    ("枫林一路乙15号", ""),
    ("枫林一路13号", ""),
    ("枫林一路012号", _FENGLIN),
    ("枫林一路12号之3", ""),
    ("枫林一路12/3", ""),
    ("枫林一路99999号", ""),
    ("枫林一路1234567890123号", ""),
    # --- ways of writing
    ("枫林一路１２号", _FENGLIN),
    ("枫林一路⑫号", _FENGLIN),
    ("枫林一路十二号", _FENGLIN),
    ("枫林一路十二号附三号", "枫林一路12附3号"),
    ("楓林一路12號", _FENGLIN),
    ("長沙市嶽麓區西湖街道黃泥嶺社區楓林一路12號", _FENGLIN),
    ("榮灣路9號", "荣湾路9号"),
    ("　枫林一路　12　号　", _FENGLIN),
    ("枫林一路 12号", _FENGLIN),
    ("枫林一路，12号。", _FENGLIN),
    ("【枫林一路】12号", _FENGLIN),
    ("地址：枫林一路12号", _FENGLIN),
    ("收货地址:湖南省长沙市岳麓区枫林一路12号", _FENGLIN),
    ("枫林一路12号 13812345678", _FENGLIN),
    ("枫林一路\u200b12\u200b号", _FENGLIN),
    ("枫林一路12号😀", _FENGLIN),
    ("枫林一路２１號", "枫林一路21号"),
    ("枫林一路二十一号", "枫林一路21号"),
    ("枫林一路一二〇号", "枫林一路120号"),
    ("枫林一路一百二十号", "枫林一路120号"),
    ("黄泥岭小区三栋一单元一〇一室", f"{_RONGWAN}3栋1单元101室"),
    ("黄泥岭小区3幢", f"{_RONGWAN}3栋"),
    ("黄泥岭小区3号楼", f"{_RONGWAN}3栋"),
    ("黄泥岭小区第3栋", f"{_RONGWAN}3栋"),
    ("黄泥岭小区3#", f"{_RONGWAN}3栋"),
    ("黄泥岭小区3#楼", f"{_RONGWAN}3栋"),
    ("黄泥岭小区三号楼", f"{_RONGWAN}3栋"),
    ("黄泥岭小区3座", f"{_RONGWAN}3栋"),
    ("黄泥岭小区03栋", f"{_RONGWAN}3栋"),
    ("远大麓园五栋", f"{_LUYUAN}5栋"),
    ("遠大麓園5棟", f"{_LUYUAN}5栋"),
    # --- bare tails
    ("黄泥岭小区7-6-1046", f"{_RONGWAN}7栋6单元1046室"),
    ("黄泥岭小区7-6-1046室", f"{_RONGWAN}7栋6单元1046室"),
    ("黄泥岭小区７－６－１０４６", f"{_RONGWAN}7栋6单元1046室"),
    ("黄泥岭小区7—6—1046", f"{_RONGWAN}7栋6单元1046室"),
    ("黄泥岭小区7栋6-1046", f"{_RONGWAN}7栋6单元1046室"),
    ("黄泥岭小区7栋6单元1046", f"{_RONGWAN}7栋6单元1046室"),
    ("黄泥岭小区7幢6单元-1046室", f"{_RONGWAN}7栋6单元1046室"),
    ("黄泥岭小区7-1046", f"{_RONGWAN}7栋6单元1046室"),
    ("黄泥岭小区7#6-1046", f"{_RONGWAN}7栋6单元1046室"),
    ("黄泥岭小区7一6一1046", f"{_RONGWAN}7栋6单元1046室"),
    ("黄泥岭小区7--6--1046", f"{_RONGWAN}7栋6单元1046室"),
    ("黄泥岭小区7-5-1046", ""),
    ("黄泥岭小区7-6-1047", ""),
    ("黄泥岭小区17-6-1046", ""),
    ("黄泥岭小区3-1-101", f"{_RONGWAN}3栋1单元101室"),
    ("黄泥岭小区3-101", ""),
    ("黄泥岭小区3-1", ""),
    ("荣湾路7号7-6-1046", f"{_RONGWAN}7栋6单元1046室"),
    ("荣湾路7号黄泥岭小区7-6-1046", f"{_RONGWAN}7栋6单元1046室"),
    ("荣湾路9号7-6-1046", ""),
    ("远大麓园5-402", f"{_LUYUAN}5栋402室"),
    ("远大麓园5栋402", f"{_LUYUAN}5栋402室"),
    ("远大麓园5栋1单元402", f"{_LUYUAN}5栋402室"),
    ("远大麓园5栋2单元402", ""),
    ("远大麓园5栋4楼402室", f"{_LUYUAN}5栋402室"),
    ("远大麓园5栋3楼402室", ""),
    ("远大麓园5栋403", ""),
    ("兴业小区11-2-402", f"{_XINGYE}11栋2单元402室"),
    ("兴业小区11号", f"{_XINGYE}11栋"),
    ("兴业11栋", f"{_XINGYE}11栋"),
    ("兴业小区16栋", ""),
    ("和顺二期64-2-101", f"{_HESHUN}64栋2单元101室"),
    ("和顺二期64栋2单元101室", f"{_HESHUN}64栋2单元101室"),
    ("和顺二期64栋101", ""),
    ("和顺二期64栋3单元101室", ""),
    # --- both branches, order, levels left out
    ("和顺路8号和顺二期64栋", f"{_HESHUN}64栋"),
    ("和顺二期64栋(和顺路8号)", f"{_HESHUN}64栋"),
    ("和顺二期64栋,和顺路8号", f"{_HESHUN}64栋"),
    ("和顺路8号64栋", f"{_HESHUN}64栋"),
    ("和顺路8号64栋2单元101室", f"{_HESHUN}64栋2单元101室"),
    ("和顺路6号和顺二期64栋", ""),
    ("和顺路10号和顺二期64栋", ""),
    ("麓泉路8号远大麓园5栋", ""),
    ("和顺小区二期64栋", f"{_HESHUN}64栋"),
    ("和顺2期64栋", f"{_HESHUN}64栋"),
    ("和顺三期64栋", ""),
    ("和顺一期64栋", ""),
    ("64栋和顺二期", f"{_HESHUN}64栋"),
    ("南陵县和顺二期64栋", f"{_HESHUN}64栋"),
    ("安徽省芜湖市南陵县籍山镇和顺社区和顺路8号和顺二期64栋", f"{_HESHUN}64栋"),
    ("安徽芜湖南陵籍山镇和顺二期64栋", f"{_HESHUN}64栋"),
    ("长沙岳麓西湖街道枫林一路12号", _FENGLIN),
    ("岳麓区枫林一路12号", _FENGLIN),
    ("黄泥岭社区枫林一路12号", _FENGLIN),
    ("湖南长沙岳麓区麓谷街道麓景社区远大麓园5栋", f"{_LUYUAN}5栋"),
    ("麓谷街道远大麓园5栋402室", f"{_LUYUAN}5栋402室"),
    ("西湖街道湖南省长沙市岳麓区枫林一路12号", _FENGLIN),
    ("湖南省长沙市岳麓区湖南省长沙市岳麓区枫林一路12号", _FENGLIN),
    ("鹿芝岭村三组12号", "鹿芝岭村三组12号"),
    ("坪塘街道鹿芝岭村三组12号", "鹿芝岭村三组12号"),
    ("鹿芝岭村四组1号", "鹿芝岭村四组1号"),
    ("鹿芝岭村12号", ""),
    ("鹿芝岭村五组12号", ""),
    ("鹿芝岭村3组12号", "鹿芝岭村三组12号"),
    # --- other names
    ("溁湾路9号", "荣湾路9号"),
    ("解放路12号", _FENGLIN),
    ("解放路12号附3", "枫林一路12附3号"),
    ("溁湾路7号黄泥岭小区7-6-1046", f"{_RONGWAN}7栋6单元1046室"),
    # --- the same name in two places
    ("朝阳路88号", "朝阳路88号"),
    ("朝阳路1号", ""),
    ("芙蓉区朝阳路3号", "朝阳路3号"),
    ("南陵县朝阳路7号", "朝阳路7号"),
    ("南陵县朝阳路88号", ""),
    ("芙蓉区朝阳路7号", ""),
    ("籍山镇逸和社区朝阳路7号", "朝阳路7号"),
    ("人民新村社区朝阳路5号", "朝阳路5号"),
    # --- elsewhere: national parsers send some of these to other provinces
    ("山西省晋中市和顺县和顺路8号", ""),
    ("广西玉林市兴业县兴业小区11栋", ""),
    ("北京市西城区枫林一路12号", ""),
    ("芙蓉区枫林一路12号", ""),
    ("麓谷街道枫林一路12号", ""),
    ("黄泥岭社区远大麓园5栋", ""),
    ("岳麓区雷锋街道雷锋大道66号", ""),
    ("长沙县枫林一路12号", ""),
    # --- names that go on, or are only alike
    ("新枫林一路12号", ""),
    ("枫林一路东12号", ""),
    ("枫林二路12号", ""),
    ("枫林路12号", ""),
    ("枫林一街12号", ""),
    ("丰林一路12号", ""),
    ("远大麓园幼儿园5栋", ""),
    ("远大麓院5栋", ""),
    ("兴业小区幼儿园", ""),
    ("兴业银行11栋", ""),
    ("和顺二期", ""),
    ("枫林一路", ""),
    ("黄泥岭社区", ""),
    ("岳麓区", ""),
    # --- near it, not at it
    ("枫林一路12号对面", ""),
    ("枫林一路12号旁边", ""),
    ("枫林一路12号往东50米", ""),
    ("远大麓园5栋隔壁", ""),
    ("枫林一路与荣湾路交叉口", ""),
    ("枫林一路12号与14号之间", ""),
    # --- with words behind
    ("枫林一路12号门口", _FENGLIN),
    ("枫林一路12号院内", _FENGLIN),
    ("枫林一路12号农业银行", _FENGLIN),
    ("枫林一路12号中国移动营业厅", _FENGLIN),
    ("远大麓园5栋402室张某某收", f"{_LUYUAN}5栋402室"),
    ("枫林一路12号5栋", ""),
    ("枫林一路12号某某小区5栋301", ""),
    ("枫林一路12号3楼", ""),
    # --- bad input
    ("", ""),
    ("   ", ""),
    ("12号", ""),
    ("7-6-1046", ""),
    ("'; DROP TABLE address;--", ""),
    ("枫林一路12号'; DROP TABLE address;--", ""),
    ("<script>alert(1)</script>", ""),
    ("%%__\\", ""),
    ("\x00\x01\x02", ""),
    ("😀😀😀", ""),
    ("枫" * 10_000, ""),
    ("枫林一路12号" * 1_000, ""),
    ("12 Main Street", ""),
    ("Улица Ленина 12", ""),
    ("枫林1路12号", _FENGLIN),
    ("枫林2路12号", ""),
    ("枫林一路1 2号", ""),
    ("枫林一路1.2号", ""),
    ("枫林一路1,2号", ""),
    ("枫林一路1、2号", ""),
    ("枫林一路1'2号", ""),
    ("枫林一路1(2)号", ""),
    ("枫林一路12号院", _FENGLIN),
    ("枫林一路12号院内东侧", ""),
)
