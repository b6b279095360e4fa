"""PMTiles 3 archives of vector tiles: one file for offline use or an object store, read by ranges.

Tiles are written in the order of their ids (Hilbert's curve, zoom by zoom), equal ones once: a clustered archive.
Format: https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import struct
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from gis.tiles.columns import varint
from gis.tiles.pyramid import tile_id

#: The header and the root directory together lie in the first 16 KiB, which readers fetch at once.
_HEADER: Final = 127
_ROOM: Final = 16_384 - _HEADER
_GZIP, _MVT = 2, 1
_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class About:
    """What the archive says of itself. ``bounds``: west, south, east, north; ``center``: lon, lat, zoom (degrees)."""

    bounds: tuple[float, float, float, float]
    center: tuple[float, float, int]
    minzoom: int
    maxzoom: int
    metadata: Mapping[str, Any]


@dataclass
class _Entry:
    id: int
    run: int
    length: int
    offset: int


def write(path: Path, tiles: Iterable[tuple[tuple[int, int, int], bytes]], about: About) -> int:
    """Write an archive of tiles (z/x/y, body not compressed) and return how many tiles it holds.

    Tiles must come in the order of ``tile_id``; empty ones are left out. The file appears when it is complete.
    """
    entries: list[_Entry] = []
    known: dict[bytes, tuple[int, int]] = {}
    held = 0
    folder = path.resolve().parent
    with tempfile.TemporaryFile(dir=folder) as body:
        for place, raw in tiles:
            if not raw:
                continue
            held += 1
            number, digest = tile_id(*place), hashlib.sha256(raw).digest()
            if entries and number <= entries[-1].id:
                raise ValueError(f"tile {place} is out of order")
            if digest not in known:
                packed = gzip.compress(raw, 9, mtime=0)
                known[digest] = body.tell(), len(packed)
                body.write(packed)
            _add(entries, number, *known[digest])
        size = body.tell()
        body.seek(0)
        root, leaves = _directories(entries)
        metadata = gzip.compress(json.dumps(about.metadata, ensure_ascii=False).encode(), 9, mtime=0)
        head = _header(about, len(root), len(metadata), len(leaves), size, (held, len(entries), len(known)))
        _put(path, (head, root, metadata, leaves), body)
    return held


def _add(entries: list[_Entry], number: int, offset: int, length: int) -> None:
    """An entry more, or a longer run of the last one."""
    last = entries[-1] if entries else None
    if last is not None and last.offset == offset and last.id + last.run == number:
        last.run += 1
    else:
        entries.append(_Entry(number, 1, length, offset))


def _put(path: Path, parts: Iterable[bytes], body: IO[bytes]) -> None:
    """Write beside the place and rename."""
    handle, name = tempfile.mkstemp(dir=path.resolve().parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            for part in parts:
                out.write(part)
            while chunk := body.read(_CHUNK):
                out.write(chunk)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _directories(entries: list[_Entry]) -> tuple[bytes, bytes]:
    """The root directory and all leaves; small archives need none."""
    root = _directory(entries)
    if len(root) <= _ROOM:
        return root, b""
    size = 4096
    while True:
        leaves, pointers = bytearray(), []
        for k in range(0, len(entries), size):
            leaf = _directory(entries[k : k + size])
            pointers.append(_Entry(entries[k].id, 0, len(leaf), len(leaves)))
            leaves += leaf
        root = _directory(pointers)
        if len(root) <= _ROOM:
            return root, bytes(leaves)
        size *= 2


def _directory(entries: list[_Entry]) -> bytes:
    """Columns: differences of ids, runs (0: a leaf), lengths, offsets (0: right behind the one before)."""
    out = bytearray(varint(len(entries)))
    last = 0
    for e in entries:
        out += varint(e.id - last)
        last = e.id
    for e in entries:
        out += varint(e.run)
    for e in entries:
        out += varint(e.length)
    end = -1
    for e in entries:
        out += varint(0 if e.offset == end else e.offset + 1)
        end = e.offset + e.length
    return gzip.compress(bytes(out), 9, mtime=0)


def _header(about: About, root: int, metadata: int, leaves: int, body: int, counts: tuple[int, int, int]) -> bytes:
    starts = [_HEADER, _HEADER + root, _HEADER + root + metadata, _HEADER + root + metadata + leaves]
    lengths = (root, metadata, leaves, body)
    places = [v for pair in zip(starts, lengths, strict=True) for v in pair]
    degrees = [round(v * 1e7) for v in about.bounds]
    lon, lat, zoom = about.center
    flags = (1, _GZIP, _GZIP, _MVT, about.minzoom, about.maxzoom)  # clustered
    return struct.pack(
        "<7sB8Q3Q6B4iB2i", b"PMTiles", 3, *places, *counts, *flags, *degrees, zoom, round(lon * 1e7), round(lat * 1e7)
    )
