"""Policies: the model with its fields and presets, how one is explained, and how it decides after a
failure.

`model` is the policy, `judge` applies it to one stream, `budget` is what streams share, `scope` chooses
a policy for a block or a call.
"""
