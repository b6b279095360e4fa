"""Arrow IPC tables from people we do not know, and to them: the stream and the file form."""

from __future__ import annotations

import struct
from typing import Final

import pyarrow as pa

from gis.errors import InputError

#: Media types of the two forms of Arrow IPC.
STREAM: Final = "application/vnd.apache.arrow.stream"
FILE: Final = "application/vnd.apache.arrow.file"
#: In Arrow's union of message headers.
_DICTIONARY_BATCH: Final = 2
_FILE_MAGIC: Final = b"ARROW1\0\0"


def read(body: bytes) -> pa.Table:
    """A table of an Arrow IPC stream or file. Raises InputError for anything else, and for compressed buffers.

    A compressed buffer says itself how large it becomes, so 32 MB could ask for any memory. The file form is the
    stream form between a magic and an index that is not needed.
    """
    stream = body[len(_FILE_MAGIC) :] if body.startswith(_FILE_MAGIC) else body
    try:
        _refuse_compressed(stream)
        with pa.ipc.open_stream(pa.BufferReader(stream)) as reader:
            table = reader.read_all()
        table.validate(full=True)
    except (pa.ArrowException, ValueError, OSError, EOFError, struct.error) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            "lookup.arrow_broken", reason=str(error).splitlines()[0][:200] if str(error) else ""
        ) from None
    return table


def write(table: pa.Table, media: str) -> bytes:
    """A table in one of the two forms."""
    sink = pa.BufferOutputStream()
    maker = pa.ipc.new_file if media == FILE else pa.ipc.new_stream
    with maker(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _refuse_compressed(stream: bytes) -> None:
    for message in pa.ipc.MessageReader.open_stream(pa.BufferReader(stream)):
        if message.type in ("record batch", "dictionary") and _is_compressed(message.metadata.to_pybytes()):
            raise InputError("lookup.arrow_compressed")


def _is_compressed(metadata: bytes) -> bool:
    """Whether the record batch of a message names a compression: field 3 of RecordBatch (Arrow's Message.fbs)."""
    (message,) = struct.unpack_from("<I", metadata, 0)
    header = _field(metadata, message, 2)  # Message: version, header_type, header, bodyLength
    if header is None:
        raise ValueError("message without a header")
    batch = header + struct.unpack_from("<I", metadata, header)[0]
    kind = _field(metadata, message, 1)
    if kind is not None and metadata[kind] == _DICTIONARY_BATCH:
        data = _field(metadata, batch, 1)  # DictionaryBatch: id, data, isDelta
        if data is None:
            return False
        batch = data + struct.unpack_from("<I", metadata, data)[0]
    return _field(metadata, batch, 3) is not None  # RecordBatch: length, nodes, buffers, compression


def _field(buffer: bytes, table: int, number: int) -> int | None:
    """Position of a field of a flatbuffer table; None where it is left out."""
    (back,) = struct.unpack_from("<i", buffer, table)
    vtable = table - back
    if vtable < 0:
        raise ValueError("no flatbuffer")
    (size,) = struct.unpack_from("<H", buffer, vtable)
    slot = 4 + 2 * number
    if slot + 2 > size:
        return None
    (offset,) = struct.unpack_from("<H", buffer, vtable + slot)
    return table + offset if offset else None
