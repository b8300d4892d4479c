"""``resilient-stream check``: how a model of the real API goes on with a reply that was cut.

A dozen prompts are streamed through a local proxy that cuts each reply once. The command prints how each
continuation was joined, and what else only the real API can confirm. It is the only command that is billed,
so it says beforehand how much it will ask for.
"""

from __future__ import annotations
