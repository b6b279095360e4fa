"""The list of plates that staff carry, signed (Ed25519), so that a plate can be judged with no network at hand.

A file is UTF-8 text, one JSON value a line:

1. the head: ``{"format": "wangge-plates", "version": 1, "territory", "hosts", "made", "key", "records"}``;
2. one array an address: ``[code, state, into, links, lon, lat, radius, text]``: ``state`` issued, revoked, merged or
   split; ``into`` the codes that took its place; ``links`` pairs ``[digest, state of the plate]``; the building's
   centre in WGS84 degrees and the metres from there to its farthest corner; the address's text;
3. ``{"signature": …}``: Ed25519 over every byte before this line, base64.

``digest`` is the first 16 bytes of SHA-256 over ``HOST/d/CODE.KTAG``, base64url without padding. It tells a printed
link from an invented one and gives no tag away: whoever finds a list cannot print plates from it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gis.addressing import codes
from gis.addressing.life import nearness
from gis.errors import InputError

FORMAT: Final = "wangge-plates"
VERSION: Final = 1
#: Verdicts under which a plate speaks for its address.
GOOD: Final = frozenset({"genuine", "typed", "merged"})
_DIGEST_BYTES: Final = 16
_EARTH: Final = 6_371_008.8


@dataclass(frozen=True)
class Record:
    """One address of a list; ``links`` are (digest, state) of its plates, the newest last."""

    code: str
    state: str
    into: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    lon: float
    lat: float
    radius: float
    text: str


@dataclass(frozen=True)
class Checked:
    """What a list says of a scanned or typed text.

    ``verdict``: ``genuine``, ``typed`` (a code alone), ``merged``, ``split``, ``revoked``, ``lost``, ``replaced``,
    ``forged`` (the tag is not that of a plate printed), ``other_host``, ``unknown`` (not in the list: invented, of
    another territory, or printed later), ``mistyped`` or ``not_a_code``. ``nearness`` compares a position with the
    building (``distance`` metres from it), "" where none was given.
    """

    verdict: str
    code: str = ""
    text: str = ""
    into: tuple[str, ...] = ()
    distance: float | None = None
    nearness: str = ""

    @property
    def good(self) -> bool:
        """Whether the plate speaks for its address and is not seen away from it."""
        return self.verdict in GOOD and self.nearness != "far"


@dataclass(frozen=True)
class SignedList:
    """A list whose signature was found right. ``made`` is the moment it was made (ISO 8601)."""

    territory: str
    hosts: tuple[str, ...]
    made: str
    records: Mapping[str, Record]

    def check(self, text: str, position: tuple[float, float] | None = None, accuracy: float = 0.0) -> Checked:
        """Judge a scanned or typed text; ``position`` is WGS84 (lon, lat), ``accuracy`` in metres."""
        link = codes.parse(text)
        if link is None:
            return Checked("not_a_code")
        if not codes.is_code(link.code):
            return Checked("mistyped", link.code)
        host = _host_of(text)
        if host is not None and host not in self.hosts:
            return Checked("other_host", link.code)
        record = self.records.get(link.code)
        if record is None:
            return Checked("unknown", link.code)
        verdict = self._verdict(record, link, host)
        metres, near = _near(record, position, accuracy)
        return Checked(verdict, link.code, record.text, record.into, metres, near)

    def _verdict(self, record: Record, link: codes.Link, host: str | None) -> str:
        if link.key_id:
            tail = f"{link.code}.{link.key_id}{link.tag}"
            wanted = {digest(h, tail) for h in ((host,) if host else self.hosts)}
            states = [state for known, state in record.links if known in wanted]
            if not states:
                return "forged"
            if record.state == "split":
                return "split"
            if states[-1] in ("lost", "replaced", "revoked"):
                return states[-1]
        if record.state in ("revoked", "merged", "split"):
            return record.state
        return "genuine" if link.key_id else "typed"


def digest(host: str, tail: str) -> str:
    """What stands in a list for a printed link (its host and what follows ``/d/``)."""
    made = hashlib.sha256(f"{host}/d/{tail}".encode()).digest()[:_DIGEST_BYTES]
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def public_of(secret: bytes) -> bytes:
    """The public key (32 bytes) of a secret one (32 random bytes)."""
    return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def key_text(public: bytes) -> str:
    """A public key as it is handed out: 43 characters."""
    return base64.urlsafe_b64encode(public).decode().rstrip("=")


def key_of(text: str) -> bytes:
    """A public key from its text; raises InputError ``list.key``."""
    try:
        found = base64.urlsafe_b64decode(text.strip() + "=")
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != 32:
        raise InputError("list.key", value=text[:60])
    return found


def write(records: Iterable[Record], *, territory: str, hosts: Sequence[str], made: str, secret: bytes) -> bytes:
    """The bytes of a signed list."""
    rows = [
        _line([r.code, r.state, r.into, r.links, round(r.lon, 7), round(r.lat, 7), round(r.radius, 1), r.text])
        for r in records
    ]
    head = {
        "format": FORMAT, "version": VERSION, "territory": territory, "hosts": list(hosts), "made": made,
        "key": key_text(public_of(secret)), "records": len(rows),
    }  # fmt: skip
    body = (_line(head) + "".join(rows)).encode()
    signature = Ed25519PrivateKey.from_private_bytes(secret).sign(body)
    return body + _line({"signature": base64.b64encode(signature).decode()}).encode()


def read(data: bytes, public: bytes) -> SignedList:
    """A list, its signature checked against a public key got elsewhere than from the file.

    Raises InputError: ``list.signature`` for bytes that this key did not sign, ``list.damaged``, ``list.version``.
    """
    body, _, last = data.rstrip(b"\n").rpartition(b"\n")
    body += b"\n"
    try:
        signature = base64.b64decode(json.loads(last)["signature"], validate=True)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError("list.damaged") from None
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, body)
    except InvalidSignature:
        raise InputError("list.signature") from None
    head, *rows = body.decode().rstrip("\n").split("\n")
    told = json.loads(head)
    if told.get("format") != FORMAT or told.get("version") != VERSION:
        raise InputError("list.version", found=told.get("version"), known=VERSION)
    records = {r.code: r for r in map(_record, rows)}
    return SignedList(told["territory"], tuple(told["hosts"]), told["made"], records)


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def _record(line: str) -> Record:
    code, state, into, links, lon, lat, radius, text = json.loads(line)
    return Record(code, state, tuple(into), tuple((d, s) for d, s in links), lon, lat, radius, text)


def _host_of(text: str) -> str | None:
    """The host of a scanned link as plates sign it; None for a code without one, "" for one that cannot be ours."""
    if "/d/" not in text:
        return None
    wanted = text.strip()
    try:
        found = urlsplit(wanted if "//" in wanted else "https://" + wanted).netloc.lower()
    except ValueError:
        return ""
    return found


def _near(record: Record, position: tuple[float, float] | None, accuracy: float) -> tuple[float | None, str]:
    if position is None:
        return None, ""
    metres = max(_metres(position, (record.lon, record.lat)) - record.radius, 0.0)
    return metres, nearness(metres, accuracy)


def _metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Metres along the earth between two positions in degrees."""
    (lon0, lat0), (lon1, lat1) = (tuple(map(math.radians, p)) for p in (one, other))
    half = math.sin((lat1 - lat0) / 2) ** 2 + math.cos(lat0) * math.cos(lat1) * math.sin((lon1 - lon0) / 2) ** 2
    return 2 * _EARTH * math.asin(math.sqrt(min(half, 1.0)))
