"""Fledgling: a notebook-first workbench for teaching small language models while they are used."""

__version__ = "0.1.0"
