"""Side by side with peers: ``./wangge bench NAME``; a module each with ``figures(quick, say)``."""
