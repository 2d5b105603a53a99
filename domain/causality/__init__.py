"""Causality: dots, version vectors, causal contexts, hybrid logical clocks."""
