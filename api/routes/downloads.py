"""``/api/download``: a town, a community or a grid as a file, made for the reader and streamed."""

from __future__ import annotations

import os
from typing import Final

import msgspec
from flask import Response, request, send_file

from api.context import here, language
from api.endpoints import Endpoint
from api.feature_answers import DownloadQuery
from api.services.features import exporting
from data.export_files import MEDIA
from gis.errors import InputError

_KNOWN: Final = frozenset(f.encode_name for f in msgspec.structs.fields(DownloadQuery))


def download(query: DownloadQuery) -> Response:
    """The file; nothing that is not published is in it."""
    for name in request.args:
        if name not in _KNOWN:  # a misspelt part would give the whole town
            raise InputError("features.parameter", name=name[:40])
    for value in (query.territory, query.community, query.grid):
        if "\0" in value:
            raise InputError("features.value", name="territory", kind="text", value="-")
    order = exporting.Order(
        query.territory, query.format, query.community, query.grid,
        tuple(dict.fromkeys(n.strip() for n in query.layers.split(",") if n.strip())),
        query.as_of, exporting.srid_of(query.crs), query.encoding, language(),
    )  # fmt: skip
    file, name = here().downloads.make(order)
    media = MEDIA["." + name.rpartition(".")[2]]
    answer = send_file(file, media, as_attachment=True, download_name=name, etag=False)
    answer.content_length = os.fstat(file.fileno()).st_size
    answer.headers["Cache-Control"] = "no-store"
    return answer


ENDPOINTS: Final = (
    Endpoint("/api/download", download, "A town, a community or a grid as a file",
             dict.fromkeys(MEDIA.values()), query=DownloadQuery, faults=(400, 404, 409), tag="features"),
)  # fmt: skip
