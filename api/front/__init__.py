"""What is answered before Flask: cached tiles, 304s and lookups, by the same rules."""
