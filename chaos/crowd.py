"""A simulated crowd of streams and an upstream that fails.

The decisions are the real ones: the library's machine, its judge and its budget, and for the bare client the
SDK's own formula. There are no sockets, and time is a number: an hour of a thousand streams takes a few
seconds, and the same seed gives the same hour.
"""

from __future__ import annotations

import heapq
import itertools
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import anthropic
from anthropic._models import FinalRequestOptions

from resilient_stream import RetryBudget, RetryPolicy
from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.states import Action, Drain, Send, Wait
from resilient_stream._core.plan.planner import Planner
from resilient_stream._policy.judge import Judgement
from resilient_stream._policy.settings import settings_of

REFUSAL: Final = 0.01
"""Seconds until a connection is refused."""
REJECTION: Final = 0.1
"""Seconds until an overloaded server has answered so."""
HEAD: Final = 0.5
"""Seconds until a reply begins."""
WORDS: Final = 20
"""Words of a reply, one a second. The end follows the last one at once, as in the API's replies."""

REQUEST: Final[Mapping[str, Any]] = {
    "model": "claude-haiku-4-5",  # it is continued by a prefill, so nothing is repeated
    "max_tokens": 4096,
    "messages": [{"role": "user", "content": "Count."}],
}
REFUSED: Final = Failure(Kind.CONNECT, Phase.CONNECT)
OVERLOADED: Final = Failure(Kind.OVERLOADED, Phase.HEADERS, status=529)
CUT: Final = Failure(Kind.RESET, Phase.BODY)


