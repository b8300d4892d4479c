"""The drivers: two loops, sync and async, that carry out the core's decisions, and the clocks they use.

They know an upstream (send, read, release, interrupt) and no HTTP client. Adapters import this package;
it imports the core and telemetry.
"""
