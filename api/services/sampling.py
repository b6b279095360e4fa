"""The samples: the town that comes with the product, and larger ones made on the spot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gis.errors import InputError
from gis.progress import Progress, silent

#: Sizes that can be asked for, in buildings.
LEAST: Final = 1000
MOST: Final = 200_000


@dataclass(frozen=True)
class Sample:
    """What a sample file holds."""

    path: Path
    buildings: int
    households: int
    communities: int


def write_sample(path: Path, size: int, seed: int, *, progress: Progress = silent) -> Sample:
    """Make a town of about ``size`` buildings and write it to ``path``, whole or not at all."""
    from data.samples.town import make_town
    from data.samples.town_file import write_town

    if not LEAST <= size <= MOST:
        raise InputError("sample.size", least=LEAST, most=MOST, size=size)
    if not path.resolve().parent.is_dir():
        raise InputError("sample.no_folder", folder=path.resolve().parent)
    town = make_town(size, seed, progress=progress)
    write_town(town, path)
    buildings = town["buildings"]
    households = sum(n or 0 for n in buildings.column("households"))
    return Sample(path, len(buildings), households, len(town["communities"]))
