"""Writes a town as a GeoPackage whose bytes depend on nothing but the town."""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from data.samples.town.model import CRS, LAYERS, Table, Town

#: Written into ``gpkg_contents.last_change`` of every layer instead of the present moment.
MOMENT: Final = "2024-01-01T00:00:00.000Z"
TYPES: Final = {"int": "Int64", "float": "float64", "text": "object"}


def write_town(town: Town, path: Path) -> None:
    """Write every layer; the file appears under its name only when it is whole.

    The same town gives the same bytes with the same GDAL and SQLite; between versions compare the layers
    feature by feature.
    """
    path = Path(path)
    descriptor, name = tempfile.mkstemp(suffix=".gpkg", dir=path.parent)
    os.close(descriptor)
    os.unlink(name)
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": MOMENT})
    try:
        for table in town.tables.values():
            _write_layer(table, name)
        os.replace(name, path)
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
        if os.path.exists(name):
            os.unlink(name)


def _write_layer(table: Table, name: str) -> None:
    frame = frame_of(table)
    append = os.path.exists(name)
    if isinstance(frame, gpd.GeoDataFrame):
        with warnings.catch_warnings():
            # a self-crossing footprint and mixed lines and areas are meant to be in the file
            warnings.simplefilter("ignore")
            pyogrio.write_dataframe(
                frame, name, layer=table.layer, driver="GPKG", append=append, promote_to_multi=False,
                geometry_type=_geometry_type(frame),
            )  # fmt: skip
    else:
        pyogrio.write_dataframe(frame, name, layer=table.layer, driver="GPKG", append=append)


def _geometry_type(frame: gpd.GeoDataFrame) -> str:
    kinds = sorted(set(frame.geometry.geom_type))
    return kinds[0] if len(kinds) == 1 else "Unknown"


def frame_of(table: Table) -> Any:
    """A layer as a data frame; a GeoDataFrame unless it has no geometry at all."""
    columns = {name: pd.Series(table.column(name), dtype=TYPES[kind]) for name, kind in LAYERS[table.layer].items()}
    if all(shape is None for shape in table.geometry):
        return pd.DataFrame(columns)
    return gpd.GeoDataFrame(columns, geometry=np.array(table.geometry, dtype=object), crs=CRS)
