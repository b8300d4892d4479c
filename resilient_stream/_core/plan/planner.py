"""Makes the next request from what the consumer has, or says why there is none.

Before anything worth keeping was delivered, the same request is sent again: a *restart*, which nobody sees.
After that the model must continue: by *prefill*, with the partial turn in last place, if the model is known
to accept that; otherwise by a *user turn* that quotes the last words received and asks the model to repeat
them first. A request is only appended to: earlier messages, system and tools stay as they were, so that
caches hit and signed thinking stays valid.

If the API refuses a continuation with a 400, the next form is tried: prefill, user turn, user turn without
thinking, unless the API's message is about something that no form would change. A form counts as refused by a
model, for all streams of a client, once a lower form was accepted in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import Any, Final, NamedTuple

from resilient_stream._core.failures import Failure, Kind
from resilient_stream._core.seam.joined import Asked
from resilient_stream._core.settings import Settings
from resilient_stream._core.turn.salvage import Salvage, harmless, pending, salvage
from resilient_stream._core.turn.transcript import Turn

from . import models
from .allowance import Growth, allowed, cap, spent, visible
from .prompts import all_words, prompt, wording
from .quote import enough, quote
from .rejection import may_be_the_form
from .request_body import (
    extended,
    field_of,
    forced_tool,
    patched,
    reused,
    structured,
)

OVERLOADS_BEFORE_FALLBACK: Final = 2
"""Overloads in a row before another model is asked. A single one may pass at once."""


class Form(StrEnum):
    """The form of an attempt. The values appear in reports and spans."""

    FIRST = "first"
    RESTART = "restart"
    PREFILL = "prefill"
    USER_TURN = "user_turn"


class Step(IntEnum):
    """The ways to continue, in the order in which they are tried."""

    PREFILL = 0
    USER_TURN = 1
    USER_TURN_WITHOUT_THINKING = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """One request to send. ``body`` None means the user's own request, unchanged."""

    form: Form
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    asked: Asked | None = None
    """How the start of the reply is to be joined; None if no text is continued."""
    hide_thinking: bool = False
    """The reply's thinking must not be delivered: it belongs to a history that the user does not have."""

    @property
    def continues(self) -> bool:
        """Whether the reply continues a turn that was begun."""
        return self.form in (Form.PREFILL, Form.USER_TURN)


class FinishHere(NamedTuple):
    """No request: the turn ends as it is."""

    stop_reason: str = "tool_use"
    reason: str = ""
    """Why the library ends it, if the model might have continued."""


class Blocked(NamedTuple):
    """No request is possible, for this reason."""

    reason: str


