"""A synthetic city of any size as atoms and their graph: for benchmarks and tests, beside no real map at all.

``make(atoms, seed)`` lays streets by cutting land in two again and again (``streets``), fills the blocks with
buildings (``homes``), gives every building its cell (``cells``) and bends the whole so that no street is straight.
"""

from __future__ import annotations

from data.samples.city.make import City, make

__all__ = ["City", "make"]
