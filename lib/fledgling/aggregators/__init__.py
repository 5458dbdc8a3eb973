"""From several answers to one decision."""
