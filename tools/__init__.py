"""Tools of the house: rebuilding the price data, replaying recorded responses."""
