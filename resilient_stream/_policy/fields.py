"""The types of a policy's fields, and the messages about wrong values.

pydantic checks the fields. This module has the types, and turns pydantic's errors into sentences that name
the field, the value and what would be right.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias, TypedDict, cast, get_args

from pydantic import BeforeValidator, Field, PlainValidator, ValidationError
from tenacity import RetryCallState
from tenacity.retry import retry_base
from tenacity.stop import stop_base
from tenacity.wait import wait_base

from resilient_stream._core.failures import RETRYABLE_KINDS, Kind
from resilient_stream._core.plan.prompts import PLACE, WORDINGS
from resilient_stream._core.wire import safe_json
from resilient_stream._telemetry.observers import Observer

from .budget import RetryBudget
from .redis_budget import RedisBudget

DAY: Final = 86_400.0
"""The longest wait or timeout, in seconds, so that a value in milliseconds is refused."""

MOST_REQUESTS: Final = 10**9
"""The largest number of requests that can be allowed. Larger numbers are mistakes."""

LONGEST_TOLD: Final = 300
"""The most characters that a message shows of a wrong value, and of what is wrong with it."""

Continuation: TypeAlias = Literal["auto", "prefill", "user_turn", "restart_only", "never"]
Unverified: TypeAlias = Literal["accept", "ask", "refuse"]
Holdable: TypeAlias = Literal["tool_use", "thinking", "server_tool_use"]
CompletedTools: TypeAlias = Literal["finish", "regenerate"]
MaxTokens: TypeAlias = Literal["reduce", "keep"]
UsageRule: TypeAlias = Literal["serving", "total"]
JournalFailure: TypeAlias = Literal["continue", "stop"]
Fallback: TypeAlias = str | Mapping[str, Any]
# tenacity's own StopBaseT and its like hold a forward reference that pydantic cannot resolve.
StopRule: TypeAlias = stop_base | Callable[[RetryCallState], bool]
WaitRule: TypeAlias = wait_base | Callable[[RetryCallState], float]
RetryRule: TypeAlias = retry_base | Callable[[RetryCallState], bool]


_HALF: Final = "it has half of a surrogate pair"


def _items(value: object, what: str) -> list[Any]:
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise ValueError(f"should be a collection of {what}")  # noqa: TRY004 -- pydantic lets a TypeError through
    return list(cast("Collection[Any]", value))


def _names(value: object, allowed: Collection[str], what: str) -> list[Any]:
    items = _items(value, what)
    for item in items:
        if not isinstance(item, str) or item not in allowed:
            raise ValueError(f"should hold only {what}: {', '.join(sorted(allowed))}; not {_told(item)}")
    return items


def _kinds(value: object) -> frozenset[Kind]:
    return frozenset(map(Kind, _names(value, RETRYABLE_KINDS, "failure kinds that can be retried")))


def _hold(value: object) -> frozenset[Holdable]:
    return frozenset(_names(value, get_args(Holdable), "block types that can be held"))


def _fallbacks(value: object) -> tuple[Fallback, ...]:
    return tuple(map(_fallback, _items(value, "model ids, or of mappings of request fields")))


def _fallback(item: object) -> Fallback:
    fields = cast("dict[Any, Any]", item) if isinstance(item, Mapping) else {"model": item}
    model = fields.get("model")
    if not isinstance(model, str) or not model.strip() or not all(isinstance(name, str) for name in fields):
        raise ValueError(
            f'each should be a model id, or a mapping of request fields with a "model"; not {_entry(item)}'
        )
    if item is model and safe_json.is_encodable(model):
        return model
    if own := {"messages", "stream"} & fields.keys():
        raise ValueError(f"each should leave the request's {' and '.join(sorted(own))} alone")
    return _json(fields)


def _json(fields: Mapping[Any, Any]) -> dict[str, Any]:
    """A copy, so that a policy does not change with the caller's dictionary."""
    try:
        copied: dict[str, Any] = safe_json.parse(json.dumps(dict(fields), allow_nan=False))
    except RecursionError:
        raise ValueError("each should be JSON: nested too deeply") from None
    except (TypeError, ValueError) as error:
        raise ValueError(f"each should be JSON: {error}") from None
    if not safe_json.is_encodable(copied):
        raise ValueError(f"each should be JSON: {_HALF}")
    return copied


