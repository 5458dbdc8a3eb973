"""Data the project owns and the streams users bring."""
