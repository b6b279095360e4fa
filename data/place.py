"""A place by its name, from OpenStreetMap's servers through OSMnx: the only reader that uses the network.

OSMnx keeps its settings in a module; they are set for one call under a lock and put back after it, whatever
happens. Answers are not cached on disk: what is kept is what the database keeps.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

import numpy as np
import shapely

from data.osm import OsmRows
from gis.errors import InputError
from gis.progress import Progress, silent
from gis.territory.classes import LANE_RANK, RAILWAYS, STREET_RANK, WATERWAYS
from gis.territory.model import Sources
from gis.territory.sites import OF_TAG

_SITES: Final = {key: sorted(v for k, v in OF_TAG if k == key) for key, _ in OF_TAG}
#: What is asked for; what is not needed is not sent.
TAGS: Final[dict[str, bool | str | list[str]]] = {
    "building": True,
    "highway": [*STREET_RANK, *LANE_RANK],
    "railway": sorted(RAILWAYS),
    "waterway": [*sorted(WATERWAYS), "riverbank", "dock"],
    "natural": ["water", "coastline"],
    "landuse": ["residential", "reservoir", "basin", *_SITES["landuse"]],
    "barrier": ["wall", "city_wall", "fence", "retaining_wall"],
    **{key: values for key, values in _SITES.items() if key != "landuse"},
}
_LOCK: Final = threading.Lock()


def read_place(
    query: str,
    *,
    overpass_url: str | None = None,
    nominatim_url: str | None = None,
    seconds: float = 180.0,
    progress: Progress = silent,
) -> Sources:
    """Streets, barriers and buildings of a place, its outline as the territory, in EPSG:4326.

    ``overpass_url`` and ``nominatim_url`` name other servers (else ``WANGGE_OVERPASS_URL`` and
    ``WANGGE_NOMINATIM_URL``, else OSMnx's own). Raises :class:`InputError` when there is no such place, when it
    has no outline or nothing mapped in it, or when a server does not answer.
    """
    import osmnx
    import requests

    overpass = overpass_url or os.environ.get("WANGGE_OVERPASS_URL") or ""
    nominatim = nominatim_url or os.environ.get("WANGGE_NOMINATIM_URL") or ""
    with _asking(osmnx.settings, overpass, nominatim, seconds):
        try:
            progress("read", 0.0, query)
            outline = _outline(osmnx, query)
            progress("read", 0.2, query)
            features = osmnx.features.features_from_polygon(outline, TAGS)
        except osmnx._errors.InsufficientResponseError:
            raise InputError("place.nothing", query=query) from None
        except (requests.RequestException, osmnx._errors.ResponseStatusCodeError, OSError) as error:
            raise InputError("place.server", query=query, detail=_line(error)) from None
    progress("read", 0.9, f"{len(features):,}")
    return _sources(features, outline)


def _outline(osmnx: Any, query: str) -> Any:
    """The place as a polygon."""
    try:
        found = osmnx.geocoder.geocode_to_gdf(query)
    except TypeError:  # what OSMnx raises for a place that is a point
        raise InputError("place.no_outline", query=query) from None
    area = found.geometry.iloc[0]
    if area.geom_type not in {"Polygon", "MultiPolygon"}:
        raise InputError("place.no_outline", query=query)
    return area


@contextmanager
def _asking(settings: Any, overpass: str, nominatim: str, seconds: float) -> Iterator[None]:
    wanted: dict[str, Any] = {"use_cache": False, "log_file": False, "requests_timeout": seconds}
    if overpass:
        # Another server has no status page to wait for.
        wanted |= {"overpass_url": overpass, "overpass_rate_limit": False}
    if nominatim:
        wanted["nominatim_url"] = nominatim
    with _LOCK:
        before = {name: getattr(settings, name) for name in wanted}
        try:
            for name, value in wanted.items():
                setattr(settings, name, value)
            yield
        finally:
            for name, value in before.items():
                setattr(settings, name, value)


def _sources(features: Any, outline: Any) -> Sources:
    """OSMnx's frame as layers. Rows are sorted by id, so that the same answer gives the same plan."""
    rows = OsmRows()
    columns = [c for c in features.columns if c != "geometry"]
    values = features[columns].to_numpy(dtype=object)
    ids = [f"{element}/{number}" for element, number in features.index]
    for i in np.lexsort((features.index.get_level_values(1), features.index.get_level_values(0))):
        tags = {c: v for c, v in zip(columns, values[i], strict=True) if isinstance(v, str)}
        _add(rows, features.geometry.iloc[i], ids[i], tags)
    read = rows.sources()
    text = "\n".join(f"{i} {g.wkt}" for i, g in sorted(zip(ids, features.geometry, strict=True), key=lambda r: r[0]))
    return replace(read, territory=outline, digest=hashlib.sha256(text.encode()).hexdigest())


def _add(rows: OsmRows, geometry: Any, source: str, tags: dict[str, str]) -> None:
    dimension = shapely.get_dimensions(geometry)
    if dimension == 2:
        rows.polygon(geometry, source, tags)
        if "building" not in tags and tags.get("area") != "yes":
            # OSMnx makes areas of closed ways; a roundabout or a wall round a yard is a line all the same.
            for ring in shapely.get_rings(geometry):
                rows.line(shapely.LineString(ring.coords), source, tags)
    elif dimension == 1:
        for piece in shapely.get_parts(geometry):
            rows.line(piece, source, tags)
    elif tags.get("building", "no") not in {"no", "entrance"}:
        rows.building(geometry, source, tags)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