def _template(value: object) -> str | None:
    if isinstance(value, str) and not safe_json.is_encodable(value):
        raise ValueError(f"should be text that can be sent: {_HALF}")
    if value is None or (isinstance(value, str) and (value in WORDINGS or PLACE in value)):
        return value
    names = ", ".join(f'"{name}"' for name in WORDINGS)
    raise ValueError(
        f"should be None, the name of a built-in wording ({names}) or a text with the placeholder {PLACE}"
    )


def _budget(value: object) -> Literal["shared"] | RetryBudget | RedisBudget | None:
    if value is None or isinstance(value, RetryBudget | RedisBudget):
        return value
    if value == "shared":
        return "shared"
    raise ValueError('should be "shared", a RetryBudget, a RedisBudget, or None for no budget')


def _strategy(family: type, example: str) -> Callable[[object], Any]:
    """A check for one family of tenacity's strategies, or a plain callable in its place."""
    wanted = f"should be None, a tenacity strategy such as {example}, or a callable that takes its state"

    def check(value: object) -> object:
        if value is None:
            return value
        # tenacity's other families and bare classes are callable too, and would be called without an error,
        # wrongly
        other = isinstance(value, type | stop_base | wait_base | retry_base) and not isinstance(value, family)
        if other or not callable(value):
            raise ValueError(wanted)
        if any(map(inspect.iscoroutinefunction, (value, type(value).__call__))):
            raise ValueError(f"{wanted}; not an async one: the result is needed at once")
        return value

    return check


def _observers(value: object) -> tuple[Observer, ...]:
    items = _items(value, "observers")
    for item in items:
        if not isinstance(item, Observer):
            raise ValueError(f"should hold only instances of resilient_stream.Observer; not {_told(item)}")  # noqa: TRY004 -- as above
        for name in dir(Observer):
            if name.startswith(("on_", "around_")) and inspect.iscoroutinefunction(getattr(item, name)):
                raise ValueError(
                    f"{type(item).__name__}.{name} should be a plain method: it is called inline"
                )
    return tuple(items)


_Positive: TypeAlias = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
_OneOrMore: TypeAlias = Annotated[float, Field(strict=True, ge=1, allow_inf_nan=False)]
Seconds: TypeAlias = Annotated[
    float, Field(strict=True, ge=0, le=DAY, allow_inf_nan=False, description="seconds, up to a day")
]
Clock: TypeAlias = Annotated[
    float, Field(strict=True, gt=0, le=DAY, allow_inf_nan=False, description="seconds, up to a day")
]
Deadline: TypeAlias = Annotated[_Positive | None, Field(description="seconds, or None for no deadline")]
Multiple: TypeAlias = Annotated[_OneOrMore | None, Field(description="a multiple, or None for no cap")]
Count: TypeAlias = Annotated[
    int, Field(strict=True, ge=1, le=MOST_REQUESTS, description="a number of requests, up to a billion")
]
QuoteLength: TypeAlias = Annotated[
    int, Field(strict=True, ge=40, le=400, description="a number of characters from 40 to 400")
]
Switch: TypeAlias = Annotated[bool, Field(strict=True)]
Kinds: TypeAlias = Annotated[frozenset[Kind], BeforeValidator(_kinds)]
Hold: TypeAlias = Annotated[frozenset[Holdable], BeforeValidator(_hold)]
Fallbacks: TypeAlias = Annotated[tuple[Fallback, ...], BeforeValidator(_fallbacks)]
Template: TypeAlias = Annotated[str | None, PlainValidator(_template)]
Budget: TypeAlias = Annotated[Literal["shared"] | RetryBudget | RedisBudget | None, PlainValidator(_budget)]
Stop: TypeAlias = Annotated[StopRule | None, PlainValidator(_strategy(stop_base, "stop_after_delay(60)"))]
Wait: TypeAlias = Annotated[WaitRule | None, PlainValidator(_strategy(wait_base, "wait_fixed(2)"))]
RetryIf: TypeAlias = Annotated[
    RetryRule | None, PlainValidator(_strategy(retry_base, "retry_if_exception_type(ConnectionError)"))
]

