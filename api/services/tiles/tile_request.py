"""What a caller asks a tile for: layers, place, filters, plan or day. Parsed and checked once, then a cache key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from data.postgres.tiles.read_tiles import LAYERS, Layer
from gis.errors import InputError, NotFoundError
from gis.tiles import pyramid

#: Query parameters that are no property: the version of a plan, the day, and the language of messages.
_OTHERS: Final = ("plan", "as_of", "lang")
#: Filters of one request, and characters of one value: what a cache key may hold.
_MOST_FILTERS: Final = 8
_LONGEST: Final = 100
_BIGGEST_ID: Final = 2**63 - 1
#: Properties that some layer can be filtered by.
FILTERS: Final = tuple(sorted({name for layer in LAYERS.values() for name in layer.filters}))


@dataclass(frozen=True)
class TileRequest:
    """One tile as asked for; equal requests by callers of equal rights have equal answers.

    ``filters`` are sorted (property, value) pairs: values of one property are alternatives, properties add up.
    ``plan`` is the id of a plan version, published or not; ``as_of`` a day (both None: what is in force today).
    ``drafts``: the caller may see plans that are not published. It is part of the identity, so that answers for
    those who may never reach those who may not.
    """

    layers: tuple[str, ...]
    z: int
    x: int
    y: int
    filters: tuple[tuple[str, str], ...] = ()
    plan: int | None = None
    as_of: date | None = None
    drafts: bool = False

    @property
    def tile(self) -> tuple[int, int, int]:
        """z, x, y."""
        return self.z, self.x, self.y


def parse(
    layers: str, z: int, x: int, y: int, query: Iterable[tuple[str, str]] = (), *, drafts: bool = False
) -> TileRequest:
    """A checked request; ``query`` are the pairs of the query string, in any order.

    Raises NotFoundError ``tiles.layer``, InputError ``tiles.unknown`` (no such tile), ``tiles.filter`` (no layer
    asked for has the property), ``tiles.filters`` (too many or too long), ``tiles.plan``, ``tiles.as_of``,
    ``tiles.both``.
    """
    pyramid.check(z, x, y)
    wanted = parse_layers(layers)
    pairs = sorted(set(query))
    filters = tuple((name, value) for name, value in pairs if name not in _OTHERS)
    _check_filters(filters, wanted)
    plans = [value for name, value in pairs if name == "plan"]
    days = [value for name, value in pairs if name == "as_of"]
    if plans and days:
        raise InputError("tiles.both")
    return TileRequest(tuple(n.name for n in wanted), z, x, y, filters, _plan(plans), _day(days), drafts)


def parse_layers(text: str) -> list[Layer]:
    """Layers of a comma-separated list, each once, in the order asked for."""
    names = list(dict.fromkeys(text.split(",")))
    unknown = [n for n in names if n not in LAYERS]
    if unknown:
        raise NotFoundError("tiles.layer", layer=unknown[0][:40], known=", ".join(LAYERS))
    return [LAYERS[n] for n in names]


def _check_filters(filters: tuple[tuple[str, str], ...], layers: list[Layer]) -> None:
    if len(filters) > _MOST_FILTERS or any(len(value) > _LONGEST for _, value in filters):
        raise InputError("tiles.filters", most=_MOST_FILTERS, longest=_LONGEST)
    known = sorted({name for layer in layers for name in layer.filters})
    for name, _ in filters:
        if name not in known:
            raise InputError("tiles.filter", property=name[:40], known=", ".join(known))


def _plan(given: list[str]) -> int | None:
    if not given:
        return None
    text = given[0]
    if len(given) > 1 or len(text) > len(str(_BIGGEST_ID)) or not (text.isascii() and text.isdigit()):
        raise InputError("tiles.plan", plan=text[:40])
    return min(int(text), _BIGGEST_ID)


def _day(given: list[str]) -> date | None:
    if not given:
        return None
    try:
        # the one spelling with hyphens: each day has one cache key
        if len(given) > 1 or len(given[0]) != len("2025-01-31"):
            raise ValueError
        return date.fromisoformat(given[0])
    except ValueError:
        raise InputError("tiles.as_of", day=given[0][:40]) from None
