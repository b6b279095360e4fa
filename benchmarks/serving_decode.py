"""Just enough of a vector tile's format to say what is in it: features with their properties, layer by layer."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from typing import Any


def content(tile: bytes) -> Counter[tuple[Any, ...]]:
    """Features of a tile by what they say: kind of geometry and every property that says something, sorted."""
    found: Counter[tuple[Any, ...]] = Counter()
    for number, layer in _fields(tile):
        if number == 3:
            found.update(_features(layer))
    return found


def _features(layer: bytes) -> Iterator[tuple[Any, ...]]:
    keys, values, features = [], [], []
    for number, value in _fields(layer):
        if number == 2:
            features.append(value)
        elif number == 3:
            keys.append(value.decode())
        elif number == 4:
            values.append(_value(value))
    for feature in features:
        parts = dict(_fields(feature))
        tags = list(_varints(parts.get(2, b"")))
        said = {keys[k]: values[v] for k, v in zip(tags[::2], tags[1::2], strict=True)}
        yield (parts.get(3, 0), *sorted((k, v) for k, v in said.items() if v not in ("", None)))


def _value(data: bytes) -> Any:
    for number, value in _fields(data):
        if number == 1:
            return value.decode()
        if number == 2:
            return struct.unpack("<f", value)[0]
        if number == 3:
            return struct.unpack("<d", value)[0]
        if number == 4:
            return value - (1 << 64) if value >> 63 else value
        if number == 6:
            return (value >> 1) ^ -(value & 1)
        return bool(value) if number == 7 else value
    return None


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        size = {1: 8, 5: 4}.get(kind)
        if size is None:
            size, at = _varint(data, at)
        yield key >> 3, data[at : at + size]
        at += size


def _varints(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        yield value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