Observers: TypeAlias = Annotated[tuple[Observer, ...], PlainValidator(_observers)]


class PolicyFields(TypedDict, total=False):
    """The fields of a policy as they may be given: any collection is accepted for a set."""

    enabled: bool
    max_attempts: int
    max_barren_attempts: int
    deadline: float | None
    wait_initial: float
    wait_max: float
    overload_wait_initial: float
    overload_wait_max: float
    retry_after_max: float
    connect_timeout: float
    unreachable_timeout: float
    first_event_timeout: float
    silence_timeout: float
    stall_timeout: float
    retry_on: Iterable[Kind | str]
    continuation: Continuation
    continuation_template: str | None
    quote_length: int
    unverified: Unverified
    hold: Iterable[Holdable]
    completed_tools: CompletedTools
    rerun_server_tools: bool
    max_tokens: MaxTokens
    usage: UsageRule
    heal_history: bool
    fallback_models: Iterable[Fallback]
    max_input_multiple: float | None
    budget: Literal["shared"] | RetryBudget | RedisBudget | None
    journal_failure: JournalFailure
    stop: StopRule | None
    wait: WaitRule | None
    retry: RetryRule | None
    observers: Iterable[Observer]
    telemetry: bool


def shown(name: str, value: object) -> str:
    """A field's value for a ``repr`` or a message: as Python, without words that may be a prompt or a secret.
    A template is shown by its length, a fallback's fields by their names."""
    if name == "continuation_template" and not (isinstance(value, str) and value in WORDINGS):
        return _veiled(value)
    if name == "fallback_models" and isinstance(value, tuple | list):
        entries = [_entry(item) for item in cast("Collection[Any]", value)]
        return f"({', '.join(entries)}{',' * (len(entries) == 1)})"
    if name == "fallback_models":
        return _entry(value)
    if isinstance(value, frozenset):
        words = sorted(repr(str(item)) for item in cast("frozenset[str]", value))
        return f"{{{', '.join(words)}}}" if words else "()"
    return _told(value)


def _told(value: object) -> str:
    """The ``repr`` of a value, if it has a readable one."""
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 -- a number too long to be printed, a list within itself, anybody's __repr__
        return f"<{type(value).__name__}>"


def _cut(told: str) -> str:
    return told if len(told) <= LONGEST_TOLD else f"{told[:LONGEST_TOLD]}..."


def _entry(item: object) -> str:
    if not isinstance(item, Mapping):
        return _named(item)
    fields = item.items()
    told = (f"{_told(key)}: {_named(value) if key == 'model' else _veiled(value)}" for key, value in fields)
    return f"{{{', '.join(told)}}}"


def _named(model: object) -> str:
    return _told(model) if isinstance(model, str | bytes) else _veiled(model)


def _veiled(value: object) -> str:
    if value is None or isinstance(value, bool | int | float):
        return _told(value)
    return f"<{len(value)} characters>" if isinstance(value, str) else f"<{type(value).__name__}>"


def complaint(error: ValidationError, fields: Mapping[str, Any]) -> str:
    """All that is wrong, one sentence per field. ``fields`` are the model's, by name."""
    return "; ".join(_sentence(dict(each), fields) for each in error.errors(include_url=False))


def _sentence(error: dict[str, Any], fields: Mapping[str, Any]) -> str:
    if not error["loc"]:  # a rule between fields names them itself
        return str(error["ctx"]["error"])
    name = str(error["loc"][0])
    if error["type"] == "extra_forbidden":
        return _unknown(_cut(name), fields)
    text = str(error["msg"]).replace("Input should be", "should be").removeprefix("Value error, ")
    unit = fields[name].description
    told = f"{name} = {_cut(shown(name, error['input']))}: {_cut(text)}"
    return f"{told} ({unit})" if unit else told


def _unknown(name: str, known: Collection[str]) -> str:
    from difflib import get_close_matches  # for a mistake only

    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
    return f"unknown field {name!r}; {hint}"
