"""Everything that reads or writes: PostGIS, OpenStreetMap, GIS files, tables, exports."""
