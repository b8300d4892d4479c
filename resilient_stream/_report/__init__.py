"""Builds the report of a stream from the core's ledger, when a program asks for it."""
