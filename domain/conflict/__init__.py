"""Conflicts that climb four levels, with appeals, persons and annulment: events, fold, decisions, policy."""
