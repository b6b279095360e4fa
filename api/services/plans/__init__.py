"""Plans: made from files or from the database, adjusted, compared, explained, published."""
