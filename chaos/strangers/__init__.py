"""Programs in other languages, through the gateway: each streams through the stand-in's faults, bare and protected.

`programs` has them, `clients` says how each is run and what it needs, `meetings` has one meet one fault, and `table`
writes the result into docs/strangers.md.
"""
