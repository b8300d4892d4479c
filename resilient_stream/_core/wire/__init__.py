"""Server-sent events: bytes to frames, frames to checked events, and the order that events must have.

The lowest package of the core: it imports nothing of it but the failures.
"""
