"""A small shop that answers questions."""
