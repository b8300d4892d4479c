"""Every known fault, on real sockets, in every world: one kind, one phase, one outcome."""

from __future__ import annotations

from typing import Final

import anthropic
import pytest

from resilient_stream import RetryPolicy
from resilient_stream.testing import CATALOGUE, ErrorEvent, StandIn
from resilient_stream.testing.catalogue import Entry
from tests.support.worlds import HASTY, NERVOUS, TEXT, WORLDS, Seen, World, stand_in, sync_and_asyncio

SILENCES: Final = {
    "stall_after_message_stop",
    "stall_after_headers",
    "stall_mid",
    "ping_only_stall",
    "comment_stall",
    "slow_trickle",
    "no_headers",
    "stall_mid_headers",
    "s500_body_stall",
}

PASSED: Final = [
    "ok",
    "informational",
    "garbage_line",
    "utf8_split",
    "crlf",
    "crlf_split",
    "cr",
    "bom",
    "missing_event_line",
    "missing_all_event_lines",
    "wrong_event_name",
    "padded_json",
    "multi_data_line",
    "after_stop",
    "unknown_event",
    "unknown_delta",
    "missing_field",
    "gzip",
    "unknown_encoding",
    "gzip_bad_crc",
    "clean_end_before_message_stop",
    "rst_after_message_stop",
    "fin_after_message_stop",
    "stall_after_message_stop",
    "error_after_stop",
    "r301",
    "r302",
    "r303",
    "r307",
    "r308",
]
"""Nothing is wrong with these, or nothing that matters: one attempt, no failure."""

ADDED: Final = {"surrogate_split", "huge_event", "duplicate_delta"}
"""The fault says more than the author did; no client can tell, and it passes."""

FAILED: Final[dict[str, tuple[str, str, bool]]] = {
    **dict.fromkeys(["rst_mid_chunk", "rst_between_chunks", "close_delimited_rst"], ("reset", "body", False)),
    **dict.fromkeys(
        [
            "fin_mid_chunk",
            "fin_between_chunks",
            "content_length_short",
            "bad_chunk_size",
            "gzip_truncated_fin",
        ],
        ("closed", "body", False),
    ),
    **dict.fromkeys(
        [
            "content_length_cut",
            "close_delimited_fin",
            "clean_end_mid_block",
            "clean_end_after_block_stop",
            "clean_end_mid_event",
            "clean_end_before_blank_line",
            "empty_body",
            "proxy_text_appended",
            "gzip_truncated_clean",
        ],
        ("truncated", "body", False),
    ),
    **dict.fromkeys(["stall_after_headers", "stall_mid"], ("silent", "body", False)),
    **dict.fromkeys(["ping_only_stall", "comment_stall", "slow_trickle"], ("stalled", "body", False)),
    **dict.fromkeys(["no_headers", "stall_mid_headers"], ("silent", "headers", False)),
    **dict.fromkeys(
        [
            "fin_before_headers",
            "fin_mid_headers",
            "not_http",
            "huge_headers",
            "informational_fin",
            "status_101",
            "keepalive_race",
        ],
        ("closed", "headers", False),
    ),
    "rst_before_headers": ("reset", "headers", False),
    **dict.fromkeys(["status_204", "html_200", "json_message_200"], ("protocol", "headers", False)),
    **dict.fromkeys(
        ["garbage_bytes", "invalid_utf8", "json_cut", "gzip_corrupt"], ("corrupt", "body", False)
    ),
    **dict.fromkeys(
        [
            "duplicate_message_start",
            "out_of_order_index",
            "index_gap",
            "delta_before_start",
            "no_message_start",
        ],
        ("protocol", "body", False),
    ),
    **dict.fromkeys(
        [
            "error_event_overloaded",
            "error_event_first",
            "error_event_data_only",
            "error_event_no_blank_line",
            "json_error_200",
        ],
        ("overloaded", "body", True),
    ),
    **dict.fromkeys(
        ["error_event_api", "error_event_not_json", "error_event_no_data"], ("api_error", "body", True)
    ),
    "error_event_rate": ("rate_limited", "body", True),
    "error_event_timeout": ("timeout_error", "body", True),
    "s529": ("overloaded", "headers", False),
    **dict.fromkeys(
        ["s429", "s429_ra_ms", "s429_ra_0", "s429_ra_neg", "s429_ra_junk"], ("rate_limited", "headers", False)
    ),
    **dict.fromkeys(["s429_ra_1", "s429_ra_date"], ("rate_limited", "headers", False)),
    **dict.fromkeys(["s408", "s504_html"], ("timeout_error", "headers", False)),
    **dict.fromkeys(
        ["s500_html", "s502_html", "s503_html", "s409", "s425", "s500_body_cut", "s500_body_stall"],
        ("api_error", "headers", False),
    ),
    "s400_do_retry": ("rejected", "headers", False),
}
"""What each fault amounts to: kind, phase, in band. It is survived."""

