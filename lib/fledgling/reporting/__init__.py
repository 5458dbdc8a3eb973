"""Runs, figures, tables and the index."""
