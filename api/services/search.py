"""One search box: a plate code, a grid's code or name, a street, a compound, an address or a coordinate."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import urlencode

import numpy as np

from api.answers import Found, FoundList
from api.services.published import Published, degrees
from data.postgres.features import read_search
from data.postgres.features.read_search import Hit
from gis.addressing import codes

#: Two numbers, longitude first as everywhere here; ``,`` or blank between them.
_PAIR: Final = re.compile(r"\s*(-?\d{1,3}(?:\.\d+)?)\s*[,;\s]\s*(-?\d{1,3}(?:\.\d+)?)\s*")
#: Most hits that may be passed over: who looks for more narrows the text.
_DEEPEST: Final = 1000
_ORDER: Final = {"plate": 0, "coordinate": 0, "grid": 1, "community": 2, "street": 3, "compound": 4, "address": 5}


def search(published: Published, q: str, territory: int | None = None, limit: int = 10, after: int = 0) -> FoundList:
    """What a typed text may mean, best first: ``limit`` hits behind the first ``after``. Only what is published."""
    wanted = "".join(c for c in unicodedata.normalize("NFKC", q) if c.isprintable()).strip()
    if not wanted:
        return FoundList([])
    with published.reading() as connection:
        infos = published.in_force(connection)
        territories = [i.territory for i in infos if territory in (None, i.territory)]
        publications = [i.publication for i in infos]
        link = codes.parse(wanted)
        if link is not None:
            hits = read_search.by_code(connection, link.code, territories, publications)
            return FoundList([_found(h, "plate") for h in hits][after:])
        hits = read_search.by_text(connection, wanted, territories, publications, after + limit + 1)
    exact = [h for h in hits if h.label == wanted]
    rest = [h for h in hits if h.label != wanted]
    # the best of each kind first, so that one kind does not push the others off the list
    rank: dict[str, int] = {}
    keyed = []
    for h in rest:
        rank[h.kind] = rank.get(h.kind, -1) + 1
        keyed.append((rank[h.kind] // 3, _ORDER[h.kind], rank[h.kind], h))
    ordered = exact + [k[3] for k in sorted(keyed, key=lambda k: k[:3])]
    found = _coordinate(wanted) + [_found(h) for h in ordered[: after + limit + 1]]
    return FoundList(found[after : after + limit], _next(q, territory, limit, after, len(found)))


def _next(q: str, territory: int | None, limit: int, after: int, found: int) -> str | None:
    """Address of the page behind this one; none behind the deepest that may be asked for."""
    if found <= after + limit or after + limit > _DEEPEST:
        return None
    of = {} if territory is None else {"territory": territory}
    return f"/api/search?{urlencode({'q': q, **of, 'limit': limit, 'after': after + limit})}"


def _coordinate(wanted: str) -> list[Found]:
    match = _PAIR.fullmatch(wanted)
    if match is None:
        return []
    a, b = float(match[1]), float(match[2])
    if abs(b) > 90.0 >= abs(a):  # latitude first, as many people write: unmistakable here
        a, b = b, a
    if abs(a) > 180.0 or abs(b) > 90.0:
        return []
    return [Found("coordinate", f"{a:g}, {b:g}", "WGS84", a, b)]


def _found(hit: Hit, kind: str | None = None) -> Found:
    lon, lat = degrees(np.array([hit.x]), np.array([hit.y]))
    return Found(
        kind or hit.kind,  # type: ignore[arg-type]  # the queries name their kinds as text
        hit.label,
        codes.printed(hit.code) if kind == "plate" else hit.detail,
        round(float(lon[0]), 7),
        round(float(lat[0]), 7),
        hit.territory,
        hit.grid_id,
        f"/d/{hit.code}" if hit.code else None,
    )
