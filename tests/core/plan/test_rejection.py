"""What the API says of a rejection, and what is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.plan.rejection import LONGEST, may_be_the_form, said

SECRET = "The lighthouse keeper woke before dawn because the lamp had gone quiet."
ASK = {"model": "claude-opus-5", "messages": [{"role": "user", "content": SECRET}]}


def rejection(body: Any, kind: Kind = Kind.REJECTED) -> Failure:
    """A failure that came with this body."""
    return Failure(kind, Phase.HEADERS, status=400, body=body)


FORMS = [
    "This model does not support assistant message prefill. The conversation must end with a user message.",
    "messages.1.content.0: Invalid `signature` in `thinking` block",
    'messages: roles must alternate between "user" and "assistant", but found multiple "user" roles in a row',
    "Expected `thinking` or `redacted_thinking`, but found `text`.",
    "container: cont_01 has expired",
    "`tool_use` ids were found without `tool_result` blocks immediately after: toolu_1",
    "Prefilling is not supported with extended thinking; `max_tokens` must exceed the budget",
    "The last message must be from the user",
]
OTHERS = [
    "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade.",
    "You have reached your specified API usage limits. You will regain access on 2026-01-01 at 00:00 UTC.",
    "prompt is too long: 208310 tokens > 200000 maximum",
    "input length and `max_tokens` exceed context limit: 195000 + 8192 > 200000, decrease input length",
    "Output blocked by content filtering policy",
    "This organization has been disabled.",
    "The long context beta is not yet available for this subscription.",
    "Your account is not authorized to invoke this API operation.",
    "invalid x-api-key",
]


@pytest.mark.parametrize("words", FORMS)
@pytest.mark.parametrize("before", ["", "same"])
def test_words_about_the_form_lead_to_another_form(words: str, before: str) -> None:
    """However often they are said."""
    assert may_be_the_form(words, before and words)


@pytest.mark.parametrize("words", OTHERS)
def test_words_about_something_else_lead_to_none(words: str) -> None:
    """What every form would meet is not tried in every form."""
    assert not may_be_the_form(words, "")


def test_unknown_words_are_followed_by_another_form_once() -> None:
    """Saying nothing is no repetition."""
    assert may_be_the_form("Bad Request", "")
    assert may_be_the_form("Bad Request", "Worse Request")
    assert not may_be_the_form("Bad Request", "Bad Request")
    assert may_be_the_form("", "")


@pytest.mark.parametrize(
    "body",
    [
        {"type": "error", "error": {"type": "invalid_request_error", "message": "No credit."}},
        {"error": {"message": "No credit."}},
        {"error": "No credit."},
        {"message": "No credit."},
        {"detail": "No credit.", "message": None},
        "No credit.",
        "  No\n credit.\n",
    ],
)
def test_the_words_are_found_in_any_body(body: Any) -> None:
    """The API's, Bedrock's, a gateway's, or plain text."""
    assert said(rejection(body), ASK) == "No credit."


@pytest.mark.parametrize("body", [None, {}, {"error": {"message": ["?"]}}, [1], 5, b"bytes", ""])
def test_nothing_is_said_where_there_are_no_words(body: Any) -> None:
    """Whatever the body is."""
    assert said(rejection(body), ASK) == ""


@pytest.mark.parametrize("kind", sorted(set(Kind) - {Kind.REJECTED}))
def test_only_a_rejection_has_words(kind: Kind) -> None:
    """Everything else is told by its kind."""
    assert said(rejection("Overloaded", kind), ASK) == ""


@dataclass
class Made:
    """A block as a class of the SDK's."""

    type: str
    text: str


@pytest.mark.parametrize(
    "request_",
    [
        ASK,
        {"system": SECRET, "messages": []},
        {"system": [{"type": "text", "text": SECRET}]},
        {"messages": [{"role": "assistant", "content": [Made("text", SECRET), object(), 5]}]},
        {"messages": ({"role": "user", "content": "hunter2hunter2"},)},
    ],
)
@pytest.mark.parametrize(
    "words",
    [
        f"input_value={SECRET!r} hunter2hunter2",
        f"near {SECRET[7:44]} hunter2hunter2",
        "x" * 200 + " " + SECRET + " hunter2hunter2",
        "a hunter2hunter2 " + SECRET * 99,
    ],
)
def test_no_words_that_quote_the_request_are_kept(request_: Any, words: str) -> None:
    """A host that answers with what it was asked tells a log nothing of it."""
    assert said(rejection(words), request_) == "(its words quote the request)"


def test_the_words_themselves_are_kept_short_and_without_keys() -> None:
    """What is as long as a key, and nothing else, is left out; names of fields and models stay."""
    words = (
        "messages.1.content.0.thinking.signature: claude-sonnet-4-5-20250929 refuses sk-ant-" + "a1B2" * 20
    )
    assert said(rejection(words), ASK) == (
        "messages.1.content.0.thinking.signature: claude-sonnet-4-5-20250929 refuses ..."
    )
    assert len(said(rejection("no " * 5000), ASK)) == LONGEST
    assert said(rejection("role: user, type: text"), ASK | {"messages": [{"role": "role: user, type: text"}]})
