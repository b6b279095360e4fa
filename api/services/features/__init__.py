"""Features: pages of what is published, and downloads of it."""