@dataclass(slots=True, repr=False)
class Planner:
    """Plans the requests of one stream.

    ``refused`` is shared by all streams of a client: the pairs of a model and a step that it has refused.
    """

    request: Mapping[str, Any]
    settings: Settings
    refused: set[tuple[str, Step]] = field(default_factory=set)
    pinned: str | None = None
    """The fallback model to start with."""
    step: Step = Step.PREFILL
    container: str | None = None
    """The container that code has run in, to be used again."""
    containerless: bool = False
    """A continuation that named the container was refused."""
    grudging: bool = False
    """The last attempt reached ``max_tokens`` without text, so it is not reduced again."""

    in_other_words: bool = False
    """The first wording brought nothing, or nothing that could be joined."""

    hop: int = 0
    """How many models were given up; the next request goes to fallback number ``hop``."""
    start: int = 0
    """How many were given up when the stream began."""
    overloads: int = 0
    """Overloads in a row on the current model."""
    _left: list[tuple[str, Step]] = field(default_factory=list)
    """The steps that were given up after a 400, which may have meant something else."""
    _said: str = ""
    """What the API said about the last one."""

    def __post_init__(self) -> None:
        hops = [models.named(entry) for entry in self.settings.fallback_models]
        self.hop = self.start = hops.index(self.pinned) + 1 if self.pinned in hops else 0

    @property
    def model(self) -> str:
        """The model that the next request goes to."""
        return models.named(self.base)

    @property
    def base(self) -> Mapping[str, Any]:
        """The user's request, addressed to the current model."""
        if self.hop == 0:
            return self.request
        return patched(self.request, self.settings.fallback_models[self.hop - 1])

    @property
    def first(self) -> Plan:
        """The user's own request, or the same for the model that the conversation is pinned to."""
        return Plan(Form.FIRST, self.base if self.hop else None)

    @property
    def restart(self) -> Plan:
        """The same request again, or the same for another model, because nothing was delivered."""
        return Plan(Form.RESTART, self.base if self.hop else None)

    def note(self, failure: Failure, *, in_vain: bool = False) -> bool:
        """Note how an attempt failed. Return whether the next attempt goes to another model: because this one
        stays overloaded, or asks for a longer wait than the policy allows.

        Args:
            failure: the failure.
            in_vain: a continuation behind the same text brought nothing or could not be joined: the next one
                is asked in other words.
        """
        self.in_other_words = in_vain
        busy = failure.kind in (Kind.OVERLOADED, Kind.RATE_LIMITED)
        self.overloads = self.overloads + 1 if busy else 0
        too_long = busy and (failure.retry_after or 0) > self.settings.retry_after_max
        return (too_long or self.overloads >= OVERLOADS_BEFORE_FALLBACK) and self.fall_back()

    def fall_back(self) -> bool:
        """Go to the next model, if there is one."""
        if self.hop >= len(self.settings.fallback_models):
            return False
        self.hop, self.overloads, self.step = self.hop + 1, 0, Step.PREFILL
        self._left.clear()  # what another model accepts says nothing about this one
        return True

    def plan(self, turn: Turn) -> Plan | FinishHere | Blocked:
        """The request that continues ``turn``."""
        self._skip_refused()
        self.container = turn.container
        kept = salvage(
            turn,
            rerun_server_tools=self.settings.rerun_server_tools,
            keep_thinking=self.step is not Step.USER_TURN_WITHOUT_THINKING and self.hop == self.start,
        )
        if self.settings.continuation == "never":
            return Blocked("the policy (continuation = never) sends nothing once a reply has begun")
        if kept.tools_complete and not kept.call_cut:
            return self._finish_with_tools(turn)
        if kept.blocked is not None:
            return Blocked(kept.blocked)
        waited_for = pending(self.base, turn)
        if not self.settings.rerun_server_tools and not all(map(harmless, waited_for)):
            return Blocked(
                "a server tool that the paused turn waits for may have side effects if it runs again"
            )
        if not kept.blocks:
            return replace(self.restart, hide_thinking=any(block.signed for block in turn.blocks))
        written, held = visible(kept.blocks), not self.grudging
        if self.settings.max_tokens == "reduce" and spent(self.request, written, held=held):
            return FinishHere(
                "max_tokens", "no stop reason came, but what was written has reached max_tokens"
            )
        if obstacle := self._obstacle(waiting=bool(waited_for)):
            return Blocked(obstacle)
        return self._continue(kept, turn)

    def _skip_refused(self) -> None:
        if self.step is Step.PREFILL and not self._prefills():
            self.step = Step.USER_TURN
        if self.step is Step.USER_TURN and (self.model, self.step) in self.refused:
            self.step = Step.USER_TURN_WITHOUT_THINKING

    def below(self, rejected: Plan, said: str, turn: Turn) -> Plan | None:
        """The request to send in place of a continuation that was rejected with a 400 and this message; None
        if nothing is left, or if everything left would be rejected for the same reason."""
        before, self._said = self._said, said
        if not may_be_the_form(said, before):
            return None
        while self._step_down(rejected.form):
            plan = self.plan(turn)
            if isinstance(plan, Plan) and plan.body != rejected.body:
                return plan
        return None

    def accepted(self) -> None:
        """Note that the API has accepted the form that was sent last. The model refuses the forms that were
        given up for it."""
        for pair in self._left:
            self.refused.add(pair)
        self._left.clear()

    def _step_down(self, form: Form) -> bool:
        """Give up a step of a continuation. Return whether another one is left."""
        if form not in (Form.PREFILL, Form.USER_TURN):
            return False
        if self.container is not None and not self.containerless:
            self.containerless = True  # it may have expired
            return True
        self._left.append((self.model, self.step))
        if self.step is Step.USER_TURN_WITHOUT_THINKING or self.settings.continuation == "prefill":
            return False
        self.step = Step(self.step + 1)
        return True

    def _finish_with_tools(self, turn: Turn) -> FinishHere | Blocked:
        """Finish with complete calls, unless the next request would lack the container from which they
        came."""
        programmatic = any(
            block.type == "tool_use" and field_of(block.start.get("caller"), "type") not in (None, "direct")
            for block in turn.blocks
        )
        if programmatic and not turn.container:
            return Blocked("a tool call made by code needs its container, whose id was not received")
        return FinishHere()

    def _obstacle(self, *, waiting: bool) -> str | None:
        """Why this request can't be continued once content was delivered."""
        if waiting:
            return "a server tool that the paused turn waits for has no result"
        if self.settings.continuation == "restart_only":
            return "the policy only restarts, and content was already delivered"
        if self.base.get("thread") is not None:
            return "a message thread can't be continued"
        if structured(self.base):
            return "structured output can't be continued: the reply would be a new document"
        if forced_tool(self.base):
            return "a forced tool call can't be continued"
        return None

    def _continue(self, kept: Salvage, turn: Turn) -> Plan:
        served, text = turn.message or {}, kept.text
        stripped = text.rstrip()
        if text:
            kept.blocks[-1] = kept.blocks[-1] | {"text": stripped}
        if self.step is Step.PREFILL:
            asked = Asked("", text[len(stripped) :], text=stripped) if text else None
            growth = Growth(visible(kept.blocks), kept.blocks)
            return Plan(Form.PREFILL, self._body(extended(self.base, kept.blocks), growth, served), asked)
        return self._user_turn(kept.blocks, text, stripped, served)

    def _user_turn(
        self, blocks: list[dict[str, Any]], text: str, stripped: str, served: Mapping[str, Any]
    ) -> Plan:
        whole = bool(text) and len(blocks) == 1 and not enough(stripped)
        longest = self._longest_stop_sequence()
        fragment = quote(stripped, longest, self.settings.quote_length) if text else ""
        asked_in = wording(self.settings.continuation_template)
        said = prompt(asked_in, fragment, whole=whole, again=self.in_other_words)
        messages = [*extended(self.base, blocks), {"role": "user", "content": said}]
        asked = None
        if text:
            asked = Asked(fragment, text[len(stripped) :], whole, stripped, all_words(asked_in))
        growth = Growth(visible(blocks), blocks, said, fragment, whole=whole)
        return Plan(Form.USER_TURN, self._body(messages, growth, served), asked, hide_thinking=True)

    def _prefills(self) -> bool:
        if self.settings.continuation == "prefill":
            return True
        if self.settings.continuation == "user_turn":
            return False
        if (self.model, Step.PREFILL) in self.refused or not models.accepts_prefill(self.model):
            return False
        return not (models.thinking_on(self.base) or self.base.get("tools"))

    def _longest_stop_sequence(self) -> int:
        return max((len(str(sequence)) for sequence in self.base.get("stop_sequences") or ()), default=0)

    def _body(self, messages: list[Any], growth: Growth, served: Mapping[str, Any]) -> dict[str, Any]:
        body = {**self.base, "messages": messages}
        if self.container is not None and not self.containerless:
            body["container"] = reused(self.base.get("container"), self.container)
        own, most = cap(self.request), cap(self.base)
        if self.settings.max_tokens == "reduce" and own is not None and most is not None:
            held = not self.grudging
            body["max_tokens"] = min(most, allowed(self.base, own, growth, served, held=held))
        return body
