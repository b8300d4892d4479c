"""Claude streams that survive."""
