"""What is remembered between turns."""
