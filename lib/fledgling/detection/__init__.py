"""From what was said to what should be learned."""
