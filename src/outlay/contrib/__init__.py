"""Pieces for other people's frameworks; each is imported by its own name and needs that framework alone."""
