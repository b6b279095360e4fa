"""Tiles: from a request to its version, through the caches, to the content."""
