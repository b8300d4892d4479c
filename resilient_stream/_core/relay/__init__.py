"""Turns the events of one attempt into the bytes that are delivered.

`relay` reads the events. `open_block` and `reply_start` decide what is held and what is rewritten. `output`
delivers.
"""
