"""Bronze, silver, gold."""
