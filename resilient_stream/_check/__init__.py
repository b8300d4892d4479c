"""``resilient-stream check``: how a model of the real API continues a reply that was cut.

The command streams a dozen prompts through a local proxy that cuts each reply once. It prints how each
continuation was joined, and what else only the real API can confirm. Its requests are billed, so it says
beforehand how many it will send.
"""

from __future__ import annotations
