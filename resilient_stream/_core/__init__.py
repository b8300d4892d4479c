"""The sans-IO core."""
