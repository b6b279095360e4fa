"""Door plates: how fast a batch is written, how large it is, and that another library reads every plate back.

A file is what a factory gets: subset font, QR symbols, layout, PDF. The proof (every page rendered by pdfium, every
QR read by zxing-cpp; link, level and printed code compared) is a figure of its own: the bars are about the file.
Other makers (segno with fpdf2, reportlab with its own QR) draw the same plates beside it, without proof. CPU seconds,
one core, each file in a process of its own, after a first small file: imports and tables are then there, the font's
subset is made anew for every file.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, Final

from benchmarks.runner import Figure, Say, figure, fresh_process, peer_python, versions

MEDIUM: Final = "medium"
#: Plates whose proof gives its speed; every kind is read back besides.
_PROVEN: Final = 1000
_PEER_PLATES: Final = 200


def figures(*, quick: bool, say: Say) -> tuple[list[Figure], dict[str, str]]:
    """A row for every bar of the issue that concerns plates."""
    files = {(count, alone): _file(count, alone, say) for count in (1000, 10_000) for alone in (False, True)}
    kinds = fresh_process("benchmarks.plates_one", "kinds", "40" if quick else "200")
    say(f"read back by kind: {kinds}")
    peers = {} if quick else {name: _peer(name, packages, say) for name, packages in _PEERS.items()}
    best = max((p for p in peers.values() if p), key=lambda p: p["per_second"], default=None)
    named: dict[str, Any] = {"peer": best["name"], "peer_value": best["per_second"]} if best else {}
    small, large = files[1000, False], files[10_000, False]
    single, alone = files[1000, True], files[10_000, True]
    read = small["verified"] + kinds["verified"], small["plates"] + kinds["plates"]
    most = max(f["bytes_each"] for f in files.values())
    proofs = min(f["proof_per_second"] for f in files.values() if f["proof_per_second"])
    return [
        figure("file of 1,000 plates with its font", small["per_second"], "1/s", better="high", floor=600, aim=1000,
               **named),
        figure("file of 10,000 plates", large["per_second"], "1/s", better="high", floor=1400, aim=3000),
        figure("file of 1,000, one a page", single["per_second"], "1/s", better="high", floor=600, aim=1000),
        figure("file of 10,000, one a page", alone["per_second"], "1/s", better="high", floor=1400, aim=3000),
        figure("bytes a plate, at most", most / 1000, "kB", better="low", floor=2.048),
        figure("read back at level Q by another library", read[0] / read[1], "share", better="high", floor=1.0),
        figure("kinds of plates read back", kinds["kinds"], "of 6", better="equal", floor=6),
        figure("proof of a batch (its own time, not the file's)", proofs, "1/s", better="high"),
        figure("file and proof of 1,000 plates together", small["both_per_second"], "1/s", better="high"),
        figure("subset font of 1,000 plates", small["font_seconds"], "CPU s", better="low"),
    ], versions("numpy", "segno", "fonttools", "zxing-cpp", "pypdfium2")  # fmt: skip


def _file(count: int, alone: bool, say: Say) -> dict[str, Any]:
    proven = count <= _PROVEN
    found = fresh_process("benchmarks.plates_one", "file", str(count), str(int(alone)), str(int(proven)))
    say(f"{count:,} plates, {'one a page' if alone else 'on sheets'}: {found}")
    return found


_PEERS: Final = {
    "fpdf2": ("fpdf2>=2.8,<3", "segno==1.6.6"),
    "reportlab": ("reportlab>=4,<6",),
}


def _peer(name: str, packages: tuple[str, ...], say: Say) -> dict[str, Any] | None:
    """The same plates drawn by another maker of PDFs, with the same font."""
    python = peer_python(name, packages, say)
    if python is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        fresh_process("benchmarks.plates_one", "rows", str(_PEER_PLATES), folder)
        script = str(Path(__file__).parent / "peers" / f"plates_{name}.py")
        try:
            found = fresh_process(script, folder, python=python)
        except (RuntimeError, OSError, json.JSONDecodeError) as error:
            say(f"peer {name}: {error}")
            return None
    say(f"peer {name}: {found}")
    return {**found, "name": f"{name} {found['version']}"}
