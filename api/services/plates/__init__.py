"""Plates, notice boards and cards: printed, put up, checked, scanned."""
