"""Holds what providers bill against what the ledger recorded: reading, keeping, comparing, naming reasons."""
