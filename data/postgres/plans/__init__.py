"""Plans, their publications, and the grids that are in force."""
