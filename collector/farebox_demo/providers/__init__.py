"""Simulated LLM providers: real HTTP on loopback, seeded answers and trouble, and an invoice of their own.

Nothing here imports farebox, so what the invoice says is a second opinion on what the ledger says.
"""
