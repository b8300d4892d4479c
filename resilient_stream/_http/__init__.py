"""The part that all HTTP clients share: failures from exceptions and responses, bodies, and read timeouts.

Only adapters import it.
"""
