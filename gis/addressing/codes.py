"""Permanent address codes (地址码) and the signed link a plate carries.

A code is 12 random digits and 2 check digits (ISO 7064 MOD 97-10): it holds nothing, so nothing in it can
become wrong. A plate's link is ``https://HOST/d/CODE.KTTTTTTTTTTTTT``: K names the key, T is a 64-bit
truncated HMAC-SHA256 over host, code and K in base32 (RFC 4648). The tag rejects invented and enumerated
codes; it does not protect a resident from a sticker glued over the plate.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from gis.errors import InputError

BODY_DIGITS: Final = 12
CODE_DIGITS: Final = 14
TAG_CHARACTERS: Final = 13
TAG_BYTES: Final = 8
KEY_BYTES: Final = 32

#: Key ids in the order in which keys are made; upper case, so that a link may be typed in any case.
KEY_IDS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

_TAIL = re.compile(r"(\d{14})(?:\.([A-Z0-9])([A-Z2-7]{13}))?")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?|\[[0-9A-Fa-f:]+\](?::\d{1,5})?")
_GAPS = re.compile(r"[\s\-‐-―]+")


class Lots(Protocol):
    """What draws lots: ``random.SystemRandom`` in service, ``random.Random(seed)`` in tests."""

    def randrange(self, start: int, /) -> int:
        """A whole number from 0 up to, not including, ``start``."""


class Verdict(Enum):
    """What a scanned or typed plate text turned out to be."""

    SIGNED = "signed"  # the tag is right: this deployment printed the plate
    TYPED = "typed"  # a code alone, its check digits right
    FORGED = "forged"  # the tag does not belong to this host and code, or its key is unknown
    MISTYPED = "mistyped"  # check digits wrong
    NOT_A_CODE = "not_a_code"


@dataclass(frozen=True)
class Link:
    """A plate's text taken apart; ``key_id`` and ``tag`` are "" for a code typed alone."""

    code: str
    key_id: str = ""
    tag: str = ""


def check_digits(body: str) -> str:
    """The two digits that make ``body + digits`` leave 1 when divided by 97."""
    return f"{98 - int(body) * 100 % 97:02d}"


def is_code(text: str) -> bool:
    """Whether 14 ASCII digits carry the right check digits."""
    return len(text) == CODE_DIGITS and text.isascii() and text.isdigit() and int(text) % 97 == 1


def printed(code: str) -> str:
    """A code as plates show it: ``1234 5678 9012 34``."""
    return " ".join(code[i : i + 4] for i in range(0, CODE_DIGITS, 4))


def new_codes(count: int, rng: Lots, existing: Collection[str] = ()) -> list[str]:
    """Draw codes that differ from each other and from every existing one.

    ``existing`` should be a set; the draw is repeated on a collision, which ends as long as fewer than
    half of the 10^12 codes are taken.
    """
    taken = existing if isinstance(existing, set | frozenset) else set(existing)
    if len(taken) + count > 10**BODY_DIGITS // 2:
        raise InputError("codes.exhausted", count=count)
    made: dict[str, None] = {}
    while len(made) < count:
        body = f"{rng.randrange(10**BODY_DIGITS):012d}"
        code = body + check_digits(body)
        if code not in taken:
            made[code] = None
    return list(made)


def normal_host(host: str) -> str:
    """The host as it is signed and printed: lower case, a port kept; raises InputError for anything else."""
    if not _HOST.fullmatch(host):
        raise InputError("codes.host", host=host)
    return host.lower()


def tag_of(host: str, code: str, key_id: str, secret: bytes) -> str:
    """The 13 base32 characters that bind a code to a host and a key."""
    message = f"{host.lower()}\n{code}\n{key_id}".encode()
    digest = hmac.new(secret, message, hashlib.sha256).digest()
    return base64.b32encode(digest[:TAG_BYTES]).decode().rstrip("=")


def plate_url(host: str, code: str, key_id: str, secret: bytes) -> str:
    """The link a plate's QR holds."""
    if not is_code(code):
        raise InputError("codes.code", value=code)
    if len(key_id) != 1 or key_id not in KEY_IDS:
        raise InputError("codes.key_id", value=key_id)
    host = normal_host(host)
    return f"https://{host}/d/{code}.{key_id}{tag_of(host, code, key_id, secret)}"


def parse(text: str) -> Link | None:
    """Take apart what was scanned or typed: a link, its last part, or a code with or without gaps.

    Full-width digits and any case are read. None when it cannot be a code at all; check digits and tag are
    judged by ``verify``.
    """
    wanted = unicodedata.normalize("NFKC", text[:300]).strip()
    tail = re.split(r"/d/", wanted)[-1].split("?")[0].split("#")[0].rstrip("/")
    found = _TAIL.fullmatch(_GAPS.sub("", tail).upper())
    return Link(found[1], found[2] or "", found[3] or "") if found else None


def verify(text: str, *, host: str, secrets: Mapping[str, bytes]) -> tuple[Verdict, str]:
    """Judge a scanned or typed text against every key ever used, retired ones included.

    ``secrets`` maps key id to secret. Returns the verdict and the code ("" where there is none). Comparison
    takes the same time wherever the tags differ, and an unknown key costs as much as a known one.
    """
    link = parse(text)
    if link is None:
        return Verdict.NOT_A_CODE, ""
    if not link.key_id:
        return (Verdict.TYPED if is_code(link.code) else Verdict.MISTYPED), link.code
    expected = tag_of(host, link.code, link.key_id, secrets.get(link.key_id, b"\0" * KEY_BYTES))
    right = hmac.compare_digest(expected, link.tag) and link.key_id in secrets and is_code(link.code)
    return (Verdict.SIGNED if right else Verdict.FORGED), link.code


def next_key_id(used: Collection[str]) -> str:
    """The id of the next key; raises InputError when all 36 are used."""
    for key_id in KEY_IDS:
        if key_id not in used:
            return key_id
    raise InputError("codes.keys_exhausted", count=len(KEY_IDS))
