"""What the API says about a request that it rejects, and whether another form of the request may be accepted.

A 400 can mean anything: this model accepts no prefill, the signature of a thought is not valid here, the
account has no credit, the prompt is too long. ``error.type`` is the same for all of them, so the message is
read. Only the step to another form depends on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from resilient_stream._core.failures import Failure, Kind

LONGEST: Final = 300
"""The most characters of it that are kept."""

# Not compiled here: that takes longer than this whole module's import, and few programs see a rejection.
_FORM: Final = (
    r"prefill|assistant|thinking|signature|container|tool_use|tool_result|content block|alternat"
    r"|\brole|(?:user|last|final|previous) (?:message|turn)"
)
"""A pattern of words in a rejection that another form may avoid, in any case."""

_OTHER: Final = (
    r"credit|billing|balance|payment|quota|spend|usage|subscri|account|organi[sz]ation|workspace|permission"
    r"|access|api.?key|authenti|authori|token|too long|too large|exceed|context (?:limit|length|window)"
    r"|maximum|polic|filter|blocked|disabled|available|region|country|rate limit|overloaded"
)
"""A pattern of words in a rejection that no form avoids, in any case."""

_KEY: Final = re.compile(r"[\w+/=-]{32,}")
"""A pattern of what may be a key."""
_STRUCTURE: Final = frozenset({"type", "role", "name", "id", "tool_use_id"})
"""Fields of a message that contain no content."""
_WINDOW: Final = 24
_SHORTEST_CONTENT: Final = 12


def said(failure: Failure, request: Mapping[str, Any]) -> str:
    """The API's own words about a rejection, for people to read; empty if it is not a rejection, or the API
    sent no message.

    It may not be complete: at most `LONGEST` characters, nothing that looks like a key, and nothing at all if
    the message quotes the content of the request.
    """
    if failure.kind is not Kind.REJECTED:
        return ""
    words = " ".join(_message(failure.body).split())[:LONGEST]
    if words and _quotes(words, request):
        return "(its words quote the request)"
    return _KEY.sub("...", words)


def may_be_the_form(words: str, before: str) -> bool:
    """Whether another form of a continuation may be accepted that was rejected with this message.

    Args:
        words: the message, from `said`.
        before: what was said of the form before it. Words that are known for neither a form nor anything
            else mean something else if another form is met by the same.
    """
    if re.search(_FORM, words, re.IGNORECASE):
        return True
    return not re.search(_OTHER, words, re.IGNORECASE) and (not words or words != before)


def _message(body: object) -> str:
    """The message in the body of an error, in any known format."""
    if isinstance(body, Mapping):
        error = body.get("error")
        inner = error if isinstance(error, Mapping) else body
        found = (inner.get(name) for name in ("message", "error", "detail"))
        return next((each for each in found if isinstance(each, str)), "")
    return body if isinstance(body, str) else ""


def _quotes(words: str, request: Mapping[str, Any]) -> bool:
    """Whether a message repeats content of a request: a run of 36 characters, or a short content as a
    whole."""
    windows = [words[at : at + _WINDOW] for at in range(0, len(words) - _WINDOW + 1, _WINDOW // 2)]
    for content in _contents([request.get("system"), request.get("messages")]):
        if len(content) < _SHORTEST_CONTENT:
            continue
        if content.strip() in words or any(window in content for window in windows):
            return True
    return False


def _contents(value: Any) -> Iterator[str]:
    """All strings in a value, except those that only give a type or an id."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case Mapping() as fields:
                waiting += [each for name, each in fields.items() if name not in _STRUCTURE]
            case list() | tuple() as items:
                waiting += items
            case other if hasattr(other, "__dict__"):  # a model of the SDK's
                waiting.append(vars(other))
            case _:
                pass
