"""The database's history: a readable file a step in ``versions``, applied by ``data.postgres.server.migrate``."""
