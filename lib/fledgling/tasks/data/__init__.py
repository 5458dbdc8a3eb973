"""The exercises: what one is and how they are divided (``examples``), and where they come from."""
