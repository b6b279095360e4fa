"""Features of what is published: pages, single features, counts. Drafts are read for those who may see them only.

What is in force is remembered and checked by every page's own question, so a page takes one question to the database
and is never older than that. Counts, rows and pages are kept under the mark of the state they were made in. A service
that hears of every change (``api.services.watch``) knows that the state is still the same without asking.
"""

from __future__ import annotations

import hashlib
import struct
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec
from isal import isal_zlib
from msgspec import Raw
from sqlalchemy import Engine

from api.feature_answers import Feature, Link
from api.services.features.feature_questions import Question, Wanted, checked_id, collection_of, wanted
from api.services.features.feature_rows import LARGEST, Sheets, packed, size
from api.services.watch import Watch
from api.version import VERSION
from data.postgres.features import read_feature_rows, read_features
from data.postgres.features.feature_collections import COLLECTIONS, Collection
from data.postgres.features.read_features import TODAY, Days, Reader, Row, Scope, State
from data.postgres.features.read_pool import ReadPool
from gis.errors import ConflictError, NotFoundError
from gis.features import references
from gis.features.references import Reference

_T = TypeVar("_T")
_TYPES: Final = {"text": str, "integer": int, "number": float, "boolean": bool, "date": Any}
#: Bytes of single features that are remembered.
_ONES: Final = 8 << 20
#: Nothing of a territory lies farther outside of its own bounds, in metres of EPSG:3857.
_BEYOND: Final = 10_000.0
#: More features than this are not all looked for again once they are counted.
MANY: Final = 5_000
_ENCODE: Final = msgspec.json.Encoder().encode
_HEAD: Final = b'{"type":"FeatureCollection","features":'
#: The ten bytes before a body of RFC 1952: no name, no time.
_GZIP: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


class Packed:
    """The features of a page as a JSON array, with what is made of it once."""

    def __init__(self, plain: bytes) -> None:
        self.plain = plain
        self._squeezed: tuple[bytes, int] | None = None

    @property
    def squeezed(self) -> tuple[bytes, int]:
        """The head of an answer and the array as whole blocks of DEFLATE, and their CRC: an end may be added."""
        if self._squeezed is None:
            body = _HEAD + self.plain
            press = isal_zlib.compressobj(1, isal_zlib.DEFLATED, -zlib.MAX_WBITS)
            done = press.compress(body) + press.flush(isal_zlib.Z_FULL_FLUSH)
            self._squeezed = done, isal_zlib.crc32(body)
        return self._squeezed


@dataclass(frozen=True)
class Page:
    """A page: its features as a JSON array, how many there are in all, and where the next begins (None: nowhere).

    ``mark`` changes with everything a reader could see; "" where it may not be relied on.
    """

    features: Packed
    returned: int
    matched: int
    following: str | None
    mark: str


