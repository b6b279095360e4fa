"""Plates of a community: one PDF whose every QR was read back before the batch counts as made."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine

from api.services.plates import plate_life
from api.services.plates.plate_keys import keys_for
from data.fonts import plate_font
from data.outputs import require_writable, unformulated, write_whole
from data.postgres import events
from data.postgres.imported import territories
from data.postgres.imported.territories import Territory
from data.postgres.plates import plate_life as life_store
from data.postgres.plates import plates as store
from data.postgres.plates.plates import Community, Key, Premise
from data.postgres.unit_of_work import UnitOfWork
from gis.addressing import codes
from gis.addressing.plates import picture as pictures
from gis.addressing.plates.font import Font, job_font
from gis.addressing.plates.layout import SIZES, Plate, Size
from gis.addressing.plates.pdf import document
from gis.addressing.plates.proof import Fault, prove
from gis.addressing.romanise import doubtful, romanise
from gis.errors import ConflictError, InputError, NotFoundError
from gis.progress import Progress, silent

#: Which addresses get plates of a size: units and rooms on their own, buildings and premises on all others.
_LEVELS: Final = {"unit": ("unit",), "room": ("room",), "building": ("building",)}
#: The size that is printed where none is asked for.
DEFAULT: Final = "medium"
_ALL: Final = ("premise", "building")
_NUMBER = re.compile(r"\d[\dA-Za-z\-附]*号$")


@dataclass(frozen=True)
class Printed:
    """A batch: its PDF, and how many of its plates read back (all of them, or it is refused).

    ``key_id`` names the key that signed it, or several: a plate in place of a lost one is signed by another.
    """

    batch: int
    territory: str
    community: str
    host: str
    key_id: str
    plates: int
    verified: int
    pdf: bytes
    shown: tuple[Plate, ...] = ()


def print_community(
    engine: Engine,
    name: str,
    community: str | None = None,
    *,
    size: str = "medium",
    one_a_page: bool = False,
    host: str | None = None,
    actor: str = "",
    progress: Progress = silent,
    ordered_by: str = "",
    reprint: bool = False,
    bleed: float = 0.0,
) -> Printed:
    """Lay out, write and prove the plates of one community (code or name; None: the first that has addresses,
    or the whole territory where it has no communities).

    ``reprint``: only those on the reprint list (``plate_life.reprints``) whose plate was of this size, of the whole
    territory where no community is named. ``ordered_by`` is who asked for the batch, ``actor`` who prints it.
    ``bleed``: millimetres by which the ground runs over the cut.

    The first use makes the first key of the host. Raises InputError for a character the font lacks or an
    unknown size, NotFoundError where there is nothing to print, ConflictError ``plates.unread`` when a plate
    does not read back; nothing is kept then.
    """
    if size not in SIZES:
        raise InputError("plates.size", size=size, known=", ".join(SIZES))
    with UnitOfWork(engine) as work:
        connection = work.connection
        territory = territories.get(connection, name)
        whole = reprint and community is None
        place = Community(None, "", territory.name) if whole else _place(connection, territory, community)
        premises = store.premises(connection, territory, place.id, _LEVELS.get(size, _ALL))
        if reprint:
            listed = plate_life.reprints_of(life_store.newest(connection, territory))
            wanted = {t.code for t in listed if t.size == size}
            premises = [p for p in premises if p.code in wanted]
        if not premises:
            raise NotFoundError("plates.none_of_size", community=place.name or place.code, size=size)
        named = codes.normal_host(host or store.host(connection))
        keys = keys_for(
            connection,
            named,
            [p.id for p in premises],
            purpose="reprint" if reprint else "new",
            actor=actor,
            size=size,
        )
        signed = [(p, keys.of(p.id)) for p in premises]
        plates = [plate_of(p, named, _link(p, key)) for p, key in signed]
        title = territory.title or territory.name
        note = "    ".join(dict.fromkeys(v for v in (title, place.name or place.code, territory.attribution) if v))
        font = job_font(plate_font(), plates, note=note + "0123456789/ ")
        progress("plates", 0.05)
        pdf = document(plates, SIZES[size], font, one_a_page=one_a_page, note=note, progress=progress, bleed=bleed)
        proof = prove(pdf, plates, SIZES[size], one_a_page=one_a_page, progress=progress, bleed=bleed)
        _require_proof(proof.faults)
        batch = store.save_batch(
            connection, territory, place.id, size=size, ordered_by=ordered_by or actor,
            sha256=hashlib.sha256(pdf).hexdigest(),
            plates=[(p.id, key.key_id, plate.url) for (p, key), plate in zip(signed, plates, strict=True)],
            shown=[p.text for p in premises], printed_by=actor, purpose="reprint" if reprint else "new",
        )  # fmt: skip
        done = Printed(
            batch,
            territory.name,
            place.name or place.code,
            named,
            ", ".join(dict.fromkeys(key.key_id for _, key in signed)),
            proof.plates,
            proof.verified,
            pdf,
            tuple(plates),
        )
        events.record(
            connection, "plates_printed", f"plate_batch:{batch}", actor=actor, territory_id=territory.id,
            body={"plates": proof.plates, "verified": proof.verified, "size": size, "community": done.community},
        )  # fmt: skip
        work.commit()
    return done


def print_to_file(
    engine: Engine,
    name: str,
    file: Path,
    community: str | None = None,
    *,
    size: str = "medium",
    one_a_page: bool = False,
    host: str | None = None,
    table: Path | None = None,
    actor: str = "",
    progress: Progress = silent,
    ordered_by: str = "",
    reprint: bool = False,
    bleed: float = 0.0,
) -> Printed:
    """``print_community``, its PDF written to a file once every plate has read back.

    ``table`` is a CSV of the same plates in the same order, for factories that engrave from variable data.
    """
    for wanted in (file, table):
        if wanted is not None:
            require_writable(wanted)
    done = print_community(
        engine, name, community, size=size, one_a_page=one_a_page, host=host, actor=actor, progress=progress,
        ordered_by=ordered_by, reprint=reprint, bleed=bleed,
    )  # fmt: skip
    write_whole(file, done.pdf)
    if table is not None:
        write_whole(table, variable_data(done.batch, done.shown, SIZES[size]))
    return done


def variable_data(
    batch: int, plates: Sequence[Plate], size: Size, files: Mapping[str, Callable[[int], str]] | None = None
) -> bytes:
    """The plates of a batch as CSV; UTF-8 with a byte order mark, so that office programs show Chinese.

    ``files`` adds columns: by their heading, what names the file of a plate by its place in the batch.
    """
    more = files or {}
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["batch", "size", "width_mm", "height_mm", "qr_mm", "name", "number", "code", "host", "qr_text",
                     "romanised", "check_reading", *more])  # fmt: skip
    for place, p in enumerate(plates):
        row = (
            batch,
            size.name,
            size.width,
            size.height,
            size.qr,
            p.name,
            p.number,
            p.printed_code,
            p.host,
            p.url,
            p.romanised,
            doubtful(p.name),
            *(name(place) for name in more.values()),
        )
        writer.writerow([unformulated(v) if isinstance(v, str) else v for v in row])
    return out.getvalue().encode("utf-8-sig")


def picture(engine: Engine, code: str, file: Path, *, size: str = "medium", pixels: int = 1200) -> None:
    """One plate as SVG, PNG or PDF by the file's ending, for proofs and engravers; no batch is written.

    ``code`` is the address code. Raises InputError for another ending, NotFoundError for an unknown code.
    """
    if size not in SIZES:
        raise InputError("plates.size", size=size, known=", ".join(SIZES))
    if file.suffix.lower() not in (".svg", ".png", ".pdf"):
        raise InputError("plates.ending", file=str(file))
    require_writable(file)
    link = codes.parse(code)
    with UnitOfWork(engine) as work:
        premise = store.premise(work.connection, link.code) if link else None
        if premise is None:
            raise NotFoundError("plates.no_code", value=code[:40])
        host = codes.normal_host(store.host(work.connection))
        key = keys_for(work.connection, host, [premise.id], size=size).of(premise.id)
        plate = plate_of(premise, host, _link(premise, key))
        work.commit()
    font = job_font(plate_font(), [plate])
    write_whole(file, _drawn(plate, SIZES[size], font, file.suffix.lower(), pixels))


def _drawn(plate: Plate, size: Size, font: Font, ending: str, pixels: int) -> bytes:
    if ending == ".svg":
        return pictures.svg(plate, size, font).encode()
    if ending == ".png":
        return pictures.png(plate, size, font, pixels=pixels)
    return document([plate], size, font, one_a_page=True)


def reprint_size(engine: Engine, name: str) -> str:
    """The size of the plates on a reprint list; raises InputError ``plates.reprint_sizes`` for several."""
    counts = Counter(t.size for t in plate_life.reprints(engine, name))
    if len(counts) > 1:
        raise InputError("plates.reprint_sizes", sizes=", ".join(f"{s} ({counts[s]})" for s in SIZES if s in counts))
    return next(iter(counts), DEFAULT)


def set_host(engine: Engine, host: str) -> str:
    """Set the host that new plates name; plates already printed stay valid under theirs."""
    with UnitOfWork(engine) as work:
        store.set_host(work.connection, codes.normal_host(host))
        work.commit()
    return codes.normal_host(host)


def rotate_key(engine: Engine, *, actor: str = "") -> str:
    """Make a new signing key for the deployment's host; the old one verifies for ever. The new key's id."""
    with UnitOfWork(engine) as work:
        host = codes.normal_host(store.host(work.connection))
        key = store.new_key(work.connection, host, secrets.token_bytes(codes.KEY_BYTES))
        events.record(work.connection, "plate_key_made", f"plate_key:{key.key_id}", actor=actor, body={"host": host})
        work.commit()
    return key.key_id


def _place(connection: Connection, territory: Territory, wanted: str | None) -> Community:
    """The community asked for, else the first; where a territory has none, the whole of it."""
    if wanted:
        return store.community(connection, territory, wanted)
    known = store.communities(connection, territory)
    if known:
        return known[0]
    if not store.premises(connection, territory, None, _ALL):
        raise NotFoundError("plates.none", territory=territory.name)
    return Community(None, "", territory.name)


def _link(premise: Premise, key: Key) -> str:
    return codes.plate_url(key.host, premise.code, key.key_id, key.secret)


def plate_of(premise: Premise, host: str, link: str) -> Plate:
    """What a plate of an address shows, with its link."""
    name, number = shown(premise)
    return Plate(
        code=premise.code,
        printed_code=codes.printed(premise.code),
        name=name,
        number=number,
        host=host,
        url=link,
        romanised=romanise(name),
    )


def shown(premise: Premise) -> tuple[str, str]:
    """Upper and main line of a plate: 人民路 / 12号, 和顺二期 / 3栋, 和顺二期3栋 / 2单元, …2单元 / 301室."""
    han = any(ord(c) > 0x2E7F for c in premise.text)
    if premise.room:
        own = premise.text[len(premise.above) :].strip(" ,") if premise.text.startswith(premise.above) else ""
        return premise.above, own or (f"{premise.room}室" if han else f"No. {premise.room}")
    if premise.compound:
        building = f"{premise.building_no}栋" if han else f"Building {premise.building_no}"
        if premise.unit:
            return f"{premise.compound}{building}" if han else f"{premise.compound} {building}", (
                f"{premise.unit}单元" if han else f"Unit {premise.unit}"
            )
        return premise.compound, building
    upper, main = _road_lines(premise, han)
    if premise.unit:
        return (
            f"{upper}{main}" if han else f"{upper} {main}",
            f"{premise.unit}单元" if han else f"Unit {premise.unit}",
        )
    return upper, main


def _road_lines(premise: Premise, han: bool) -> tuple[str, str]:
    if premise.road and premise.number:
        return premise.road, premise.number + ("号" if han else "")
    text = premise.text
    if han and (found := _NUMBER.search(text)):
        return text[: found.start()], found[0]
    head, _, tail = text.partition(", ")
    return tail or head, head if tail else ""


def _require_proof(faults: tuple[Fault, ...]) -> None:
    if faults:
        named = ", ".join(f"{codes.printed(f.code) if f.code else '-'} ({f.reason})" for f in faults[:20])
        raise ConflictError("plates.unread", count=len(faults), plates=named)
