"""Aggregation strategies: one small module for each, with its paper; `registry` has them by name."""
