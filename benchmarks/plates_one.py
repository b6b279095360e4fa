"""One file of made-up plates in this process; its figures as JSON. CPU seconds."""

from __future__ import annotations

import csv
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

from data.fonts import plate_font
from gis.addressing import codes
from gis.addressing.plates.font import job_font
from gis.addressing.plates.layout import SIZES, Plate, Size
from gis.addressing.plates.pdf import document
from gis.addressing.plates.proof import prove
from gis.addressing.romanise import romanise

HOST, SECRET = "dz.example.cn", bytes(range(32))
#: So many common characters do a county's streets need.
_CHARACTERS = 350
_LAST = ("路", "街", "大道", "巷", "东路", "西街", "里")


def plates(count: int, seed: int) -> list[Plate]:
    """Plates on some 800 made-up streets and compounds, every one with another code."""
    rng = random.Random(seed)
    common = rng.sample(
        sorted({bytes((0xB0 + k // 94, 0xA1 + k % 94)).decode("gb2312") for k in range(39 * 94)}), _CHARACTERS
    )
    names = ["".join(rng.sample(common, rng.randint(2, 3))) + rng.choice(_LAST) for _ in range(800)]
    under = {name: romanise(name) for name in names}
    out = []
    for code in codes.new_codes(count, rng):
        name, number = rng.choice(names), rng.randrange(1, 2000)
        shown = f"{number}号附{rng.randrange(1, 9)}号" if rng.random() < 1 / 7 else f"{number}号"
        url = codes.plate_url(HOST, code, "A", SECRET)
        out.append(Plate(code, codes.printed(code), name, shown, HOST, url, romanised=under[name]))
    return out


def file(count: int, alone: bool, proven: bool) -> dict[str, Any]:
    """Write a file of medium plates, and read it back where asked."""
    size, source = SIZES["medium"], plate_font()
    _made(plates(30, 1), size, source, alone)
    batch = plates(count, 2)
    began = time.process_time()
    font = job_font(source, batch)
    at = time.process_time()
    pdf = document(batch, size, font, one_a_page=alone)
    written = time.process_time()
    proof = prove(pdf, batch, size, one_a_page=alone) if proven else None
    ended = time.process_time()
    return {
        "plates": count,
        "per_second": round(count / (written - began), 1),
        "without_font": round(count / (written - at), 1),
        "font_seconds": round(at - began, 3),
        "font_bytes": len(font.data),
        "glyphs": len(font.glyph),
        "bytes_each": round(len(pdf) / count, 1),
        "verified": proof.verified if proof else None,
        "proof_per_second": round(count / (ended - written), 1) if proof else None,
        "both_per_second": round(count / (ended - began), 1) if proof else None,
    }


def kinds(count: int) -> dict[str, Any]:
    """Every kind of plate, on sheets and alone, read back."""
    batch, right, whole, good = plates(count, 3), 0, 0, 0
    font = job_font(plate_font(), batch)
    for size in SIZES.values():
        proofs = [
            prove(document(batch, size, font, one_a_page=alone), batch, size, one_a_page=alone)
            for alone in (False, True)
        ]
        right += sum(p.verified for p in proofs)
        whole += sum(p.plates for p in proofs)
        good += all(p.verified == p.plates for p in proofs)
    return {"plates": whole, "verified": right, "kinds": good}


def rows(count: int, folder: Path) -> dict[str, Any]:
    """The plates and their font as files, for other makers."""
    batch = plates(count, 4)
    (folder / "plates.ttf").write_bytes(job_font(plate_font(), batch).data)
    with (folder / "plates.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows((p.name, p.number, p.printed_code, p.url) for p in batch)
    return {"plates": count}


def _made(batch: list[Plate], size: Size, source: bytes, alone: bool) -> bytes:
    return document(batch, size, job_font(source, batch), one_a_page=alone)


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "file":
        found = file(int(rest[0]), bool(int(rest[1])), bool(int(rest[2])))
    elif what == "kinds":
        found = kinds(int(rest[0]))
    else:
        found = rows(int(rest[0]), Path(rest[1]))
    print(json.dumps(found))
