"""Generators that yield records; the caller draws, writes or stops."""
