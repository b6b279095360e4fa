"""What is imported: territories with the layers of their sources, divisions, doors, people."""
