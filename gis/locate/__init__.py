"""From a point to its grid: datums and the exact index."""
