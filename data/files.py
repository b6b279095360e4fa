"""Any input file by its name: OpenStreetMap extracts and GeoPackages.

The reader of GeoPackages brings GDAL, pandas and Arrow into memory, so it is imported only for one.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Final

from data.osm import digest_of, read_osm
from gis.errors import InputError
from gis.progress import Progress, silent
from gis.territory.model import Sources

OSM: Final = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2")
GIS: Final = (".gpkg",)


def read_sources(path: str | Path, territory: str | Path | None = None, progress: Progress = silent) -> Sources:
    """Read an input file, and the ``--territory`` area if one is given, in the input's CRS.

    Raises :class:`InputError` when a file is missing, empty, of an unknown kind or unreadable.
    """
    file = _readable(path)
    kind = file.name.lower()
    if kind.endswith(OSM):
        sources = read_osm(file, progress=progress)
    elif kind.endswith(GIS):
        from data.gis_files import read_geopackage

        sources = read_geopackage(file, progress=progress)
    else:
        raise InputError("input.not_a_map", file=file.name, kinds=", ".join((*OSM, *GIS)))
    digest = digest_of(file)
    if territory is None:
        return replace(sources, digest=digest)
    from data.gis_files import read_territory

    other = _readable(territory)
    both = hashlib.sha256(f"{digest}{digest_of(other)}".encode()).hexdigest()
    return replace(sources, digest=both, territory=read_territory(other, sources.crs))


def _readable(path: str | Path) -> Path:
    file = Path(path)
    if not file.is_file():
        raise InputError("input.missing_file", file=str(path))
    if file.stat().st_size == 0:
        raise InputError("input.empty_file", file=str(path))
    return file
