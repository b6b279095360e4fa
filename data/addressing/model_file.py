"""A trained parser as one file: a line of JSON that says what follows, then the arrays, compressed together.

The same model gives the same bytes. The shipped one lies beside this module.
"""

from __future__ import annotations

import json
import lzma
from dataclasses import fields
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np

from data.outputs import write_whole
from gis.addressing.parsing.model import VERSION, Model
from gis.errors import InputError

_MAGIC: Final = b"wangge address parser\n"
#: Name of the shipped model in this package.
SHIPPED: Final = "parser.bin"


def pack(model: Model) -> bytes:
    """A model as bytes."""
    arrays = {f.name: v for f in fields(Model) if isinstance(v := getattr(model, f.name), np.ndarray)}
    head: dict[str, Any] = {
        "version": VERSION,
        "step": model.step,
        "trained_on": model.trained_on,
        "arrays": [[name, a.dtype.str, list(a.shape)] for name, a in arrays.items()],
    }
    body = b"".join(a.astype(a.dtype.newbyteorder("<")).tobytes() for a in arrays.values())
    line = json.dumps(head, ensure_ascii=False).encode("utf-8") + b"\n"
    return _MAGIC + lzma.compress(line + body, preset=6)


def unpack(content: bytes, name: str = "") -> Model:
    """A model from bytes. Raises InputError for anything else, and for a model of another version."""
    if not content.startswith(_MAGIC):
        raise InputError("parse.no_model", file=name)
    try:
        line, _, body = lzma.decompress(content[len(_MAGIC) :]).partition(b"\n")
        head = json.loads(line)
    except (lzma.LZMAError, ValueError):
        raise InputError("parse.no_model", file=name) from None
    if head.get("version") != VERSION:
        raise InputError("parse.old_model", file=name)
    arrays, at = {}, 0
    for key, kind, shape in head["arrays"]:
        count = int(np.prod(shape))
        arrays[key] = np.frombuffer(body, dtype=np.dtype(kind), count=count, offset=at).reshape(shape)
        at += arrays[key].nbytes
    return Model(step=float(head["step"]), trained_on=str(head["trained_on"]), **arrays)


def read(file: Path) -> Model:
    """A model from a file."""
    try:
        return unpack(file.read_bytes(), str(file))
    except OSError as error:
        raise InputError("parse.no_file", file=str(file), detail=error.strerror or "") from None


def shipped() -> Model:
    """The model that comes with the program, trained on synthetic addresses alone."""
    return unpack((files(__package__) / SHIPPED).read_bytes(), SHIPPED)


def write(file: Path, model: Model) -> int:
    """Write a model whole or not at all; its size in bytes."""
    content = pack(model)
    write_whole(file, content)
    return len(content)
