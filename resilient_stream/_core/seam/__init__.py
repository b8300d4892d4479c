"""Joins a continuation to the text before it: finds and cuts the echo, other repetitions, and preambles.

`join` makes the decision from what the other modules find. `buffer` holds the beginning of a continuation
until there is enough of it to decide. Every result depends on the text alone.
"""
