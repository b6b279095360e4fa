"""Writes layers of features as files of other programs, from a stream of rows: memory does not grow with the layer.

Each file is written under a temporary name and renamed. Formats that hold one layer a file are zipped together.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyogrio
import pyproj
import shapely

from data.ledger_files import FORBIDDEN, LONGEST
from data.outputs import require_writable
from gis.errors import InputError

Format = Literal["gpkg", "geojson", "flatgeobuf", "geoparquet", "shapefile", "xlsx"]
FORMATS: Final[Mapping[str, str]] = {
    "gpkg": ".gpkg", "geojson": ".geojson", "flatgeobuf": ".fgb", "geoparquet": ".parquet", "shapefile": ".shp",
    "xlsx": ".xlsx",
}  # fmt: skip
#: What a browser is told a file is.
MEDIA: Final[Mapping[str, str]] = {
    ".gpkg": "application/geopackage+sqlite3",
    ".geojson": "application/geo+json",
    ".fgb": "application/vnd.flatgeobuf",
    ".parquet": "application/vnd.apache.parquet",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zip": "application/zip",
}
#: Field names of a DBF end after ten bytes: the longer ones have these instead.
SHORT: Final[Mapping[str, str]] = {
    "community_code": "comm_code", "on_street_share": "on_street", "compactness": "compact",
    "housenumber": "housenum", "households_source": "hh_source", "building_no": "build_no",
}  # fmt: skip
#: Names that a .cpg file gives to encodings.
ENCODINGS: Final[Mapping[str, str]] = {"utf-8": "UTF-8", "gbk": "GBK"}
#: Rows that a sheet of XLSX holds, its heading among them.
SHEET: Final = 1_048_576
_GEOMETRY: Final = "geometry"
_ARROW: Final[Mapping[str, pa.DataType]] = {
    "text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(), "date": pa.date32(),
}  # fmt: skip
_WEB: Final = 8  # decimal places of a degree: a millimetre


@dataclass(frozen=True)
class Stream:
    """One layer: fields as (name, kind), ``shape`` of its geometry, its CRS, and rows of (id, wkb, *fields).

    ``rows`` may be asked for again; each time it begins anew.
    """

    name: str
    fields: Sequence[tuple[str, str]]
    shape: str
    crs: str
    rows: Callable[[], Iterator[list[tuple[Any, ...]]]]
    headings: Sequence[str] = ()


def write(kind: str, path: Path, layers: Sequence[Stream], *, encoding: str = "utf-8", attribution: str = "") -> Path:
    """Write layers as ``kind``; the file that came of it (``.zip`` where one format needs several files).

    Raises InputError ``export.*`` where the values do not fit the format, ``plan_file.not_written`` for the disk.
    """
    target = path.with_suffix(".zip") if zipped(kind, len(layers)) else path
    require_writable(target)
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        made = _WRITERS[kind](folder, layers, ENCODINGS[encoding], attribution)
        ready = _zip(folder, made) if zipped(kind, len(layers)) else made[0]
        ready.replace(target)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, OSError, RuntimeError) as error:
        raise InputError("plan_file.not_written", file=str(path), detail=" ".join(str(error).split())) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return target


def zipped(kind: str, layers: int) -> bool:
    """Does a format need several files?"""
    return kind == "shapefile" or (layers > 1 and kind in ("geojson", "flatgeobuf", "geoparquet"))


def _zip(folder: Path, files: Sequence[Path]) -> Path:
    made = folder / "all.zip"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for file in files:
            # a fixed date: equal contents are equal bytes
            about = zipfile.ZipInfo(file.name, (1980, 1, 1, 0, 0, 0))
            about.compress_type = zipfile.ZIP_DEFLATED
            about.external_attr = 0o644 << 16
            with archive.open(about, "w") as into, file.open("rb") as source:
                shutil.copyfileobj(source, into, 1 << 20)
    return made


def _schema(layer: Stream, named: Mapping[str, str] | None = None) -> pa.Schema:
    names = [(named or {}).get(name, name) for name, _ in layer.fields]
    columns = [pa.field(n, _ARROW[kind]) for n, (_, kind) in zip(names, layer.fields, strict=True)]
    about = {b"ARROW:extension:name": b"geoarrow.wkb"}
    return pa.schema([*columns, pa.field(_GEOMETRY, pa.binary(), metadata=about)])


def _batches(
    layer: Stream, schema: pa.Schema, check: Callable[[str], None] | None = None
) -> Iterator[pa.RecordBatch]:
    for rows in layer.rows():
        columns = list(zip(*rows, strict=True))
        if check is not None:
            for (_, kind), column in zip(layer.fields, columns[2:], strict=True):
                if kind == "text":
                    for value in column:
                        check(value or "")
        arrays = [pa.array(c, type=f.type) for c, f in zip([*columns[2:], columns[1]], schema, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _gdal(
    file: Path,
    driver: str,
    layer: Stream,
    *,
    named: Mapping[str, str] | None = None,
    check: Callable[[str], None] | None = None,
    **options: Any,
) -> None:
    schema = _schema(layer, named)
    faults: list[Exception] = []

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            yield from _batches(layer, schema, check)
        except Exception as error:  # the stream would tell nothing but that there was one
            faults.append(error)
            raise

    reader = pa.RecordBatchReader.from_batches(schema, batches())
    try:
        pyogrio.write_arrow(
            reader, file, layer=layer.name, driver=driver, geometry_name=_GEOMETRY, geometry_type=layer.shape,
            crs=layer.crs, **options,
        )  # fmt: skip
    except (RuntimeError, OSError, pyogrio.errors.DataSourceError):
        if faults:
            raise faults[0] from None
        raise


def _gpkg(folder: Path, layers: Sequence[Stream], encoding: str, attribution: str) -> list[Path]:
    file = folder / "all.gpkg"
    about = {"attribution": attribution} if attribution else None
    for n, layer in enumerate(layers):
        _gdal(file, "GPKG", layer, append=n > 0, dataset_metadata=None if n else about)
    return [file]


def _geojson(folder: Path, layers: Sequence[Stream], encoding: str, attribution: str) -> list[Path]:
    files = [folder / f"{layer.name}.geojson" for layer in layers]
    for file, layer in zip(files, layers, strict=True):
        _gdal(file, "GeoJSON", layer, layer_options={"RFC7946": "YES", "COORDINATE_PRECISION": str(_WEB)})
    return files


def _flatgeobuf(folder: Path, layers: Sequence[Stream], encoding: str, attribution: str) -> list[Path]:
    files = [folder / f"{layer.name}.fgb" for layer in layers]
    for file, layer in zip(files, layers, strict=True):
        _gdal(file, "FlatGeobuf", layer, layer_options={"TEMPORARY_DIR": str(folder)})
    return files


def _geoparquet(folder: Path, layers: Sequence[Stream], encoding: str, attribution: str) -> list[Path]:
    """GeoParquet 1.1: one column of well-known binary, its CRS as PROJJSON in the file's metadata."""
    import pyarrow.parquet as pq

    files = [folder / f"{layer.name}.parquet" for layer in layers]
    for file, layer in zip(files, layers, strict=True):
        column = {
            "encoding": "WKB",
            "geometry_types": [] if layer.shape == "Unknown" else [layer.shape],
            "crs": pyproj.CRS.from_user_input(layer.crs).to_json_dict(),
        }
        geo = {"version": "1.1.0", "primary_column": _GEOMETRY, "columns": {_GEOMETRY: column}}
        about = {b"geo": json.dumps(geo, ensure_ascii=False).encode()}
        if attribution:
            about[b"attribution"] = attribution.encode()
        schema = _schema(layer)
        with pq.ParquetWriter(file, schema.with_metadata(about), compression="zstd") as into:
            for batch in _batches(layer, schema):
                into.write_batch(batch.replace_schema_metadata(about))
    return files


