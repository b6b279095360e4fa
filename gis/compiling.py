"""numba's ``njit`` with a cache that several processes may fill at once.

numba names the file of a compiled loop by counting those its index knows. Two processes that compile two versions
of one loop (for other types of arguments) at the same moment take the same name, and one of them later runs the
other's code: endless loops and crashes were seen. Here a version's file is named by its types and sources.

A long loop that Python calls returns a plain tuple rather than a ``NamedTuple``: numba makes the latter by calling
Python and does not look whether the call failed (see ``gis.interrupts``).
"""

from __future__ import annotations

import hashlib
from typing import Any

from numba import njit
from numba.core.caching import IndexDataCacheFile

__all__ = ["njit"]


def _save(self: Any, key: Any, data: Any) -> None:
    """As numba's own ``save``, with a name that no other version of the loop can have."""
    overloads = self._load_index()
    number = int(hashlib.sha256(repr(key).encode()).hexdigest()[:15], 16)
    name = overloads.get(key) or self._data_name(number)
    # the code first: an index never names what is not there
    self._save_data(name, data)
    overloads[key] = name
    self._save_index(overloads)


IndexDataCacheFile.save = _save  # type: ignore[method-assign]  # numba offers no other way to name the files
