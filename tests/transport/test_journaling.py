"""Journaled streams of clients of httpx and httpx2. ``tests/journal/test_session.py`` has what holds for all
clients."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from resilient_stream import resilient
from resilient_stream.httpx import ResilientTransport
from resilient_stream.journal import Journal, journaled
from resilient_stream.testing import StandIn
from tests.support.doors import HEADERS, asking
from tests.support.worlds import HASTY, TEXT


@pytest.mark.parametrize("by_hand", [False, True])
def test_of_the_headers_those_are_kept_that_make_the_request(tmp_path: Path, by_hand: bool) -> None:
    """The key is none of them. A transport that was made by hand takes a journal, too."""
    with StandIn(reply=TEXT) as server, Journal(f"sqlite:///{tmp_path}/j.db") as journal:
        if by_hand:
            client = httpx.Client(transport=ResilientTransport(policy=HASTY, journal=journal))
        else:
            client = resilient(httpx.Client(), HASTY, journal=journal)
        with client, journaled("k"):
            client.post(f"{server.url}/v1/messages", json=asking(), headers=HEADERS)
        kept = journal.request("k")
        assert kept == {"headers": {"anthropic-version": "2023-06-01"}, "body": asking()}
