"""Many foreign rows at once: read, priced and kept by the ledger's own engine, column by column.

What a row must look like for that is narrow and checked; every other row is read by the rooms beside, one by
one, and both ways make the same records.
"""
