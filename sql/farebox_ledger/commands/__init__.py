"""Subcommands of `farebox` that ask or change the ledger; one module each."""
