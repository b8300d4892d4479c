"""The parts of a report: attempts, their failures, and the seams between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from resilient_stream._core.failures import Kind, Phase
from resilient_stream._core.plan.planner import Form
from resilient_stream._core.seam.joined import Joined


def _clean(value: Any) -> Any:
    """A value from outside in a form that UTF-8 can encode: JSON may contain half of a surrogate pair."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case Mapping():
            return {_clean(name): _clean(each) for name, each in value.items()}
        case list():
            return [_clean(each) for each in value]
        case _:
            return value


def _word(value: Any) -> Any:
    """A value from outside as a string, which it should be but may not be."""
    return None if value is None else _clean(str(value))


Word = Annotated[str | None, BeforeValidator(_word)]
Usage = Annotated[dict[str, Any], BeforeValidator(_clean)]


class Part(BaseModel):
    """The base of all parts, which are frozen."""

    model_config = ConfigDict(frozen=True)


class FailureReport(Part):
    """Why an attempt failed."""

    kind: Kind
    phase: Phase
    in_band: bool
    """Whether the API reported it inside a reply that had begun with status 200."""
    detail: Annotated[str, BeforeValidator(_word)]
    """A technical word: an exception's class, an ``error.type``. Never content."""
    retry_after: float | None = None
    """Seconds the server asked to wait; None if it sent no usable value."""
    said: Annotated[str, BeforeValidator(_word)] = ""
    """The API's own words about a rejection, as the SDK's exceptions have them: 300 characters at most, and
    none that quote the request."""


class AttemptReport(Part):
    """One request of the stream."""

    number: int
    kind: Form
    model: str
    request_id: Word
    message_id: Word
    status: int | None
    """The HTTP status; None if no response came."""
    failure: FailureReport | None
    events: int
    """Events received, pings apart."""
    characters: int
    """Characters of visible text that were delivered."""
    usage: Usage
    usage_source: Literal["reported", "estimated", "unknown"]
    estimated: list[str] = []
    """The numbers of ``usage`` that the API has not reported."""
    wait: float
    """Seconds waited before it."""
    queued: float = 0.0
    """The part of ``wait`` in which it waited for its turn, because the retry budget was spent."""
    duration: float | None
    """Seconds it took; None while it runs."""


class SeamReport(Part):
    """Where two attempts were joined. Lengths, never text."""

    attempt: int
    """The number of the attempt that continued."""
    at: int
    """Characters of visible text before the seam."""
    joined: Joined
    """How: ``prefill``, ``echo``, ``echo_only``, ``overlap``, ``restart``, ``preamble`` or ``as_is``."""
    trimmed: int
    """Characters of the continuation that were cut because they had been delivered before."""
    supplied: int
    """Characters, nearly always white space, that were inserted because the model had left them out."""
    verified: bool
    """Whether there was proof of where the continuation belongs; if it brought nothing, whether the text can
    end there as well."""
