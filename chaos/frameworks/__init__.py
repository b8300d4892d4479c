"""Frameworks over the library: each streams through the stand-in's faults, bare and protected.

`programs` has one program for each framework, `met` runs one against the faults in its own environment, and
`table` makes the environments and writes the result into docs/frameworks.md.
"""
