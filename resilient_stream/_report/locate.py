"""Finds the record of a stream: it is attached to the HTTP request behind a stream, a response or an
exception."""

from __future__ import annotations

from typing import Final

from resilient_stream._core.record.ledger import RECORD_KEY

LINKS: Final = ("request", "http_response", "response")
"""From the SDK's streams, responses and exceptions, and from those of httpx and httpx2, to the request."""

FARTHEST: Final = 32
"""The most objects that are searched."""


def record_of(source: object) -> object:
    """The record of a stream, or None if there is none.

    Objects are recognised by their attributes, so that no package has to be imported.

    Args:
        source: a stream, a response, a request or an exception. The causes of an exception are searched too.
    """
    waiting, seen = [source], set[int]()
    while waiting and len(seen) < FARTHEST:
        thing = waiting.pop(0)
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        kept = _kept_on(thing)
        if kept is not None:
            return kept
        links = (_attribute(thing, name) for name in LINKS)
        waiting += [link for link in links if link is not None]
        if isinstance(thing, BaseException) and thing.__cause__ is not None:
            waiting.append(thing.__cause__)
    return None


def _kept_on(thing: object) -> object:
    extensions = _attribute(thing, "extensions")
    if isinstance(extensions, dict) and RECORD_KEY in extensions:
        kept: object = extensions[RECORD_KEY]
        return kept
    return getattr(thing, "__dict__", {}).get(RECORD_KEY)  # copies and pickles have lost their extensions


def _attribute(thing: object, name: str) -> object:
    try:
        return getattr(thing, name, None)
    except RuntimeError:  # httpx raises this if there is none
        return None
