"""``max_tokens`` caps what a stream writes over all its attempts, and nobody's window is exceeded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.states import Send
from resilient_stream._core.plan.planner import Form
from tests.support.contents import text
from tests.support.machines import REQUEST, RESET, Body, Reply, drive, machine
from tests.support.streams import MODERN, PREFILLED, block, block_start, ending, start, text_delta

ENGLISH = " ".join(f"Row {i} says that {i * 37} crates of oil went up in {1800 + i}." for i in range(2000))
CHINESE = "".join(f"第{i}行说在{1800 + i}年有{i * 37}箱油运上悬崖。" for i in range(2000))
POOR = Failure(Kind.REJECTED, Phase.HEADERS, status=400, body={"message": "the context limit is exceeded"})


@dataclass
class Meter:
    """A host that counts tokens, and writes as many as it is allowed to.

    ``spelling`` is the bytes there are to a token, ``tells`` whether it gives a stop reason, ``window`` the
    tokens that request and reply may have together. ``cuts`` has the share of each reply that comes through.
    """

    words: str
    most: int
    spelling: float
    tells: bool
    window: float = 1e9
    cuts: list[float] = field(default_factory=list)
    told: int = 25
    model: str = MODERN
    rejected: int = 0

    def tokens(self, said: str) -> float:
        """The true number of tokens."""
        return len(said.encode()) / self.spelling

    def __call__(self, send: Send) -> Reply:
        """The reply to a request."""
        body: Mapping[str, Any] = send.plan.body or {"messages": [], "max_tokens": self.most}
        added = "".join(_texts(body["messages"][1:]))
        if self.told + self.tokens(added) + body["max_tokens"] > self.window:
            self.rejected += 1
            return POOR
        rest = self._rest(send)
        most, share = body["max_tokens"] * self.spelling, self.cuts.pop(0) if self.cuts else 1.0
        said = rest.encode()[: int(most)].decode(errors="ignore")
        whole = said == rest
        opening = start(model=self.model, usage={"input_tokens": self.told, "output_tokens": 1})
        if share < 1.0:
            said = said[: int(share * len(said))]
            return Body(
                [opening, block_start(0, text("")), text_delta(0, said)] if said else [opening], RESET
            )
        closing = ending("end_turn" if whole else "max_tokens") if self.tells else b""
        return Body([opening, *block(0, text(said), 400), closing])

    def _rest(self, send: Send) -> str:
        """What there is still to say, behind the echo that is asked for."""
        if send.plan.body is None:
            return self.words
        messages = send.plan.body["messages"]
        (given,) = _texts(messages[-1:] if send.plan.form is Form.PREFILL else messages[-2:-1])
        quote = send.plan.asked.quote if send.plan.asked is not None else ""
        whole = send.plan.asked is not None and send.plan.asked.whole
        assert self.words.startswith(given)
        return self.words if whole else quote + self.words[len(given) :]


def _texts(messages: list[Any]) -> list[str]:
    contents = [each["content"] for each in messages]
    return [each if isinstance(each, str) else "".join(b["text"] for b in each) for each in contents]


def ask(most: int, model: str, **more: Any) -> dict[str, Any]:
    """A request."""
    return REQUEST | {"model": model, "max_tokens": most} | more


def near(meter: Meter, said: str, requests: int) -> bool:
    """Whether what was written has not passed the cap by more than a low estimate of it allows."""
    return meter.tokens(said) <= meter.most * max(1.0, 4.5 / meter.spelling) + 16 * requests


models = st.sampled_from([MODERN, PREFILLED, "prod-writer"])
cuts = st.lists(st.floats(0.0, 0.99), max_size=6)


@given(models, st.integers(200, 8000), st.floats(2.5, 4.5), st.booleans())
def test_a_host_that_never_tells_of_the_end_is_asked_little_more(
    model: str, most: int, spelling: float, english: bool
) -> None:
    """Whatever its tokens are: what is written stays near the cap, in few requests, and ends as by the cap."""
    meter = Meter(ENGLISH if english else CHINESE, most, spelling, tells=False)
    run = drive(machine(ask(most, model)), meter)
    assert (run.outcome, run.heard.stop_reason) == ("completed", "max_tokens")
    assert "max_tokens" in run.machine.ledger.reason
    assert near(meter, run.heard.text, len(run.sends))
    assert len(run.sends) <= (3 if spelling > 3.5 else 5)


@given(models, st.integers(200, 8000), st.floats(2.5, 4.5), cuts)
def test_a_host_that_tells_is_believed(model: str, most: int, spelling: float, shares: list[float]) -> None:
    """However often a long reply is cut: it ends by the cap, and has not passed it by more than the estimate allows."""
    meter = Meter(ENGLISH, most, spelling, tells=True, cuts=shares)
    run = drive(machine(ask(most, model)), meter)
    assert (run.outcome, run.heard.stop_reason) == ("completed", "max_tokens")
    assert near(meter, run.heard.text, len(run.sends))
    assert ENGLISH.startswith(run.heard.text)


@given(models, st.integers(400, 8000), st.floats(2.5, 4.5), st.floats(0.05, 0.6), cuts)
def test_a_reply_that_fits_is_not_cut_short(
    model: str, most: int, spelling: float, share: float, shares: list[float]
) -> None:
    """The cap of a reply that needs little more than half of it is never met because it was cut."""
    words = ENGLISH.encode()[: int(share * most * spelling)].decode()
    meter = Meter(words, most, spelling, tells=True, cuts=shares)
    run = drive(machine(ask(most, model)), meter)
    assert (run.outcome, run.heard.stop_reason, run.heard.text) == ("completed", "end_turn", words)


@given(
    st.sampled_from([(MODERN, 200_000), (PREFILLED, 200_000), ("prod-writer", 8_192)]),
    st.integers(1500, 8000),
    st.floats(2.6, 4.5),
    st.floats(0.02, 0.5),
)
def test_a_request_that_just_fits_is_continued(
    host: tuple[str, int], most: int, spelling: float, share: float
) -> None:
    """Into the window of a model, large or small: a cut in the first half of the reply is followed by no rejection."""
    model, window = host
    meter = Meter(ENGLISH, most, spelling, tells=True, window=window, cuts=[share], told=window - most)
    meter.model = model
    run = drive(machine(ask(most, model)), meter)
    assert meter.rejected == 0
    assert (run.outcome, run.heard.stop_reason) == ("completed", "max_tokens")


@pytest.mark.parametrize("kind", [Kind.TRUNCATED, Kind.RESET, Kind.OVERLOADED])
@pytest.mark.parametrize("thinking", [{"type": "enabled", "budget_tokens": 1024}, {"type": "adaptive"}])
def test_what_died_at_the_cap_is_ended_whatever_it_died_of(kind: Kind, thinking: dict[str, Any]) -> None:
    """No request is sent for the last words; the open block is closed, and the reason says who ended it."""
    said = ENGLISH[:9700]
    ends = None if kind is Kind.TRUNCATED else Failure(kind, Phase.BODY)
    reply = Body([start(), block_start(0, text("")), text_delta(0, said)], ends)
    run = drive(machine(ask(2048, PREFILLED, thinking=thinking)), lambda send: reply)
    assert (len(run.sends), run.heard.text, run.heard.stop_reason) == (1, said, "max_tokens")
    assert (run.outcome, run.machine.ledger.resumed, run.heard.stopped) == ("completed", False, True)
    assert run.machine.attempt.usage_source == "estimated"


def test_the_meter_counts() -> None:
    """The host of these laws rejects what does not fit, so that no law is kept by chance."""
    meter = Meter(ENGLISH, 1400, 4.0, tells=True, window=1425, cuts=[0.5])
    run = drive(machine(ask(1400, MODERN), max_tokens="keep"), meter)
    assert (meter.rejected, run.outcome) == (1, "failed")
