"""Consensus: a proposal, a panel, rounds of ballots, an outcome that names its reasons."""
