"""Places without residents that may become a dedicated grid 专属网格: which tags, words and uses mean which kind.

The kinds are those of a ruleset's ``dedicated.kinds``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SCHOOL, CAMPUS, HOSPITAL, MALL, MARKET = "school", "campus", "hospital", "mall", "market"
PARK, ENTERPRISE, GOVERNMENT, STATION = "park", "enterprise", "government", "station"

#: OpenStreetMap tags of areas, by key and value.
OF_TAG: Final[dict[tuple[str, str], str]] = {
    ("amenity", "school"): SCHOOL,
    ("amenity", "kindergarten"): SCHOOL,
    ("amenity", "university"): CAMPUS,
    ("amenity", "college"): CAMPUS,
    ("amenity", "hospital"): HOSPITAL,
    ("amenity", "marketplace"): MARKET,
    ("amenity", "townhall"): GOVERNMENT,
    ("shop", "mall"): MALL,
    ("shop", "department_store"): MALL,
    ("leisure", "park"): PARK,
    ("landuse", "industrial"): ENTERPRISE,
}

#: Words of a ``kind`` column: OpenStreetMap values and Chinese.
OF_WORD: Final[dict[str, str]] = {
    **{value: kind for (_, value), kind in OF_TAG.items()},
    "campus": CAMPUS, "mall": MALL, "commercial": MALL, "retail": MALL, "market": MARKET, "park": PARK,
    "enterprise": ENTERPRISE, "business_park": ENTERPRISE, "industrial_park": ENTERPRISE, "works": ENTERPRISE,
    "government": GOVERNMENT, "civic": GOVERNMENT, "station": STATION,
    "学校": SCHOOL, "小学": SCHOOL, "中学": SCHOOL, "幼儿园": SCHOOL, "大学": CAMPUS, "学院": CAMPUS, "校园": CAMPUS,
    "医院": HOSPITAL, "商场": MALL, "商圈": MALL, "市场": MARKET, "公园": PARK, "园区": ENTERPRISE,
    "企业": ENTERPRISE, "产业园": ENTERPRISE, "行政中心": GOVERNMENT, "机关": GOVERNMENT, "车站": STATION,
}  # fmt: skip

#: Uses of buildings (the ``use`` column, OpenStreetMap's ``building``) that mean a kind by themselves.
OF_USE: Final[dict[str, str]] = {
    "school": SCHOOL, "kindergarten": SCHOOL, "university": CAMPUS, "college": CAMPUS, "hospital": HOSPITAL,
    "mall": MALL, "department_store": MALL, "marketplace": MARKET, "industrial": ENTERPRISE, "factory": ENTERPRISE,
    "manufacture": ENTERPRISE, "government": GOVERNMENT, "civic": GOVERNMENT, "train_station": STATION,
    "学校": SCHOOL, "教学楼": SCHOOL, "医院": HOSPITAL, "商场": MALL, "市场": MARKET, "厂房": ENTERPRISE,
}  # fmt: skip


def kind_of_tags(tags: Mapping[str, str]) -> str:
    """The kind that an area's OpenStreetMap tags mean, "" for none."""
    return next((kind for (key, value), kind in OF_TAG.items() if tags.get(key) == value), "")


def kind_of_word(word: str) -> str:
    """The kind that a ``kind`` column's word means, "" for none."""
    return OF_WORD.get(word.strip().lower(), "")
