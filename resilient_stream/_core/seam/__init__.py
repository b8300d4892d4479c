"""Where a continuation meets the text before it: the echo is found and cut, or a repetition, or a preamble.

`join` decides, from the other modules' findings; `buffer` holds the head of a continuation until it can. All
functions of the text alone.
"""
