"""Addresses: numbered, kept, parsed, matched."""
