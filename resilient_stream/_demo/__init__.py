"""The demo streams one long answer through faults, and shows what the bare SDK does with the same faults.

It needs no key and no network: the stand-in of `resilient_stream.testing` plays the API. With
``--live`` the real API answers, through a local proxy that cuts its streams. Start it with
``resilient-stream demo``.
"""

from __future__ import annotations
