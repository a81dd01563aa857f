"""Reports as text, JSON and CSV; pure functions from values to text."""
