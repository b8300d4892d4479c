"""Turns the events of one attempt into the bytes that are delivered. `relay` reads the events; `open_block`
and `reply_start` decide what is held or rewritten; `output` delivers.
"""
