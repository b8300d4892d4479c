"""The two loops, sync and async, that carry out what the core decides, and what they take from the outside
world.

They know an upstream (send, read, release, interrupt) and no HTTP client. Adapters import this package;
it imports the core and telemetry.
"""
