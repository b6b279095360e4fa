"""The database server itself: found, started, migrated, saved, and what a deployment remembers of itself."""
