"""Shared context: writes from many nodes, siblings where they are concurrent, rules that may merge them."""
