"""Which language a reader wants: Chinese unless they prefer English."""

from __future__ import annotations

from functools import lru_cache

from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from api import messages


@lru_cache(maxsize=256)
def chosen(asked: str, accepted: str) -> str:
    """By ``?lang=`` where it names one of ours, else by the header ``Accept-Language``."""
    if asked in messages.LANGUAGES:
        return asked
    best = parse_accept_header(accepted, LanguageAccept).best_match(["zh-CN", "zh", "en"], default="zh-CN")
    return "en" if best == "en" else "zh-CN"
