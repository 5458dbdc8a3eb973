"""Loading, adapting and running models."""
