"""Runs programs in other languages against the stand-in's faults, bare and through the gateway.

`programs` has them, `clients` says how each is run and what it needs, `meetings` runs one program against one
fault, and `table` writes the result into docs/strangers.md.
"""