class Kept:
    """The latest answers under their keys, bounded in bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._held: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable) -> Any | None:
        """What is kept under a key."""
        with self._lock:
            found = self._held.get(key)
            if found is None:
                return None
            self._held.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: Any, size: int) -> None:
        """Keep a value; the longest unused ones go when there is no room."""
        with self._lock:
            self._bytes += size - self._held.pop(key, (None, 0))[1]
            self._held[key] = (value, size)
            while self._bytes > self._limit and self._held:
                self._bytes -= self._held.popitem(last=False)[1][1]


class Features:
    """Reads features; safe to share between threads.

    ``keep_bytes`` bounds the pages that are kept, ``sheet_bytes`` what is held of each collection's rows.
    """

    def __init__(
        self, engine: Engine, keep_bytes: int = 16 << 20, watch: Watch | None = None, sheet_bytes: int = 32 << 20
    ) -> None:
        self._pool = ReadPool(engine)
        self._watch = watch
        self._states = Kept(256)  # each counts one
        self._counts = Kept(4096)
        self._pages = Kept(keep_bytes)
        self._ones = Kept(_ONES)
        self.sheets = Sheets(sheet_bytes)

    def mark(self, question: Question) -> str:
        """Mark of the present state; "" where no answer to the question may be kept."""
        collection = COLLECTIONS[question.collection]
        if not collection.owner:
            return ""
        known = self._known_state(collection, question.days)
        if known is not None:
            return known.mark
        return self._pool.read(lambda c: read_features.mark(c, question.days, collection))

    def _known_state(self, collection: Collection, days: Days) -> State | None:
        """The state, where nothing can have changed since it was read."""
        held: tuple[int, State] | None = self._states.get((collection.name, days))
        if held is None or self._watch is None or not self._watch.fresh(held[0]):
            return None
        return held[1]

    def state(self, days: Days = TODAY) -> State:
        """What is in force, asked of the database."""
        return self._pool.read(lambda c: read_features.state(c, days))

    def page(self, question: Question) -> Page:
        """A page of a collection; raises InputError where its filter asks for what is not there."""
        meant = wanted(question)
        collection = COLLECTIONS[question.collection]
        if not collection.owner:
            scopes = (read_features.whole(question.days),)
            return self._pool.read(lambda c: self._made(c, question, meant, State("", scopes))[1])
        state = self._known_state(collection, question.days)
        if state is None:
            state = self._pool.read(lambda c: self._present_state(c, collection, question.days))
        kept: Page | None = self._pages.get((state.mark, question))
        return kept or self._of_sheet(question, meant, state) or self._of_database(question, meant, state)

    def _of_database(self, question: Question, meant: Wanted, state: State) -> Page:
        collection = COLLECTIONS[question.collection]

        def ask(connection: Reader) -> Page:
            now = state
            for _ in range(3):
                mark, page = self._made(connection, question, meant, now)
                if mark == now.mark:
                    self._keep(question, page)
                    return page
                now = self._present_state(connection, collection, question.days)
            raise ConflictError("features.moving")

        return self._pool.read(ask)

    def _keep(self, question: Question, page: Page) -> None:
        self._pages.put((page.mark, question), page, 2 * len(page.features.plain) + 500)

    def _present_state(self, connection: Reader, collection: Collection, days: Days) -> State:
        """The state, asked of the database; read anew where it is another."""
        epoch = self._watch.epoch if self._watch is not None else 0
        held: tuple[int, State] | None = self._states.get((collection.name, days))
        if held is not None and held[1].mark == read_features.mark(connection, days, collection):
            state = held[1]
        else:
            state = read_features.state(connection, days, collection)
        self._states.put((collection.name, days), (epoch, state), 1)
        return state

    def _of_sheet(self, question: Question, meant: Wanted, state: State) -> Page | None:
        """A page from what is in memory, for a state that holds; None where the database has to answer."""
        plain = question.days == TODAY and not meant.conditions.joined and _stored(question.crs) is None
        if not plain or question.limit > LARGEST:
            return None
        collection = COLLECTIONS[question.collection]
        sheet = self.sheets.sheet(
            collection.name, state,
            lambda scope, most: self._pool.read(lambda c: read_feature_rows.boxes(c, collection, scope, most)),
        )  # fmt: skip
        found = None if sheet is None else sheet.page(
            meant.places, question.after, question.limit, lambda scope, keys: self._rows(collection, scope, keys)
        )  # fmt: skip
        if found is None:
            return None
        following = f"{found.rows[-1][0].territory}.{found.rows[-1][1].key}" if found.more else None
        body = Packed(_ENCODE(features([row for _, row in found.rows], question.crs)))
        page = Page(body, len(found.rows), found.matched, following, state.mark)
        self._keep(question, page)
        return page

    def _rows(self, collection: Collection, scope: Scope, keys: list[Any]) -> tuple[str, list[Row]]:
        make = PROPERTIES[collection.name]
        mark, rows = self._pool.read(lambda c: read_feature_rows.rows(c, collection, scope, keys, make))
        return mark, [packed(row) for row in rows]

    def _made(self, connection: Reader, question: Question, meant: Wanted, state: State) -> tuple[str, Page]:
        """Mark of the state in which the rows were read, and the page."""
        collection = COLLECTIONS[question.collection]
        scopes = [s for s in state.scopes if meant.bounds is None or _near(s.bounds, meant.bounds)]
        srid = _stored(question.crs)
        rows: list[tuple[Scope, Row]] = []
        mark = state.mark
        counts = self._known(question, state)
        for scope in scopes:
            after = question.after
            if after is not None and scope.territory < after[0]:
                continue
            key = after[1] if after is not None and scope.territory == after[0] else None
            mark, count, found = read_features.page(
                connection, collection, scope, meant.conditions, PROPERTIES[collection.name], srid=srid, after=key,
                limit=question.limit + 1 - len(rows), days=question.days, drafts=question.drafts,
                many=counts.get(scope.territory, 0) > MANY,
            )  # fmt: skip
            if count is not None:
                counts[scope.territory] = count
            rows += [(scope, r) for r in found]
            if mark != state.mark and collection.owner:
                return mark, Page(Packed(b""), 0, 0, None, mark)
            if len(rows) > question.limit:
                break
        else:
            if not rows and collection.owner:  # no page was asked for that would have told
                mark = read_features.mark(connection, question.days, collection)
        following = None
        if len(rows) > question.limit:
            del rows[question.limit :]
            scope, last = rows[-1]
            following = f"{scope.territory}.{last.key}"
        for scope in scopes:
            if scope.territory not in counts:
                counts[scope.territory] = read_features.count(
                    connection, collection, scope, meant.conditions, drafts=question.drafts
                )
        if mark == state.mark and mark:
            self._counts.put((mark, question.matching), counts, 1)
        matched = sum(counts[s.territory] for s in scopes)
        body = _ENCODE(features([r for _, r in rows], question.crs))
        return mark, Page(Packed(body), len(rows), matched, following, state.mark)

    def _known(self, question: Question, state: State) -> dict[int, int]:
        """Counts by territory that are known of a state."""
        known: dict[int, int] | None = self._counts.get((state.mark, question.matching)) if state.mark else None
        return dict(known or {})

    def one(
        self,
        name: str,
        feature: str,
        crs: Reference,
        days: Days,
        links: Callable[[str], tuple[Link, ...]],
        *,
        drafts: bool,
    ) -> bytes:
        """One feature as JSON, with the links made for its id; NotFoundError where there is none."""
        collection = collection_of(name)
        missing = NotFoundError("features.feature", collection=name, id=feature[:60])
        try:
            wanted_id = str(checked_id(feature, collection.id_kind))
        except ValueError:
            raise missing from None
        row = self._row(collection, wanted_id, _stored(crs), days, drafts=drafts)
        if row is None:
            raise missing
        (found,) = features([row], crs, links(str(row.id)))
        return _ENCODE(found)

    def _row(self, collection: Collection, feature: str, srid: int | None, days: Days, *, drafts: bool) -> Row | None:
        """One feature as the database has it, remembered while nothing changes."""
        key = (collection.name, feature, srid, days)
        kept: tuple[int, Row] | None = None if drafts else self._ones.get(key)
        if kept is not None and self._watch is not None and self._watch.fresh(kept[0]):
            return kept[1]
        epoch = self._watch.epoch if self._watch is not None else 0
        make = PROPERTIES[collection.name]
        row = self._pool.read(
            lambda c: read_features.one(c, collection, feature, make, srid=srid, days=days, drafts=drafts)
        )
        if row is not None and not drafts and collection.owner:
            row = packed(row)
            self._ones.put(key, (epoch, row), size(row))
        return row


def body_of(page: Page, links: list[Link], gzipped: bool) -> bytes:
    """The whole answer; gzipped, only its end is compressed anew."""
    tail = b"".join(
        (
            b',"numberMatched":%d,"numberReturned":%d,"links":' % (page.matched, page.returned),
            _ENCODE(links),
            b"}",
        )
    )
    if not gzipped:
        return b"".join((_HEAD, page.features.plain, tail))
    body, crc = page.features.squeezed
    press = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    size = len(_HEAD) + len(page.features.plain) + len(tail)
    return b"".join(
        (
            _GZIP,
            body,
            press.compress(tail),
            press.flush(),
            struct.pack("<LL", zlib.crc32(tail, crc), size & 0xFFFFFFFF),
        )
    )


def tag_of(mark: str, url: str, gzipped: bool) -> str:
    """ETag of an answer: the state, the question as it was written, and the form of the body; "" without a mark."""
    if not mark:
        return ""
    return hashlib.sha256(repr((VERSION, mark, url, gzipped)).encode()).hexdigest()[:24]


def headers_of(crs: str, tag: str, gzipped: bool) -> list[tuple[str, str]]:
    """Headers of features in a CRS (URI) beside those of any answer; without a tag nobody may keep them."""
    made = [("Content-Crs", f"<{crs}>"), ("Vary", "Accept-Encoding, Authorization")]
    if tag:
        made += [("ETag", f'"{tag}"'), ("Cache-Control", "no-cache")]
    else:
        made.append(("Cache-Control", "private, no-store"))
    if gzipped:
        made.append(("Content-Encoding", "gzip"))
    return made


def features(rows: list[Row], crs: Reference, links: tuple[Link, ...] = ()) -> list[Feature]:
    """Rows as GeoJSON in a CRS."""
    from gis.features import geojson  # with numba: a worker starts without waiting for it

    mercator = _stored(crs) is None and crs.degrees
    shapes = geojson.geometries(
        [r.wkb for r in rows],
        mercator=mercator,
        decimals=geojson.DEGREES if crs.degrees else geojson.METRES,
        swap=crs.swap,
    )
    return [Feature("Feature", r.id, Raw(shape), r.properties, links) for r, shape in zip(rows, shapes, strict=True)]


def _stored(crs: Reference) -> int | None:
    """CRS to ask the database for; None where what is stored for tiles is only to be written differently."""
    return None if crs.srid == references.MERCATOR or crs.srid in references.DEGREES else crs.srid


def _near(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    """Houses on its edge reach out of a territory."""
    return a[0] - _BEYOND <= b[2] and a[2] + _BEYOND >= b[0] and a[1] - _BEYOND <= b[3] and a[3] + _BEYOND >= b[1]


def _properties(collection: Collection) -> type[msgspec.Struct]:
    """A struct of a collection's properties, in order."""
    columns = [(f.name, _TYPES[f.kind] | None if f.kind != "date" else Any) for f in collection.fields]
    return msgspec.defstruct(f"{collection.name.title()}Properties", columns, frozen=True, gc=False)


PROPERTIES: Final = {name: _properties(collection) for name, collection in COLLECTIONS.items()}
