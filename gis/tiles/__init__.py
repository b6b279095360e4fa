"""Map tiles: z/x/y arithmetic, and simplification that keeps a coverage a coverage."""
