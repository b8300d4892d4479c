"""The requests that the API refuses, as a table of small rules.

Each rule checks one request and returns the API's error text, or None. The texts are those that the API's
documentation and its users report; if none is known, the rule's docstring says so. ``check`` goes through the
table in order and stops at the first refusal, as the API does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .asked import THINKING, Asked
from .continuations import blocks_of
from .models import accepts_prefill
from .tool_rules import TOOL_RULES
from .transcript import is_object, listing, mapping, sign

MAX_BODY = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason to refuse a request: a name, the status and type of the answer, and the check."""

    name: str
    check: Callable[[Asked], str | None]
    status: int = 400
    error: str = "invalid_request_error"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer to a refused request."""

    rule: str
    status: int
    error: str
    message: str
    details: Mapping[str, Any] | None = None


def body_too_large(asked: Asked) -> str | None:
    """No more than 32 MB."""
    return "Request exceeds the maximum size" if asked.size > MAX_BODY else None


def required_fields(asked: Asked) -> str | None:
    """``model``, ``max_tokens`` and ``messages`` must be there."""
    needed = ("model", "messages") if asked.counting else ("model", "max_tokens", "messages")
    return next((f"{name}: Field required" for name in needed if asked.body.get(name) is None), None)


def field_types(asked: Asked) -> str | None:
    """Each of them has its type."""
    body = asked.body
    if not isinstance(body["model"], str):
        return "model: Input should be a valid string"
    if not asked.counting and not isinstance(body["max_tokens"], int):
        return "max_tokens: Input should be a valid integer"
    if not asked.counting and body["max_tokens"] < 1:
        return "max_tokens: Input should be greater than or equal to 1"
    if not isinstance(body["messages"], list) or not all(map(is_object, listing(asked.body["messages"]))):
        return "messages: Input should be a valid list"
    return None if asked.messages else "messages: at least one message is required"


def roles(asked: Asked) -> str | None:
    """Only known roles; a system message may stand anywhere but first."""
    for at, message in enumerate(asked.messages):
        if message.get("role") not in ("user", "assistant", "system"):
            return f"messages.{at}.role: Input should be 'user' or 'assistant'"
    return None


def first_is_user(asked: Asked) -> str | None:
    """The first message is the user's."""
    if asked.messages[0].get("role") != "user":
        return 'messages: first message must use the "user" role'
    return None


def message_content(asked: Asked) -> str | None:
    """Each message has content; the final assistant turn may be empty."""
    for at, message in enumerate(asked.messages):
        content: Any = message.get("content")
        if not isinstance(content, (str, list)):
            return f"messages.{at}.content: Field required"
        optional = at == len(asked.messages) - 1 and message["role"] == "assistant"
        if not content and not optional:
            return (
                f"messages.{at}: all messages must have non-empty content "
                "except for the optional final assistant message"
            )
    return None


def empty_text(asked: Asked) -> str | None:
    """No empty text block."""
    empty = any(block.get("type") == "text" and not block.get("text") for *_, block in asked.blocks())
    return "messages: text content blocks must be non-empty" if empty else None


def blank_text(asked: Asked) -> str | None:
    """No text block of whitespace alone."""
    blank = any(block.get("type") == "text" and not block["text"].strip() for *_, block in asked.blocks())
    return "messages: text content blocks must contain non-whitespace text" if blank else None


def user_citations(asked: Asked) -> str | None:
    """No citations in user messages. The wording is the stand-in's own."""
    for at, role, place, block in asked.blocks():
        if role == "user" and block.get("type") == "text" and block.get("citations"):
            return f"messages.{at}.content.{place}.citations: citations are not allowed in user messages"
    return None


def budget_floor(asked: Asked) -> str | None:
    """A thinking budget is at least 1024 tokens."""
    if asked.budget is not None and asked.budget < 1024:
        return "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
    return None


def budget_below_max(asked: Asked) -> str | None:
    """A thinking budget is smaller than ``max_tokens``."""
    if asked.budget is None or asked.counting or asked.budget < asked.body["max_tokens"]:
        return None
    return "`max_tokens` must be greater than `thinking.budget_tokens`."


def thinking_with_forced_tool(asked: Asked) -> str | None:
    """No thinking if a tool call is forced."""
    if asked.thinking != "disabled" and asked.forced:
        return "Thinking may not be enabled when tool_choice forces tool use."
    return None


def signature_present(asked: Asked) -> str | None:
    """A thinking block carries its signature."""
    for at, _, place, block in asked.blocks():
        if block.get("type") == "thinking" and not block.get("signature"):
            return f"messages.{at}.content.{place}.thinking.signature: Field required"
    return None


