"""Compile the engine's kernels into the cache, so that no measured run does."""

from __future__ import annotations

import gis.blocks

if __name__ == "__main__":
    gis.blocks.warm()
    print("{}")
