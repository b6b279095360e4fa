"""A printed batch as pictures for engravers and printing houses: SVG, PNG, and a table that names every file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import Engine

from api.services.plates.plates import plate_of, variable_data
from data.fonts import plate_font
from data.outputs import require_collectable, write_collection
from data.postgres.plates import plates as store
from data.postgres.unit_of_work import UnitOfWork
from gis.addressing import codes
from gis.addressing.plates import proof
from gis.addressing.plates.font import Font, job_font
from gis.addressing.plates.layout import SIZES, Plate, Size
from gis.addressing.plates.picture import MOST_PIXELS, Drawer, pngs
from gis.addressing.plates.proof import Fault
from gis.errors import ConflictError, InputError
from gis.progress import Progress, silent

KINDS: Final = ("svg", "png")
#: A table of variable data that stands beside the pictures.
TABLE: Final = "plates.csv"


@dataclass(frozen=True)
class Exported:
    """What was written: plates of a batch, and files (their pictures and one table)."""

    batch: int
    plates: int
    files: int


def export(
    engine: Engine,
    batch: int,
    place: Path,
    *,
    kinds: Sequence[str] = ("svg",),
    dpi: int = 300,
    progress: Progress = silent,
) -> Exported:
    """Write a batch's plates as pictures into a ZIP or a new folder, with the links that its sheets carry.

    Every picture's QR is read back before anything is there. Raises NotFoundError ``plates.no_batch``, InputError for
    an unknown kind or a ``dpi`` that makes pictures too large, ConflictError ``plates.changed`` where an address has
    changed or ended since the batch was printed, and ``plates.unread``.
    """
    unknown = [k for k in kinds if k not in KINDS]
    if unknown or not kinds:
        raise InputError("plates.picture_kind", kind=", ".join(unknown) or "-", known=", ".join(KINDS))
    require_collectable(place)
    size, plates = _plates(engine, batch)
    pixels = round(size.width / 25.4 * dpi)
    if "png" in kinds and pixels > MOST_PIXELS:
        raise InputError("plates.dpi", dpi=dpi, size=size.name, most=int(MOST_PIXELS * 25.4 / size.width))
    font = job_font(plate_font(), plates)
    named = {kind: _naming(kind, batch, plates) for kind in dict.fromkeys(kinds)}

    def files() -> Iterator[tuple[str, bytes]]:
        yield TABLE, variable_data(batch, plates, size, named)
        for number, (kind, name) in enumerate(named.items()):
            for k, drawn in enumerate(_drawn(kind, plates, size, font, pixels)):
                yield name(k), drawn
                progress("plate_pictures", (number + (k + 1) / len(plates)) / len(named))

    return Exported(batch, len(plates), write_collection(place, files()))


def _plates(engine: Engine, number: int) -> tuple[Size, list[Plate]]:
    """The plates of a batch as they were printed."""
    with UnitOfWork(engine, read_only=True) as work:
        batch = store.batch(work.connection, number)
        held = store.premises_of(work.connection, [address for address, _, _ in batch.plates])
    plates, changed = [], []
    for address, link, shown in batch.plates:
        premise = held.get(address)
        if premise is None or (shown and shown != premise.text):
            known = codes.parse(link)
            changed.append(codes.printed(known.code) if known else link)
        else:
            plates.append(plate_of(premise, urlsplit(link).netloc, link))
    if changed:
        named = ", ".join(changed[:20]) + (" …" if len(changed) > 20 else "")
        raise ConflictError("plates.changed", count=len(changed), plates=named)
    return SIZES[batch.size], plates


def _naming(kind: str, batch: int, plates: Sequence[Plate]) -> Callable[[int], str]:
    """Names that any machine can read and that sort in the order of the sheets: svg/B0012-00001-CODE.svg."""
    return lambda k: f"{kind}/B{batch:04d}-{k + 1:05d}-{plates[k].code}.{kind}"


def _drawn(kind: str, plates: Sequence[Plate], size: Size, font: Font, pixels: int) -> Iterator[bytes]:
    if kind == "svg":
        drawer = Drawer(size, font)
        for plate in plates:
            drawing = drawer.svg(plate)
            _require(proof.svg_fault(plate, size, drawing))
            yield drawing.encode()
    else:
        for plate, picture in zip(plates, pngs(plates, size, font, pixels=pixels), strict=True):
            _require(proof.picture_fault(plate, size, picture))
            yield picture


def _require(fault: Fault | None) -> None:
    if fault is not None:
        raise ConflictError("plates.unread", count=1, plates=f"{codes.printed(fault.code)} ({fault.reason})")
