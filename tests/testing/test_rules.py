"""What the API refuses: for each rule a request that passes and one that does not."""

from __future__ import annotations

from typing import Any

import pytest

from resilient_stream.testing import sign
from resilient_stream.testing.asked import Asked
from resilient_stream.testing.rules import MAX_BODY, RULES, SHAPE, check
from tests.support.stand_ins import ASK, request

OLD = "claude-haiku-4-5"
MANUAL = {"type": "enabled", "budget_tokens": 1024}
SIGNED = {"type": "thinking", "thinking": "Hm.", "signature": sign("Hm.")}
UNSIGNED = {"type": "thinking", "thinking": "Hm."}
FORGED = {"type": "thinking", "thinking": "Hm!", "signature": sign("Hm.")}
HIDDEN = {"type": "thinking", "thinking": "", "signature": "known"}
TEXT = {"type": "text", "text": "Hi."}
USE = {"type": "tool_use", "id": "t1", "name": "n", "input": {}}
BY_CODE = {**USE, "caller": {"type": "code_execution_20260120", "tool_id": "s3"}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "x"}
SEARCH = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []}
REGEX = {"type": "server_tool_use", "id": "s2", "name": "tool_search_tool_regex", "input": {}}
MCP = {"type": "mcp_tool_use", "id": "m1", "name": "n", "server_name": "s", "input": {}}


def answered(*blocks: Any, then: Any = "Go on.") -> dict[str, Any]:
    """A conversation with an assistant turn and one more question."""
    return request([*ASK, {"role": "assistant", "content": list(blocks)}, {"role": "user", "content": then}])


def prefill(*blocks: Any, **more: Any) -> dict[str, Any]:
    """A conversation that ends with an assistant turn, for a model that takes it."""
    return request([*ASK, {"role": "assistant", "content": list(blocks)}], model=OLD) | more


def without(name: str) -> dict[str, Any]:
    """A request that lacks a field."""
    return {key: value for key, value in request().items() if key != name}


def say(content: Any, role: str = "user") -> dict[str, Any]:
    """A conversation of one message."""
    return request([{"role": role, "content": content}])


ACCEPTED: dict[str, list[dict[str, Any]]] = {
    "body_too_large": [request()],
    "required_fields": [request()],
    "field_types": [request()],
    "roles": [request(), request([*ASK, {"role": "system", "content": "Be brief."}])],
    "first_is_user": [request()],
    "message_content": [say("x"), prefill()],
    "empty_text": [answered(TEXT)],
    "blank_text": [answered({"type": "text", "text": " x "})],
    "user_citations": [answered({**TEXT, "citations": [{}]}), say([{**TEXT, "citations": []}])],
    "budget_floor": [request(thinking=MANUAL), request(thinking={"type": "adaptive"})],
    "budget_below_max": [request(thinking=MANUAL, max_tokens=1025)],
    "thinking_with_forced_tool": [
        request(thinking=MANUAL, tool_choice={"type": "auto"}),
        request(tool_choice={"type": "any"}),
    ],
    "signature_present": [answered(SIGNED, TEXT)],
    "signature_valid": [answered(SIGNED, TEXT), answered(HIDDEN, TEXT)],
    "thinking_not_last": [answered(SIGNED, TEXT)],
    "tool_results_follow": [answered(USE, then=[RESULT])],
    "tool_results_belong": [answered(USE, then=[RESULT, TEXT])],
    "thinking_first": [
        answered(SIGNED, TEXT) | {"thinking": MANUAL, "max_tokens": 2048},
        answered(TEXT) | {"thinking": MANUAL, "max_tokens": 2048},
        answered(TEXT, SIGNED, TEXT) | {"thinking": {"type": "adaptive"}},
    ],
    "unique_ids": [answered(SEARCH, FOUND, MCP, {**FOUND, "tool_use_id": "m1"}, TEXT)],
    "server_results_belong": [
        answered(SEARCH, FOUND, TEXT),
        say([{**RESULT, "type": "odd_tool_result"}]),
        request(
            [
                *ASK,
                {"role": "assistant", "content": [SEARCH]},
                {"role": "assistant", "content": [FOUND, TEXT]},
                *ASK,
            ]
        ),
    ],
    "container_named": [
        answered(USE, then=[RESULT]),
        answered({**USE, "caller": {"type": "direct"}}, then=[RESULT]),
        answered(BY_CODE, then=[RESULT]) | {"container": "c1"},
        answered(BY_CODE, then=[RESULT]) | {"container": {"id": "c1"}},
    ],
    "server_tool_results": [
        answered(SEARCH, FOUND, TEXT),
        prefill(TEXT, SEARCH),
        prefill(TEXT, SEARCH, REGEX),
        answered(SEARCH, USE, then=[RESULT]),
    ],
    "prefill_by_model": [prefill(TEXT), request(), prefill(TEXT, SEARCH, model="claude-opus-5")],
    "prefill_with_thinking": [
        request(thinking=MANUAL, model=OLD),
        prefill(TEXT, thinking={"type": "disabled"}),
    ],
    "thinking_in_prefill": [prefill(TEXT)],
    "prefill_with_format": [
        prefill(TEXT, output_config={"effort": "low"}),
        request(output_config={"format": {}}),
    ],
    "prefill_with_forced_tool": [prefill(TEXT, tool_choice={"type": "auto"})],
    "prefill_trailing_space": [prefill(TEXT), prefill({"type": "text", "text": " Hi"})],
}