def _frame(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


MESSAGE: Final = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": REQUEST["model"],
    "content": [],
    "usage": {"input_tokens": 10, "output_tokens": 1},
}
OPENING: Final = _frame("message_start", message=MESSAGE) + _frame(
    "content_block_start", index=0, content_block={"type": "text", "text": ""}
)
CLOSING: Final = (
    _frame("content_block_stop", index=0)
    + _frame("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 40})
    + _frame("message_stop")
)


def _word(number: int) -> bytes:
    return _frame("content_block_delta", index=0, delta={"type": "text_delta", "text": f" w{number}"})


WHOLE: Final = "".join(f" w{number}" for number in range(WORDS))


@dataclass(frozen=True)
class Health:
    """The state of an upstream."""

    capacity: int = 200
    """Replies at a time. Further requests are answered with a 529."""
    resets: bool = False
    """The running replies are cut when this state begins."""
    refuses: bool = False
    """Connections are refused."""
    rejects: float = 0.0
    """The share of requests that are answered with a 529 whatever the load."""
    cuts: float = 0.0
    """The share of replies that are cut in the middle."""


WELL: Final = Health()


@dataclass(frozen=True)
class Weather:
    """What happens to the upstream, and when."""

    name: str
    about: str
    troubles: tuple[tuple[float, float, Health], ...]
    """From, until, and the state between."""

    def health(self, now: float) -> Health:
        """The state of the upstream at a time."""
        return next((health for start, end, health in self.troubles if start <= now < end), WELL)

    @property
    def clears(self) -> float:
        """When the last trouble ends."""
        return max(end for _, end, _ in self.troubles)


class Consumer(Protocol):
    """Somebody who waits for a reply."""

    def opened(self) -> None:
        """The headers arrived."""

    def received(self, chunk: bytes) -> None:
        """Bytes arrived."""

    def failed(self, failure: Failure) -> None:
        """The attempt failed."""


@dataclass(eq=False)
class Reply:
    """A running reply."""

    consumer: Consumer
    word: int
    """The next word."""
    dies_at: int = WORDS + 1
    """The word at which the reply is cut."""


@dataclass
class Crowd:
    """The streams, the upstream and the time between them."""

    weather: Weather
    seed: int = 0
    now: float = 0.0
    asked: list[float] = field(default_factory=list)
    """When requests were made."""
    waited: list[float] = field(default_factory=list)
    """When those requests were made that were retries after a wait."""
    turned_away: list[float] = field(default_factory=list)
    """When requests were refused or rejected."""
    finished: int = 0
    """Streams that were completed."""
    spoken: list[float] = field(default_factory=list)
    """When words were sent. A reply sends one a second, so the words of one second are the running
    replies."""
    longest: float = 0.0
    """Seconds: the longest wait before a request."""

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._replies: dict[Reply, None] = {}
        for start, _, health in self.weather.troubles:
            if health.resets:
                self.at(start, self._cut_all)

    def clock(self) -> float:
        """The time."""
        return self.now

    def at(self, when: float, act: Callable[[], None]) -> None:
        """Call ``act`` at this time."""
        heapq.heappush(self._events, (when, next(self._order), act))

    @property
    def to_come(self) -> int:
        """How many things are still to happen."""
        return len(self._events)

    def run(self) -> None:
        """Run until nothing is left to happen."""
        while self._events:
            self.now, _, act = heapq.heappop(self._events)
            act()

    # -- the upstream ----------------------------------------------------------------------------

    def ask(self, consumer: Consumer, body: Mapping[str, Any], *, waited: float) -> None:
        """Receive a request, before which its stream has waited this long."""
        self.asked.append(self.now)
        if waited > 0:
            self.waited.append(self.now)
        self.longest = max(self.longest, waited)
        health = self.weather.health(self.now)
        if health.refuses:
            self._turn_away(consumer, REFUSED, REFUSAL)
        elif self.rng.random() < health.rejects or len(self._replies) >= health.capacity:
            self._turn_away(consumer, OVERLOADED, REJECTION)
        else:
            last = body["messages"][-1]
            words = len(last["content"][-1]["text"].split()) if last["role"] == "assistant" else 0
            reply = Reply(consumer, words)
            if self.rng.random() < health.cuts:
                reply.dies_at = self.rng.randint(words, WORDS - 1)
            self._replies[reply] = None
            self.at(self.now + HEAD, lambda: self._open(reply))

    def _turn_away(self, consumer: Consumer, failure: Failure, after: float) -> None:
        self.turned_away.append(self.now)
        self.at(self.now + after, lambda: consumer.failed(failure))

    def _open(self, reply: Reply) -> None:
        if reply in self._replies:
            reply.consumer.opened()
            reply.consumer.received(OPENING)
            self._say(reply)

    def _say(self, reply: Reply) -> None:
        if reply not in self._replies:
            return
        if reply.word >= reply.dies_at:
            self._cut(reply)
            return
        reply.word += 1
        self.spoken.append(self.now)
        reply.consumer.received(_word(reply.word - 1))
        if reply.word < WORDS:
            self.at(self.now + 1, lambda: self._say(reply))
        else:
            del self._replies[reply]
            reply.consumer.received(CLOSING)

    def _cut(self, reply: Reply) -> None:
        del self._replies[reply]
        reply.consumer.failed(CUT)

    def _cut_all(self) -> None:
        for reply in list(self._replies):
            self._cut(reply)


class Resilient:
    """A stream of the library, with its own machine and policy, and the crowd's time."""

    def __init__(self, crowd: Crowd, policy: RetryPolicy, budget: RetryBudget | None, seed: int) -> None:
        self.crowd = crowd
        settings = settings_of(policy)
        self.machine = Machine(
            planner=Planner(REQUEST, settings),
            settings=settings,
            judge=Judgement(policy, random.Random(seed), budget),
            error_for=lambda failure: ConnectionError(failure.kind),
        )
        self._reading = 0.0

    def begin(self) -> None:
        """The call is made."""
        self._act(self.machine.start(self.crowd.now))

    def opened(self) -> None:
        """The headers arrived."""
        self._act(self.machine.head(self.crowd.now, 200, None))

    def received(self, chunk: bytes) -> None:
        """Bytes arrived."""
        now = self.crowd.now
        self._act(self.machine.data(now, chunk, now - self._reading))

    def failed(self, failure: Failure) -> None:
        """The attempt failed."""
        self._act(self.machine.fault(self.crowd.now, failure))

    def _act(self, action: Action) -> None:
        crowd, machine = self.crowd, self.machine
        machine.take()
        self._reading = crowd.now
        if isinstance(action, Send):
            crowd.ask(self, action.plan.body or REQUEST, waited=machine.attempt.wait)
        elif isinstance(action, Wait):
            crowd.at(crowd.now + action.seconds, lambda: self._act(machine.waited(crowd.now)))
        elif isinstance(action, Drain):
            self._act(machine.end(crowd.now))
        elif machine.ledger.outcome == "completed" and machine.record.turn.stopped:
            crowd.finished += 1


class Bare:
    """A stream of the SDK alone, with the SDK's own retries before the headers and none after."""

    _client: Final = anthropic.Anthropic(api_key="key")
    _options: Final = FinalRequestOptions.construct(method="post", url="/v1/messages")

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self._left = self._client.max_retries
        self._open = False

    def begin(self) -> None:
        """The call is made."""
        self._ask(waited=0.0)

    def _ask(self, *, waited: float) -> None:
        self.crowd.ask(self, REQUEST, waited=waited)

    def opened(self) -> None:
        """The headers arrived: from here on the SDK retries nothing."""
        self._open = True

    def received(self, chunk: bytes) -> None:
        """Bytes arrived."""
        self.crowd.finished += chunk is CLOSING

    def failed(self, failure: Failure) -> None:
        """The attempt failed."""
        if self._open or self._left == 0:
            return
        wait = self._client._calculate_retry_timeout(self._left, self._options)
        self._left -= 1
        self.crowd.at(self.crowd.now + wait, lambda: self._ask(waited=wait))
