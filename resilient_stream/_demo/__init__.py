"""The demo: one long answer, streamed through faults, beside what the bare SDK makes of them.

It needs no key and no network: the stand-in of `resilient_stream.testing` plays the API. With
``--live`` the real API answers, through a local proxy that cuts its streams. Start it with
``resilient-stream demo``.
"""

from __future__ import annotations
