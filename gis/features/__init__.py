"""Features as standards write them: GeoJSON geometry, and filters in CQL2."""
