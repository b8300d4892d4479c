"""Faults of the stream: its bytes, its events, its errors, its encoding."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from resilient_stream.testing.faults import (
    Bom,
    ErrorEvent,
    Gzip,
    Insert,
    Labelled,
    LineEndings,
    Mangle,
    Remove,
    Repeat,
    Slices,
    text_delta,
)
from resilient_stream.testing.transcript import sse_event

from .entry import CLOSED, HERE, NOTHING, STATUS, UNREADABLE, Entry, entry


def _new_block(index: int) -> bytes:
    block = {"type": "text", "text": ""}
    return sse_event({"type": "content_block_start", "index": index, "content_block": block})


def _unknown_delta() -> bytes:
    said: dict[str, Any] = {"type": "glow_delta", "glow": 1}
    return sse_event({"type": "content_block_delta", "index": 0, "delta": said})


def contents() -> Iterable[Entry]:
    """Bytes that are not what they should be."""
    yield entry("garbage_line", "a garbage line between events", Insert(after=HERE))
    decode = "UnicodeDecodeError"
    garbage = Insert(after=HERE, data=b"\xff\xfe\xfd\n")
    yield entry("garbage_bytes", "bytes between events that are not UTF-8", garbage, raises=decode)
    spoiled = Mangle(after=HERE, how="bad_utf8")
    yield entry("invalid_utf8", "invalid UTF-8 inside a data line", spoiled, raises=decode)
    yield entry("utf8_split", "one byte per chunk", Slices(at=0))
    halves = Insert(after=HERE, data=text_delta("\ud83d") + text_delta("\udc4b"))
    yield entry("surrogate_split", "a surrogate pair over two deltas", halves, text="changed")
    cut = Mangle(after=HERE, how="json_cut")
    yield entry("json_cut", "half an event's JSON, then it goes on", cut, raises="json.JSONDecodeError")
    yield entry("crlf", "CRLF line endings", LineEndings(b"\r\n"))
    yield entry("crlf_split", "CRLF split between chunks", LineEndings(b"\r\n", split=True))
    yield entry("cr", "CR line endings", LineEndings(b"\r"))
    yield entry("bom", "a byte order mark first", Bom(), raises=NOTHING)
    yield entry(
        "missing_event_line",
        "a delta without its event line",
        Mangle(after=HERE, how="no_event_line"),
        text="changed",
    )
    bare = Mangle(at=0, how="no_event_line", every=True)
    yield entry("missing_all_event_lines", "no event lines at all", bare, raises=NOTHING)
    misnamed = Mangle(after=HERE, how="wrong_event_name")
    yield entry("wrong_event_name", "the event's name differs from its type", misnamed)
    padded = Mangle(at=0, how="padded", every=True)
    yield entry("padded_json", "spaces before the JSON's last brace", padded)
    huge = Insert(after=HERE, data=text_delta("x" * 5 * 1024 * 1024))
    yield entry("huge_event", "one event of 5 MiB", huge, text="changed")
    yield entry("multi_data_line", "data in two lines", Mangle(after=HERE, how="two_data_lines"))


def events() -> Iterable[Entry]:
    """Events that do not form the stream of one message."""
    yield entry("duplicate_delta", "a delta twice", Repeat(after=HERE), text="changed")
    again = Repeat(after=HERE, what="message_start")
    yield entry("duplicate_message_start", "a second message_start", again)
    missing = "IndexError"
    stray = Mangle(after=HERE, how="wrong_index")
    yield entry("out_of_order_index", "a delta for a block that never began", stray, raises=missing)
    gap = Insert(after=HERE, data=_new_block(2) + text_delta("far", 2))
    yield entry("index_gap", "a block begins out of its order", gap, raises=missing)
    early = Insert(after=1, data=text_delta())
    yield entry("delta_before_start", "a delta before its block", early, raises=missing)
    yield entry("no_message_start", "no message_start", Remove(at=0), raises=NOTHING)
    late = Insert(after="message_stop", data=text_delta())
    yield entry("after_stop", "events after message_stop", late, text="changed")
    unknown = Insert(after=HERE, data=sse_event({"type": "weather", "sky": "clear"}))
    yield entry("unknown_event", "an event type that nobody knows", unknown)
    yield entry("unknown_delta", "a delta type that nobody knows", Insert(after=HERE, data=_unknown_delta()))
    nowhere = Mangle(after=HERE, how="no_index")
    yield entry("missing_field", "a delta without its index", nowhere, raises="TypeError")


def errors() -> Iterable[Entry]:
    """Errors inside a body that had begun with status 200."""
    for name, error in (
        ("overloaded", "overloaded_error"),
        ("api", "api_error"),
        ("rate", "rate_limit_error"),
        ("timeout", "timeout_error"),
        ("invalid", "invalid_request_error"),
    ):
        yield entry(
            f"error_event_{name}", f"{error} inside a 200", ErrorEvent(after=HERE, error=error), raises=STATUS
        )
    yield entry("error_event_first", "an error as the first event", ErrorEvent(at=0), raises=STATUS)
    garbled = ErrorEvent(after=HERE, spelling="not_json")
    yield entry("error_event_not_json", "an error whose data is not JSON", garbled, raises=STATUS)
    empty = ErrorEvent(after=HERE, spelling="no_data")
    yield entry("error_event_no_data", "an error without data", empty, raises=STATUS)
    unnamed = ErrorEvent(after=HERE, spelling="data_only")
    yield entry("error_event_data_only", "an error without its event line", unnamed, silent=True)
    unended = ErrorEvent(after=HERE, spelling="no_blank_line")
    yield entry("error_event_no_blank_line", "an error without its blank line", unended, silent=True)
    late = ErrorEvent(after="message_stop", error="api_error")
    yield entry("error_after_stop", "an error after message_stop", late, raises=STATUS, text="whole")
    proxy = Insert(
        after=HERE, data=b"upstream connect error or disconnect/reset before headers\n", then="clean"
    )
    yield entry("proxy_text_appended", "a proxy's words, then 0-chunk", proxy, silent=True)


def encodings() -> Iterable[Entry]:
    """Compression, whole and broken."""
    yield entry("gzip", "a compressed body", Gzip())
    clean = Gzip(after=HERE, wrong="truncated")
    yield entry("gzip_truncated_clean", "a compressed body cut, 0-chunk", clean, silent=True)
    cut = Gzip(after=HERE, wrong="truncated_fin")
    yield entry("gzip_truncated_fin", "a compressed body cut, FIN", cut, raises=CLOSED)
    corrupt = Gzip(after=HERE, wrong="corrupt")
    yield entry("gzip_corrupt", "a compressed body spoiled", corrupt, raises=UNREADABLE)
    crc = Gzip(wrong="bad_crc")
    yield entry("gzip_bad_crc", "a wrong checksum at the end", crc, raises=UNREADABLE, text="whole")
    yield entry("unknown_encoding", "an encoding that nobody knows, on a plain body", Labelled("x-tide"))
