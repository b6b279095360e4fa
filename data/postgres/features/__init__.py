"""Features, exports and search over what is published."""
