"""Know what every LLM call costs."""
