"""Faults of the connection: cuts, silences, and what happens before the body."""

from __future__ import annotations

from collections.abc import Iterable

from resilient_stream.testing.faults import (
    SWITCHING,
    BadChunk,
    Cut,
    CutHead,
    Fault,
    Healthy,
    HugeHead,
    IdleClose,
    Informational,
    Pings,
    Raw,
    Stall,
    Status,
    Trickle,
    Unstreamed,
    error_body,
)

from .entry import CLOSED, CONNECTION, HERE, NOTHING, RESET, SILENCE, TIMEOUT, Entry, entry


def cuts() -> Iterable[Entry]:
    """The body ends too early, or in a bad way after the message was complete."""
    yield entry("ok", "no fault", Healthy())
    yield entry("rst_mid_chunk", "RST inside a chunk", Cut(after=HERE, how="mid_chunk_rst"), raises=RESET)
    yield entry("rst_between_chunks", "RST between chunks", Cut(after=HERE, how="rst"), raises=RESET)
    yield entry("fin_mid_chunk", "FIN inside a chunk", Cut(after=HERE, how="mid_chunk_fin"), raises=CLOSED)
    yield entry(
        "fin_between_chunks", "FIN between chunks, no 0-chunk", Cut(after=HERE, how="fin"), raises=CLOSED
    )
    yield entry(
        "content_length_short",
        "Content-Length longer than the body, FIN",
        Cut(after=HERE, how="length_short"),
        raises=CLOSED,
    )
    yield entry(
        "content_length_cut",
        "Content-Length shorter than the stream",
        Cut(after=HERE, how="length_cut"),
        silent=True,
    )
    yield entry(
        "close_delimited_fin",
        "FIN in a body without framing",
        Cut(after=HERE, how="close_fin"),
        silent=True,
    )
    yield entry(
        "close_delimited_rst",
        "RST in a body without framing",
        Cut(after=HERE, how="close_rst"),
        raises=RESET,
    )
    yield entry("clean_end_mid_block", "0-chunk inside a block", Cut(after=HERE, how="clean"), silent=True)
    yield entry(
        "clean_end_after_block_stop",
        "0-chunk after content_block_stop",
        Cut(after="content_block_stop", how="clean"),
        silent=True,
        text="whole",
    )
    yield entry(
        "clean_end_before_message_stop",
        "0-chunk after the stop reason, before message_stop",
        Cut(after="message_delta", how="clean"),
    )
    yield entry(
        "clean_end_mid_event",
        "0-chunk inside an event's JSON",
        Cut(after=HERE, plus=60, how="clean"),
        silent=True,
    )
    yield entry(
        "clean_end_before_blank_line",
        "0-chunk between a data line and its blank line",
        Cut(after=HERE, plus=-1, how="clean"),
        silent=True,
    )
    yield entry("empty_body", "200 and not one event", Cut(at=0, how="clean"), raises=NOTHING)
    for how, raised in (("rst", RESET), ("fin", CLOSED)):
        yield entry(
            f"{how}_after_message_stop",
            f"{how.upper()} after message_stop, no 0-chunk",
            Cut(after="message_stop", how="rst" if how == "rst" else "fin"),
            raises=raised,
            text="whole",
        )


def silences() -> Iterable[Entry]:
    """No bytes, or nothing but pings and comments."""
    yield entry(
        "stall_after_message_stop",
        "silence after message_stop, no 0-chunk",
        Stall(after="message_stop"),
        raises=SILENCE,
        text="whole",
    )
    yield entry("stall_after_headers", "silence after the head", Stall(at=0), raises=SILENCE)
    yield entry("stall_mid", "silence inside the message", Stall(after=HERE), raises=SILENCE)
    yield entry("ping_only_stall", "pings and nothing else, then 0-chunk", Pings(after=HERE), silent=True)
    yield entry(
        "comment_stall",
        "comments and nothing else, then 0-chunk",
        Pings(after=HERE, what="comment"),
        silent=True,
    )
    yield entry("slow_trickle", "one byte at a time, then FIN", Trickle(after=HERE, count=150), raises=CLOSED)


def heads() -> Iterable[Entry]:
    """Something is wrong before the body."""
    early: list[tuple[str, str, Fault, str]] = [
        ("no_headers", "the request is read and never answered", CutHead("stall"), TIMEOUT),
        ("fin_before_headers", "FIN before any byte", CutHead("fin"), CONNECTION),
        ("rst_before_headers", "RST before any byte", CutHead("rst"), CONNECTION),
        ("fin_mid_headers", "FIN inside the head", CutHead("fin", "half"), CONNECTION),
        ("stall_mid_headers", "silence inside the head", CutHead("stall", "half"), TIMEOUT),
        ("not_http", "another protocol", Raw(), CONNECTION),
        ("huge_headers", "a head of more than 100 KiB", HugeHead(), CONNECTION),
        ("informational_fin", "103 Early Hints, then FIN", CutHead("fin", "informational"), CONNECTION),
        ("status_101", "101 Switching Protocols", SWITCHING, CONNECTION),
    ]
    for name, about, fault, raised in early:
        yield entry(name, about, fault, raises=raised, retried=True)
    yield entry("informational", "103 and 100, then the answer", Informational())
    yield entry("bad_chunk_size", "a chunk size that is not a number", BadChunk(after=HERE), raises=CLOSED)
    yield entry("status_204", "204 No Content", Status(204), raises=NOTHING)
    yield entry("html_200", "200 with a proxy's page", Status.html(200), raises=NOTHING)
    yield entry(
        "json_error_200",
        "200 with an error object instead of a stream",
        Status(200, body=error_body("overloaded_error", "Overloaded")),
        raises=NOTHING,
    )
    yield entry("json_message_200", "200 with the whole message as JSON", Unstreamed(), raises=NOTHING)


def connections() -> Iterable[Entry]:
    """A kept-alive connection dies between two calls."""
    yield entry("stale_keepalive", "an idle connection is closed before the next call", IdleClose(), None)
    yield entry(
        "keepalive_race",
        "an idle connection is closed as the next call arrives",
        None,
        CutHead("fin"),
        raises=CONNECTION,
        retried=True,
    )
