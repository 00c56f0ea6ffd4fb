"""The collector: takes OTLP in, answers for what is stored, and serves the ledger read-only."""
