"""Tiles: layers, versions by tile, and what a tile shows."""
