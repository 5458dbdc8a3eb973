"""Outcomes become a promoted model, without a person and without a wrong promotion."""
