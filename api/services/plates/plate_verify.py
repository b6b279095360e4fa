"""Plates judged by a signed list: nothing here needs a database or a network."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from gis.addressing import signed_list
from gis.addressing.signed_list import Checked, SignedList
from gis.errors import InputError
from gis.locate import datums


def read_file(file: Path, key: str) -> SignedList:
    """A list from a file, its signature checked; needs no database and no network."""
    public = signed_list.key_of(key)
    try:
        data = file.read_bytes()
    except OSError:
        raise InputError("input.missing_file", file=str(file)) from None
    return signed_list.read(data, public)


def check(
    known: SignedList,
    texts: Iterable[str],
    *,
    position: tuple[float, float] | None = None,
    crs: str | None = None,
    accuracy: float = 0.0,
) -> list[Checked]:
    """Judge scanned or typed texts by a list; ``position`` is in a datum that must be named."""
    place = None
    if position is not None:
        lon, lat = datums.to_wgs84(np.array([position[0]]), np.array([position[1]]), datums.parse(crs))
        if not (np.isfinite(lon[0]) and np.isfinite(lat[0])):
            raise InputError("life.position", lon=position[0], lat=position[1], crs=crs)
        place = float(lon[0]), float(lat[0])
    return [known.check(text, place, accuracy) for text in texts]
