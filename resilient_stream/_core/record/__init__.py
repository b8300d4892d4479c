"""The books of a stream: attempts, usage and seams in the ledger, and the notes that observers are sent."""
