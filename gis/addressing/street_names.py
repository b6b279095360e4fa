"""Street names as they are compared: width, spaces, traditional characters and a second script do not part them."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from gis.addressing.parsing.variants import SIMPLIFIED, TRADITIONAL

_SIMPLER: Final = str.maketrans(dict(zip(TRADITIONAL, SIMPLIFIED, strict=True)))
_HAN: Final = "\u3400-\u9fff\U00020000-\U0003ffff"
#: 人民路 Renmin Road, 人民路(Renmin Lu): a Chinese name with its transcription after it.
_TRANSCRIBED: Final = re.compile(rf"(.*[{_HAN}][^\sA-Za-z(]*)[\s(/]+[A-Za-z][A-Za-z\s.'’\-]*\)?")
_BETWEEN_HAN: Final = re.compile(rf"(?<=[{_HAN}]) (?=[{_HAN}])")


def plain(name: str) -> str:
    """A name as it is written in addresses: NFKC, no outer or doubled spaces, at most 200 characters."""
    return " ".join(unicodedata.normalize("NFKC", name[:200]).split())


def alike(name: str) -> str:
    """What names of one street have in common: 東風街, 东 风 街 and 东风街 Dongfeng Jie are one; so is any case."""
    clean = plain(name)
    if found := _TRANSCRIBED.fullmatch(clean):
        clean = found[1]
    return _BETWEEN_HAN.sub("", clean.translate(_SIMPLER)).casefold()
