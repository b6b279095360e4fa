"""Lookup: which grid a position lies in, one or many, over HTTP and from files."""
