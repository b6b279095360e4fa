"""What is wrong with numbers on the ground: the five classes of address mess 地址乱象, as 宜昌 lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MISMATCH: Final = "号址不一"  # the number does not fit its place
SHARED: Final = "一号多址"  # one number at several places
SEVERAL: Final = "多号一址"  # several numbers at one place
NO_NUMBER: Final = "有址无号"  # a place without a number
NO_PLACE: Final = "有号无址"  # a number whose street or place is not there
CLASSES: Final = (MISMATCH, SHARED, SEVERAL, NO_NUMBER, NO_PLACE)


@dataclass(frozen=True)
class Break:
    """One thing wrong with numbers: ``kind`` is one of the five classes, ``reason`` a catalogue code's end."""

    item: int
    kind: str
    reason: str
    value: str = ""