NO_PREFILL = (
    "This model does not support assistant message prefill. The conversation must end with a user message."
)

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("required_fields", without("model"), "model: Field required"),
    ("required_fields", without("max_tokens"), "max_tokens: Field required"),
    ("required_fields", without("messages"), "messages: Field required"),
    ("field_types", request(model=3), "model: Input should be a valid string"),
    ("field_types", request(max_tokens="many"), "max_tokens: Input should be a valid integer"),
    ("field_types", request(max_tokens=0), "max_tokens: Input should be greater than or equal to 1"),
    ("field_types", request() | {"messages": "hi"}, "messages: Input should be a valid list"),
    ("field_types", request() | {"messages": ["hi"]}, "messages: Input should be a valid list"),
    ("field_types", request([]), "messages: at least one message is required"),
    ("roles", say("x", "robot"), "messages.0.role: Input should be 'user' or 'assistant'"),
    ("first_is_user", say("x", "assistant"), 'messages: first message must use the "user" role'),
    ("first_is_user", say("x", "system"), 'messages: first message must use the "user" role'),
    ("message_content", request([{"role": "user"}]), "messages.0.content: Field required"),
    ("message_content", say(""), "messages.0: all messages must have non-empty content"),
    ("message_content", answered(), "messages.1: all messages must have non-empty content"),
    ("empty_text", answered({"type": "text", "text": ""}), "messages: text content blocks must be non-empty"),
    (
        "blank_text",
        answered({"type": "text", "text": " \n"}),
        "messages: text content blocks must contain non-whitespace text",
    ),
    ("user_citations", say([{**TEXT, "citations": [{}]}]), "messages.0.content.0.citations"),
    (
        "budget_floor",
        request(thinking={"type": "enabled", "budget_tokens": 1023}),
        "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
    ),
    (
        "budget_below_max",
        request(thinking=MANUAL, max_tokens=1024),
        "`max_tokens` must be greater than `thinking.budget_tokens`.",
    ),
    (
        "thinking_with_forced_tool",
        request(thinking=MANUAL, tool_choice={"type": "any"}),
        "Thinking may not be enabled when tool_choice forces tool use.",
    ),
    (
        "signature_present",
        answered(UNSIGNED, TEXT),
        "messages.1.content.0.thinking.signature: Field required",
    ),
    (
        "signature_valid",
        answered(FORGED, TEXT),
        "messages.1.content.0: Invalid `signature` in `thinking` block",
    ),
    (
        "signature_valid",
        answered({**HIDDEN, "signature": "unknown"}, TEXT),
        "messages.1.content.0: Invalid `signature` in `thinking` block",
    ),
    (
        "thinking_not_last",
        answered(TEXT, SIGNED),
        "messages.1: The final block in an assistant message cannot be `thinking`.",
    ),
    (
        "thinking_not_last",
        prefill({"type": "redacted_thinking", "data": "x"}),
        "messages.1: The final block in an assistant message cannot be `thinking`.",
    ),
    (
        "tool_results_follow",
        answered(USE),
        (
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t1. "
            "Each `tool_use` block must have a corresponding `tool_result` block in the next message."
        ),
    ),
    ("tool_results_follow", prefill(TEXT, USE), "messages.1: `tool_use` ids were found without"),
    (
        "tool_results_belong",
        answered(TEXT, then=[RESULT]),
        "messages.2.content.0: unexpected `tool_use_id` found in `tool_result` blocks: t1.",
    ),
    ("tool_results_belong", say([RESULT]), "messages.0.content.0: unexpected `tool_use_id`"),
    (
        "server_tool_results",
        answered(SEARCH, TEXT),
        (
            "messages.1: `web_search` tool use with id `s1` was found without a corresponding "
            "`web_search_tool_result` block"
        ),
    ),
    (
        "thinking_first",
        answered(TEXT, SIGNED, TEXT) | {"thinking": MANUAL, "max_tokens": 2048},
        "must be `thinking`",
    ),
    ("unique_ids", answered(SEARCH, FOUND, SEARCH, FOUND, TEXT), "must be unique"),
    ("server_results_belong", answered(FOUND, TEXT), "`web_search_tool_result` blocks"),
    ("container_named", answered(BY_CODE, then=[RESULT]), "container_id is required"),
    (
        "container_named",
        answered(BY_CODE, then=[RESULT]) | {"container": {"skills": []}},
        "container_id is required",
    ),
    ("server_tool_results", answered(TEXT, SEARCH), "`web_search` tool use with id `s1`"),
    ("server_tool_results", prefill(SEARCH, TEXT), "`web_search` tool use with id `s1`"),
    ("server_tool_results", answered(REGEX, TEXT), "a corresponding `tool_search_tool_result` block"),
    ("server_tool_results", answered(MCP, TEXT), "a corresponding `mcp_tool_result` block"),
    ("prefill_by_model", prefill(TEXT, model="claude-opus-5"), NO_PREFILL),
    (
        "prefill_with_thinking",
        prefill(TEXT, thinking=MANUAL),
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`.",
    ),
    (
        "prefill_with_thinking",
        prefill(SIGNED, TEXT, thinking=MANUAL),
        "You can't pre-fill the assistant response while thinking is on.",
    ),
    (
        "thinking_in_prefill",
        prefill(SIGNED, TEXT),
        "When thinking is disabled, an `assistant` message in the final position cannot contain `thinking`.",
    ),
    (
        "prefill_with_format",
        prefill(TEXT, output_config={"format": {"type": "json_schema"}}),
        "Prefilling assistant messages is not supported with `output_config.format`.",
    ),
    (
        "prefill_with_forced_tool",
        prefill(TEXT, tool_choice={"type": "tool", "name": "n"}),
        "Prefilling assistant messages is not supported when tool_choice forces tool use.",
    ),
    (
        "prefill_trailing_space",
        prefill({"type": "text", "text": "Hi.\n"}),
        "messages: final assistant content cannot end with trailing whitespace",
    ),
]


@pytest.mark.parametrize("name", [rule.name for rule in RULES])
def test_each_rule_accepts_what_is_right(name: str) -> None:
    """A request that keeps the rule is not refused by it or by any other."""
    for body in ACCEPTED[name]:
        assert check(Asked(body, signatures={"known"})) is None


@pytest.mark.parametrize(("name", "body", "text"), REFUSED)
def test_each_rule_refuses_what_is_wrong(name: str, body: dict[str, Any], text: str) -> None:
    """A request that breaks the rule is refused by it, in the API's words."""
    refusal = check(Asked(body, signatures={"known"}))
    assert refusal is not None
    assert (refusal.rule, refusal.status, refusal.error) == (name, 400, "invalid_request_error")
    assert text in refusal.message


def test_each_rule_is_tested() -> None:
    """No rule without a case on both sides."""
    names = {rule.name for rule in RULES}
    assert names == set(ACCEPTED) == {name for name, *_ in REFUSED} | {"body_too_large"}


def test_a_body_has_a_limit() -> None:
    """32 MB and no more: 413."""
    assert check(Asked(request(), size=MAX_BODY)) is None
    refusal = check(Asked(request(), size=MAX_BODY + 1))
    assert refusal is not None
    assert (refusal.status, refusal.error) == (413, "request_too_large")


@pytest.mark.parametrize(("name", "body", "text"), REFUSED)
def test_only_the_shape_matters_where_nothing_is_strict(name: str, body: dict[str, Any], text: str) -> None:
    """A lenient stand-in refuses only what it could not read."""
    refusal = check(Asked(body), strict=False)
    assert (refusal is not None) == (name in SHAPE)
    assert refusal is None or text in refusal.message


@pytest.mark.parametrize("model", [OLD, "claude-opus-5"])
@pytest.mark.parametrize("allowed", [True, False])
def test_the_table_of_models_can_be_overruled(model: str, allowed: bool) -> None:
    """A test may say itself whether a prefill is taken."""
    refusal = check(Asked(prefill(TEXT, model=model), prefill=allowed))
    assert (refusal is None) is allowed


def test_counting_needs_no_max_tokens() -> None:
    """``count_tokens`` asks for less, and a budget has nothing to be compared with."""
    assert check(Asked(without("max_tokens"), counting=True)) is None
    assert check(Asked(without("max_tokens") | {"thinking": MANUAL}, counting=True)) is None
    assert check(Asked(without("model"), counting=True)) is not None
