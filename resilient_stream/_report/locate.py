"""Where a report is found: on the HTTP request behind whatever a program has in its hands."""

from __future__ import annotations

from typing import Final

from resilient_stream._core.record.ledger import RECORD_KEY

LINKS: Final = ("request", "http_response", "response")
"""From the SDK's streams, responses and exceptions, and from those of httpx and httpx2, to the request."""

FARTHEST: Final = 32
"""Objects that are looked at."""


def record_of(source: object) -> object:
    """What is kept of a stream, or None where nothing is.

    Everything is known by its shape, so that no package is imported to look.

    Args:
        source: a stream, a response, a request or an exception; of an exception, its causes count too.
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
    except RuntimeError:  # httpx's way to say that there is none
        return None
