"""What the table has been through."""
