"""Runs frameworks against the stand-in's faults, bare and with the library.

`programs` has one program for each framework, `met` runs one against the faults in its own environment, and
`table` creates the environments and writes the result into docs/frameworks.md.
"""