REFUSED: Final[dict[str, tuple[str, type[Exception]]]] = {
    "error_event_invalid": ("rejected", anthropic.BadRequestError),
    "s429_no_retry": ("rate_limited", anthropic.RateLimitError),
    "s400": ("rejected", anthropic.BadRequestError),
    "s401": ("rejected", anthropic.AuthenticationError),
    "s403": ("rejected", anthropic.PermissionDeniedError),
    "s404": ("rejected", anthropic.NotFoundError),
    "s413": ("rejected", anthropic.APIStatusError),
    "s499": ("rejected", anthropic.APIStatusError),
    "redirect_loop": ("rejected", anthropic.APIConnectionError),
}
"""What is never retried, and what it is raised as."""

WAITING: Final = {"s429_ra_1", "s429_ra_date"}
"""These make the client wait for a real second; the waits themselves are tested on a virtual clock."""


def _met(entry: Entry, world: World) -> tuple[Seen, int]:
    """Meet a fault, with all the calls that takes; what the last call saw."""
    policy = NERVOUS if entry.name in SILENCES else HASTY
    seen = None
    with StandIn(reply=TEXT, faults=list(entry.faults)) as server:
        for _ in range(entry.calls):
            seen = world.stream(server.url, policy)
        assert server.wait_closed()
    assert seen is not None
    return seen, len(server.requests)


def test_every_row_has_an_outcome() -> None:
    """Each fault of the catalogue is in exactly one of the tables here."""
    tables = [set(PASSED), ADDED, set(FAILED), set(REFUSED), {"stale_keepalive"}]
    assert sum(map(len, tables)) == len(set().union(*tables))
    assert set().union(*tables) == set(CATALOGUE)


@sync_and_asyncio
@pytest.mark.parametrize("name", [*PASSED, "stale_keepalive"])
def test_passes(world: World, name: str) -> None:
    """What is no failure is not made one: one attempt, the whole answer."""
    seen, _ = _met(CATALOGUE[name], world)
    assert seen.error is None
    assert (seen.text, seen.message.stop_reason) == (TEXT, "end_turn")
    assert seen.forms == ["first"]
    assert seen.report.outcome == "completed"
    assert not seen.report.resumed


@pytest.mark.parametrize("world", WORLDS[:1], ids=["sync"])  # 5 MB in one event take anyio on asyncio 15 s
@pytest.mark.parametrize("name", sorted(ADDED))
def test_passes_what_is_said_twice(world: World, name: str) -> None:
    """What the wire can't tell from speech is handed on."""
    seen, _ = _met(CATALOGUE[name], world)
    assert (seen.error, seen.forms) == (None, ["first"])
    assert len(seen.text) > len(TEXT)


@sync_and_asyncio
@pytest.mark.parametrize("name", [name for name in FAILED if name not in WAITING])
def test_survives(world: World, name: str) -> None:
    """A fault amounts to one documented kind and phase, and the answer comes out whole."""
    kind, phase, in_band = FAILED[name]
    seen, _ = _met(CATALOGUE[name], world)
    assert (seen.error, seen.text) == (None, TEXT)
    failed, served = seen.report.attempts
    assert failed.failure is not None
    assert (failed.failure.kind, failed.failure.phase, failed.failure.in_band) == (kind, phase, in_band)
    assert served.failure is None


@pytest.mark.parametrize(
    "name",
    [
        "rst_mid_chunk",
        "fin_before_headers",
        "clean_end_mid_event",
        "stall_mid",
        "gzip_corrupt",
        "s529",
        "error_event_overloaded",
        "json_cut",
        "index_gap",
        "html_200",
    ],
)
def test_survives_under_trio(name: str) -> None:
    """Under trio a fault is the same fault: one of each family."""
    test_survives(WORLDS[2], name)


@sync_and_asyncio
@pytest.mark.parametrize("name", list(REFUSED))
def test_refuses(world: World, name: str) -> None:
    """What asking again can't cure is raised at once, as the SDK's own class, with a report."""
    kind, raised = REFUSED[name]
    seen, _ = _met(CATALOGUE[name], world)
    assert isinstance(seen.error, raised)
    assert seen.kinds == [kind]
    assert seen.report.outcome == "failed"


@sync_and_asyncio
@pytest.mark.parametrize("name", sorted(WAITING))
def test_obeys_retry_after(world: World, name: str) -> None:
    """A wait that the server asks for is not begun where it is longer than the policy allows."""
    policy = RetryPolicy(retry_after_max=0.5, budget=None)
    with StandIn(reply=TEXT, faults=list(CATALOGUE[name].faults)) as server:
        seen = world.stream(server.url, policy)
    assert isinstance(seen.error, anthropic.RateLimitError)
    assert seen.kinds == ["rate_limited"]


@sync_and_asyncio
@pytest.mark.parametrize("error", ["overloaded_error", "rate_limit_error", "api_error", "timeout_error"])
def test_in_band_errors_raise_the_class_of_their_status(world: World, error: str) -> None:
    """An error event that outlives the policy is raised as the class of the status it stands for."""
    status = {"overloaded_error": 529, "rate_limit_error": 429, "api_error": 500, "timeout_error": 504}[error]
    with stand_in(always=ErrorEvent(after=7, error=error)) as server:
        seen = world.stream(server.url, HASTY.replace(max_attempts=2))
    assert isinstance(seen.error, anthropic.APIStatusError)
    assert seen.error.status_code == status
    assert seen.error.type == error
