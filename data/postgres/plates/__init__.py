"""Plates, boards and cards, and what people say from a plate's page."""