def _shapefile(folder: Path, layers: Sequence[Stream], encoding: str, attribution: str) -> list[Path]:
    """Each layer as four or five files, and ``fields.csv``: what the shortened field names stand for."""
    said = io.StringIO()
    table = csv.writer(said, lineterminator="\n")
    table.writerow(["layer", "field", "name", "title"])
    for layer in layers:

        def check(value: str, layer: Stream = layer) -> None:
            try:
                size = len(value.encode(encoding))
            except UnicodeEncodeError as error:
                raise InputError(
                    "export.encoding", layer=layer.name, encoding=encoding, value=value[:40],
                    character=value[error.start],
                ) from None  # fmt: skip
            if size > 254:
                raise InputError("export.long_text", layer=layer.name, value=value[:40])

        named = short_names([name for name, _ in layer.fields])
        _gdal(folder / f"{layer.name}.shp", "ESRI Shapefile", layer, named=named, check=check, encoding=encoding)
        for (name, _), title in zip(layer.fields, layer.headings or [""] * len(layer.fields), strict=True):
            table.writerow([layer.name, named[name], name, title])
    (folder / "fields.csv").write_bytes(said.getvalue().encode("utf-8-sig"))
    return sorted(folder.iterdir())


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Names of at most ten bytes, each once."""
    found: dict[str, str] = {}
    for name in names:
        short = SHORT.get(name, name)[:10]
        n = 1
        while short in found.values():
            n += 1
            short = f"{short[: 10 - len(str(n))]}{n}"
        found[name] = short
    return found


def _xlsx(folder: Path, layers: Sequence[Stream], encoding: str, attribution: str) -> list[Path]:
    """One sheet a layer; instead of geometry a point of each feature, longitude and latitude (WGS84)."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for layer in layers:
        sheet = book.create_sheet(layer.name)
        sheet.freeze_panes = "A2"
        sheet.append([*(layer.headings or [n for n, _ in layer.fields]), "lon", "lat"])
        count = 1
        for rows in layer.rows():
            count += len(rows)
            if count > SHEET:
                raise InputError("export.long_sheet", layer=layer.name, most=SHEET - 1)
            spots = shapely.get_coordinates(_inside(shapely.from_wkb([r[1] for r in rows])))
            for row, (lon, lat) in zip(rows, spots.round(_WEB).tolist(), strict=True):
                sheet.append([*(_cell(sheet, v) for v in row[2:]), lon, lat])
    file = folder / "all.xlsx"
    book.save(file)
    return [file]


def _inside(geometry: Any) -> Any:
    return np.asarray(shapely.point_on_surface(geometry))


def _cell(sheet: Any, value: Any) -> Any:
    """A text stays a text whatever it begins with: Excel must not take a name for a formula."""
    from openpyxl.cell import WriteOnlyCell

    if not isinstance(value, str):
        return value
    text = value.translate(FORBIDDEN)[:LONGEST]
    if text[:1] not in ("=", "+", "-", "@", "\t", "\r"):
        return text
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    cell.quotePrefix = True
    return cell


_WRITERS: Final[Mapping[str, Callable[[Path, Sequence[Stream], str, str], list[Path]]]] = {
    "gpkg": _gpkg,
    "geojson": _geojson,
    "flatgeobuf": _flatgeobuf,
    "geoparquet": _geoparquet,
    "shapefile": _shapefile,
    "xlsx": _xlsx,
}
