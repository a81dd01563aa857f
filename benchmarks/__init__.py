"""Benchmarks: peers beside us in the same run, medians and ratios; ``make bench`` runs them all."""
