"""Standard addresses: issued, kept, and read for matching."""
