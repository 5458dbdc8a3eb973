"""From outcomes to a promoted model."""
