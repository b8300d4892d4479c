"""Every known fault, on real sockets, through every door: one kind, one phase, one outcome."""

from __future__ import annotations

from typing import Final

import pytest

from resilient_stream import RetryPolicy
from resilient_stream.testing import CATALOGUE, ErrorEvent
from tests.support.doors import Door, Through, every_door, through
from tests.support.worlds import HASTY, NERVOUS, TEXT, stand_in

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

REFUSED: Final[dict[str, tuple[str, str]]] = {
    "error_event_invalid": ("rejected", "400"),
    "s429_no_retry": ("rate_limited", "429"),
    "s400": ("rejected", "400"),
    "s401": ("rejected", "401"),
    "s403": ("rejected", "403"),
    "s404": ("rejected", "404"),
    "s413": ("rejected", "413"),
    "s499": ("rejected", "499"),
    "redirect_loop": ("rejected", "broken"),
}
"""What is never retried: its kind, and the status that the stream ends with."""

WAITING: Final = {"s429_ra_1", "s429_ra_date"}
"""These make the client wait for a real second; the waits themselves are tested on a virtual clock."""

SYNC: Final = (None,)
"""For faults that take anyio on asyncio 15 s: 5 MB in one event."""


def meet(name: str, door: Door) -> Through:
    """Meet a fault, with all the calls that takes; what the last call saw."""
    entry = CATALOGUE[name]
    with stand_in(*entry.faults) as server:
        seen = door.streams(server.url, entry.calls, NERVOUS if name in SILENCES else HASTY)
        assert server.wait_closed()
    return seen[-1]


def test_every_row_has_an_outcome() -> None:
    """Each fault of the catalogue is in exactly one of the tables here."""
    tables = [set(PASSED), ADDED, set(FAILED), set(REFUSED), {"stale_keepalive"}]
    assert sum(map(len, tables)) == len(set().union(*tables))
    assert set().union(*tables) == set(CATALOGUE)


@through(PASSED)
def test_passes(name: str, door: Door) -> None:
    """What is no failure is not made one: one attempt, the whole answer."""
    seen = meet(name, door)
    assert (seen.ending, seen.text, seen.message["stop_reason"]) == ("whole", TEXT, "end_turn")
    assert seen.forms == ["first"]
    assert seen.report.outcome == "completed"
    assert not seen.report.resumed


@through(sorted(ADDED), SYNC)
def test_passes_what_is_said_twice(name: str, door: Door) -> None:
    """What the wire can't tell from speech is handed on."""
    seen = meet(name, door)
    assert (seen.ending, seen.forms) == ("whole", ["first"])
    assert len(seen.text) > len(TEXT)


@through([name for name in FAILED if name not in WAITING])
def test_survives(name: str, door: Door) -> None:
    """A fault amounts to one documented kind and phase, and the answer comes out whole, once, in one block of one
    message, joined with proof where it was joined."""
    kind, phase, in_band = FAILED[name]
    seen = meet(name, door)
    assert (seen.ending, seen.text, seen.status) == ("whole", TEXT, 200)
    failed, served = seen.report.attempts
    assert failed.failure is not None
    assert (failed.failure.kind, failed.failure.phase, failed.failure.in_band) == (kind, phase, in_band)
    assert served.failure is None
    assert [block["text"] for block in seen.message["content"]] == [TEXT]
    starts_and_stops = ("message_start", "content_block_start", "content_block_stop", "message_stop")
    assert [seen.types.count(kind) for kind in starts_and_stops] == [1, 1, 1, 1]
    assert (seen.types[0], seen.types[-1]) == ("message_start", "message_stop")
    assert [seam.verified for seam in seen.report.seams] == [True] * (served.kind != "restart")


@through(list(REFUSED))
def test_refuses(name: str, door: Door) -> None:
    """What asking again can't cure ends the stream at once, as its status, with a report."""
    seen = meet(name, door)
    assert (seen.kinds, seen.ending) == ([REFUSED[name][0]], REFUSED[name][1])
    assert seen.report.outcome == "failed"


@every_door
def test_a_connection_that_died_while_idle_is_no_matter(door: Door) -> None:
    """Whether the client notices before it sends, or after: the answer is whole."""
    seen = meet("stale_keepalive", door)
    assert (seen.ending, seen.text) == ("whole", TEXT)
    assert seen.kinds in ([None], ["closed", None], ["reset", None])


@through(sorted(WAITING))
def test_obeys_retry_after(name: str, door: Door) -> None:
    """A wait that the server asks for is not begun where it is longer than the policy allows."""
    policy = RetryPolicy(retry_after_max=0.5, budget=None)
    with stand_in(*CATALOGUE[name].faults) as server:
        seen = door.stream(server.url, policy)
    assert (seen.ending, seen.kinds) == ("429", ["rate_limited"])


@every_door
@pytest.mark.parametrize(
    ("error", "status"),
    [("overloaded_error", 529), ("rate_limit_error", 429), ("api_error", 500), ("timeout_error", 504)],
)
def test_in_band_errors_end_as_the_status_they_stand_for(door: Door, error: str, status: int) -> None:
    """An error event that outlives the policy."""
    with stand_in(always=ErrorEvent(after=7, error=error)) as server:
        seen = door.stream(server.url, HASTY.replace(max_attempts=2))
    assert seen.ending == str(status)
    assert getattr(seen.error, "type", error) == error
