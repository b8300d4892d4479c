"""The record of a stream: attempts, usage and seams in the ledger, and the notes for observers."""
