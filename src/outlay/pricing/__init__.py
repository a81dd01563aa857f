"""From Usage to Cost: dated rate cards, resolved once, multiplied exactly."""
