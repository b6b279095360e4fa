"""Migrations in order; exactly one head."""
