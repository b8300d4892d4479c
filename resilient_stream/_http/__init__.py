"""The part that all HTTP clients share: exceptions and responses as failures, bodies, and read timeouts.

Imported by the adapters only.
"""
