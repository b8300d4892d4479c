"""What the HTTP clients have in common: exceptions and responses as failures, bodies, and read timeouts.

Imported by the adapters only.
"""
