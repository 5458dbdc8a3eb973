"""Experts that answer questions."""