def signature_valid(asked: Asked) -> str | None:
    """A signature belongs to its thinking. Thinking whose text is omitted is recognised by its signature
    alone."""
    for at, _, place, block in asked.blocks():
        if block.get("type") != "thinking":
            continue
        thinking, signature = block.get("thinking", ""), block["signature"]
        if signature != sign(thinking) and (thinking or signature not in asked.signatures):
            return f"messages.{at}.content.{place}: Invalid `signature` in `thinking` block"
    return None


def thinking_not_last(asked: Asked) -> str | None:
    """An assistant message does not end with thinking."""
    for at, message in enumerate(asked.messages):
        blocks = blocks_of(message)
        if blocks and message["role"] == "assistant" and blocks[-1].get("type") in THINKING:
            return f"messages.{at}: The final block in an assistant message cannot be `thinking`."
    return None


def thinking_first(asked: Asked) -> str | None:
    """With a thinking budget, an assistant message that has thinking begins with it."""
    for at, message in enumerate(asked.messages if asked.thinking == "enabled" else ()):
        kinds = [block.get("type") for block in blocks_of(message)]
        if message["role"] == "assistant" and set(THINKING) & {*kinds} and kinds[0] not in THINKING:
            return (
                f"messages.{at}.content.0.type: If an assistant message contains any thinking blocks, the "
                f"first block must be `thinking` or `redacted_thinking`. Found `{kinds[0]}`."
            )
    return None


def prefill_by_model(asked: Asked) -> str | None:
    """Newer models do not continue a final assistant turn."""
    allowed = accepts_prefill(str(asked.body["model"])) if asked.prefill is None else asked.prefill
    if not asked.final or allowed:
        return None
    return (
        "This model does not support assistant message prefill. "
        "The conversation must end with a user message."
    )


def prefill_with_thinking(asked: Asked) -> str | None:
    """No prefill while thinking is on."""
    if not asked.final or asked.thinking == "disabled":
        return None
    at, kind = len(asked.messages) - 1, asked.final[0].get("type")
    if kind in THINKING:
        return "You can't pre-fill the assistant response while thinking is on."
    return (
        f"messages.{at}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{kind}`. "
        "When `thinking` is enabled, a final `assistant` message must start with a thinking block"
    )


def thinking_in_prefill(asked: Asked) -> str | None:
    """No thinking block in a prefill while thinking is off."""
    if any(block.get("type") in THINKING for block in asked.final):
        return (
            "When thinking is disabled, an `assistant` message in the final position "
            "cannot contain `thinking`."
        )
    return None


def prefill_with_format(asked: Asked) -> str | None:
    """No prefill with structured output. The wording is the stand-in's own."""
    if asked.final and mapping(asked.body.get("output_config")).get("format"):
        return "Prefilling assistant messages is not supported with `output_config.format`."
    return None


def prefill_with_forced_tool(asked: Asked) -> str | None:
    """No prefill if a tool call is forced. The wording is the stand-in's own."""
    if asked.final and asked.forced:
        return "Prefilling assistant messages is not supported when tool_choice forces tool use."
    return None


def prefill_trailing_space(asked: Asked) -> str | None:
    """A prefill does not end in whitespace."""
    for block in asked.final[-1:]:
        if block.get("type") == "text" and block["text"][-1:].isspace():
            return "messages: final assistant content cannot end with trailing whitespace"
    return None


RULES: tuple[Rule, ...] = (
    Rule("body_too_large", body_too_large, 413, "request_too_large"),
    *(
        Rule(check.__name__, check)
        for check in (
            required_fields,
            field_types,
            roles,
            first_is_user,
            message_content,
            empty_text,
            blank_text,
            user_citations,
            budget_floor,
            budget_below_max,
            thinking_with_forced_tool,
            signature_present,
            signature_valid,
            thinking_not_last,
            thinking_first,
            *TOOL_RULES,
            prefill_by_model,
            prefill_with_thinking,
            thinking_in_prefill,
            prefill_with_format,
            prefill_with_forced_tool,
            prefill_trailing_space,
        )
    ),
)
"""The rules, in the order in which they are checked."""

SHAPE = frozenset({"required_fields", "field_types", "roles", "message_content"})
"""Rules that are checked even if the stand-in is not strict, because nothing can be answered without them."""


def check(asked: Asked, *, strict: bool = True) -> Refusal | None:
    """The first refusal of a request, or None if it is accepted."""
    for rule in RULES:
        if strict or rule.name in SHAPE:
            text = rule.check(asked)
            if text is not None:
                return Refusal(rule.name, rule.status, rule.error, text)
    return None
