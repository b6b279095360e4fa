"""The database's history: one readable file a step under ``versions``, applied by ``data.postgres.migrate``."""
