"""From conversation to adapter."""
