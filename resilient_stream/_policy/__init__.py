"""Policies: the model with its fields and presets, how one is explained, and how it decides after a
failure.

`model` is the policy, `judge` applies it to one stream, `settings` is the part that the core acts on,
`budget` is what streams share, `scope` chooses a policy for a block or a call, `switch` reads the
environment.
"""
