"""Questions in people's words over any ledger, and the values that answer them."""
