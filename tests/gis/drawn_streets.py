"""Streets and buildings drawn by hand for tests of addressing."""

import numpy as np
from shapely import LineString, Point, box

from gis.addressing.doors import Doors
from gis.territory.model import Areas, Buildings, Streets


def texts(values):
    return np.array(list(values), dtype=object)


def streets(*pieces):
    """``pieces``: (name, points)."""
    n = len(pieces)
    off = np.zeros(n, dtype=bool)
    return Streets(
        np.array([LineString(p) for _, p in pieces], dtype=object), texts(f"w{k}" for k in range(n)),
        texts(["residential"] * n), texts(name for name, _ in pieces), off, off, off, np.zeros(n, dtype=np.int64),
        texts([""] * n), texts([""] * n),
    )  # fmt: skip


def buildings(*rows):
    """``rows``: (geometry, {field: value})."""
    n = len(rows)

    def text(field):
        return texts(row[1].get(field, "") for row in rows)

    nan = np.full(n, np.nan)
    return Buildings(
        np.array([row[0] for row in rows], dtype=object), texts(f"b{k:03}" for k in range(n)), text("use"),
        text("name"), text("housenumber"), text("street"), nan, nan, nan, nan, nan, nan, nan,
    )  # fmt: skip


def areas(*rows):
    return Areas(
        np.array([r[0] for r in rows], dtype=object), texts(f"a{k}" for k in range(len(rows))),
        texts([""] * len(rows)), texts(r[1] for r in rows),
    )  # fmt: skip


def doors(*rows):
    """``rows``: (x, y, {field: value}), fields building, compound, name, street, housenumber."""
    return Doors(
        np.array([Point(x, y) for x, y, _ in rows], dtype=object),
        texts(f"d{k}" for k in range(len(rows))),
        np.array([r[2].get("building", -1) for r in rows], dtype=np.int64),
        np.array([r[2].get("compound", -1) for r in rows], dtype=np.int64),
        *(texts(r[2].get(f, "") for r in rows) for f in ("name", "street", "housenumber")),
    )


def house(x, y=8.0, **said):
    """A house of 10 m at x, north (y > 0) or south of a street along y = 0."""
    return box(x, y, x + 10, y + 12) if y > 0 else box(x, y - 12, x + 10, y), said


NONE = areas()
