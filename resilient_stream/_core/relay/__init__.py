"""From the events of one attempt to the bytes that are delivered: what is held, what is handed on verbatim,
what is rewritten. `relay` reads, `output` writes.
"""
