"""Hanyu Pinyin 汉语拼音 of names on plates, as the spelling rules of place names write it: capitals, without tones,
proper name and generic apart (人民东路 RENMIN DONGLU), an apostrophe before a syllable that begins with a vowel.

Readings come from pypinyin's dictionary of words. Names of places keep readings that no dictionary is sure of:
``doubtful`` names the characters a person should check before a plate is ordered. Ordinal numbers are spelt out.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

#: Generics, longest first, and what joins the generic when it stands alone before it (东路, 一路, 二期).
_GENERIC: Final = re.compile(
    r"(?P<head>.{2,}?)(?P<tail>[东西南北中上下前后内外新老正横支环一二三四五六七八九十]?"
    r"(?:大道|大街|胡同|公路|街道|小区|社区|花园|家园|广场|新村|新区|新城|公寓|山庄|大厦|古镇|路|街|巷|弄|里|道|村|镇|乡|组"
    r"|苑|园|期|湾|桥|段|省|县|自治[区州县]|(?<![超菜都夜城])市))"
)
#: Inside a longer name a new word begins after these.
_CUT: Final = re.compile(
    r"(?<=..村)(?=.)|(?<=社区)(?=.)|(?<=小区)(?=.)|(?<=新村)(?=.)|(?<=街道)(?=.)|(?<=新区)(?=.)|(?<=新城)(?=.)"
)
#: Part of a street, or what leads off it: the street before it has a generic of its own (芙蓉中路二段, 人民路一巷).
_OFF: Final = re.compile(
    r"(?P<street>.{2,}(?:路|街|大道))(?P<off>[东西南北中前后一二三四五六七八九十]?(?:支路|段|巷|弄|里))"
)
#: What counts, right after its number: a new word begins after it.
_COUNTED: Final = re.compile(r"(号|栋|幢|座|单元)(.+)")
_CHUNK: Final = re.compile(
    r"[\u3007\u3400-\u9fff\U00020000-\U0003ffff]+|[^\W_\u3007\u3400-\u9fff\U00020000-\U0003ffff]+"
)
_HAN: Final = re.compile(r"[\u3007\u3400-\u9fff\U00020000-\U0003ffff]")

#: Readings in names of places where the dictionary prefers another: words, and surnames before 家.
_READINGS: Final = {
    "朝阳": "chao yang", "都正": "du zheng", "曾家": "zeng jia", "单家": "shan jia", "仇家": "qiu jia",
    "任家": "ren jia", "解家": "xie jia", "盖家": "ge jia", "查家": "zha jia", "区家": "ou jia", "覃家": "qin jia",
    "缪家": "miao jia", "朴家": "piao jia", "华家": "hua jia", "尉家": "yu jia", "乐家": "yue jia",
    "陕西": "shaan xi",
}  # fmt: skip
_LANE: Final = "弄"
#: Words in which such a character has but one reading.
_SURE: Final = re.compile("单元|社区|小区|新区|车站")
#: Divisions whose names come from other languages of China, as GB/T 2260 spells them (罗马字母拼写,
#: by 少数民族语地名汉语拼音字母音译转写法). Streets named for them are spelt either way from city to city (Shanghai:
#: WULUMUQI ZHONGLU): there the pinyin stands and ``doubtful`` asks a person.
_OTHER_SPELLING: Final = {
    "内蒙古": "Nei Mongol", "呼和浩特": "Hohhot", "鄂尔多斯": "Ordos", "呼伦贝尔": "Hulun Buir", "海拉尔": "Hailar",
    "乌兰察布": "Ulanqab", "锡林郭勒": "Xilin Gol", "阿拉善": "Alxa", "哈尔滨": "Harbin", "齐齐哈尔": "Qiqihar",
    "拉萨": "Lhasa", "日喀则": "Xigazê", "林芝": "Nyingchi", "昌都": "Qamdo", "那曲": "Nagqu", "乌鲁木齐": "Ürümqi",
    "克拉玛依": "Karamay", "吐鲁番": "Turpan", "喀什": "", "伊犁": "",
}  # fmt: skip
#: What makes a division of such a name.
_DIVISION: Final = re.compile("(?P<name>.{2,4}?)(?P<kind>|市|盟|区|地区|自治区)")
#: Characters whose reading differs from name to name.
_DOUBTFUL: Final = frozenset("长重乐行朝都曾单厦会蚌堡埔圩解尉盖朴仇种任查车率藏曲降涡泊柏番浒荥铅弄六覃区缪省强朱濮")


@lru_cache(maxsize=65536)
def romanise(name: str) -> str:
    """Pinyin of a name; "" where it has no Chinese character, or one whose spelling in Latin letters is not known."""
    if not _HAN.search(name):
        return ""
    words: list[str] = []
    for chunk in _CHUNK.findall(name):
        if not _HAN.match(chunk):
            plain = unicodedata.normalize("NFKD", chunk).encode("ascii", "ignore").decode()
            if len(plain) != len(chunk):
                return ""  # letters of another script
            words.append(plain.upper())
            continue
        syllables = _syllables(chunk)
        if len(syllables) != len(chunk):
            return ""
        division = _DIVISION.fullmatch(chunk)
        if division and (own := _OTHER_SPELLING.get(division["name"])):
            kind = len(division["kind"])
            words += [own.upper(), *([_joined(syllables[-kind:])] if kind else [])]
            continue
        at = 0
        for word in _words(chunk, after_number=bool(words) and words[-1][-1].isdigit()):
            words.append(_joined(syllables[at : at + len(word)]))
            at += len(word)
    return " ".join(words)


def doubtful(name: str) -> str:
    """The characters of a name whose reading, or spelling in Latin letters, a person should check."""
    other = "".join(word for word in _OTHER_SPELLING if word in name)
    unsure = _SURE.sub("", name)
    return "".join(dict.fromkeys(c for c in name if (c in _DOUBTFUL and c in unsure) or c in other))


def _words(chunk: str, *, after_number: bool = False) -> list[str]:
    """Proper names and generics of a run of Chinese characters."""
    out: list[str] = []
    if after_number and (counted := _COUNTED.fullmatch(chunk)):
        out, chunk = [counted[1]], counted[2]
    for whole in _CUT.split(chunk):
        off = _OFF.fullmatch(whole)
        part = off["street"] if off else whole
        found = _GENERIC.fullmatch(part)
        out += [found["head"], found["tail"]] if found else [part]
        out += [off["off"]] if off else []
    return out


def _syllables(chunk: str) -> list[str]:
    """One syllable a character; fewer where a character has no known reading."""
    from pypinyin import lazy_pinyin

    read = lazy_pinyin(chunk, v_to_u=True, errors="ignore")
    if len(read) != len(chunk):
        return []
    for word, reading in _READINGS.items():
        at = chunk.find(word)
        if at >= 0:
            read[at : at + len(word)] = reading.split()
    if len(chunk) > 1 and chunk[-1] == _LANE:
        read[-1] = "long"
    return read


def _joined(syllables: list[str]) -> str:
    word = syllables[0]
    for syllable in syllables[1:]:
        word += f"'{syllable}" if syllable[0] in "aeo" else syllable
    return word.upper()
