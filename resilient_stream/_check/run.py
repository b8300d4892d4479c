"""Runs the check: every probe through the cutting proxy, and one request that ends in an assistant turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import anthropic

from resilient_stream import Observer, RetryPolicy, StreamReport, report, resilient
from resilient_stream._demo.proxy import CuttingProxy
from resilient_stream.observe import AttemptRecord, EndRecord, StreamRecord

from .findings import Seen
from .probes import Probe
from .wire import Answered

POLICY: Final = RetryPolicy(max_attempts=4, unverified="accept")
"""Few attempts: each is billed, and one cut needs one continuation."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one probe."""

    probe: Probe
    report: StreamReport
    error: str = ""
    """The class of the exception that ended it; empty if none did."""
    cut: bool = False
    """Whether the reply was long enough to be cut."""
    received: str = field(default="", repr=False)
    """The text before the cut. Content: shown only if the user asks for it."""
    text: str = field(default="", repr=False)
    """The whole text. Content, as above."""

    @property
    def form(self) -> str:
        """The form of the last request: ``user_turn``, ``prefill``, ``restart``."""
        return str(self.report.attempts[-1].kind)

    @property
    def joined(self) -> str:
        """How the last continuation was joined; empty if none was."""
        return str(self.report.seams[-1].joined) if self.report.seams else ""

    @property
    def verified(self) -> bool | None:
        """Whether each seam was proved; None if there is no seam."""
        seams = self.report.seams
        return all(seam.verified for seam in seams) if seams else None


class _Gap(Observer):
    """Remembers the longest read."""

    def __init__(self) -> None:
        self.longest = 0.0

    def on_end(self, stream: StreamRecord, end: EndRecord) -> None:
        """Note the end of a stream."""
        self._note(end.attempt)

    def on_failure(self, stream: StreamRecord, attempt: AttemptRecord) -> None:
        """Note the failure of an attempt."""
        self._note(attempt)

    def _note(self, attempt: AttemptRecord) -> None:
        self.longest = max(self.longest, attempt.gap)


def check(
    environ: Mapping[str, str],
    upstream: str,
    model: str,
    probes: Sequence[Probe],
    tell: Callable[[Outcome], None],
) -> tuple[list[Outcome], Seen]:
    """Run every probe, then the one about prefill.

    Args:
        environ: holds the key, as ``ANTHROPIC_API_KEY``.
        upstream: where the API is.
        model: the model that is checked.
        probes: what to ask.
        tell: called after each probe.
    """
    gap, answers, outcomes = _Gap(), list[Answered](), list[Outcome]()
    key = environ["ANTHROPIC_API_KEY"]
    policy = POLICY.replace(observers=[gap])

    def keep(
        request: bytes,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        cut: bool,  # noqa: FBT001 -- as the proxy calls it
    ) -> None:
        answers.append(Answered(request, status, dict(headers), body, cut))

    for probe in probes:
        before = len(answers)
        with CuttingProxy(upstream, [probe.snip], keep) as proxy, _client(proxy.url, key) as bare:
            told = _stream(resilient(bare, policy), probe, model, answers, before)
        outcomes.append(told)
        tell(told)
    with _client(upstream, key) as bare:
        prefill = _prefill(bare, model)
    return outcomes, Seen(model, answers, [told.report for told in outcomes], prefill, gap.longest)


def _client(url: str, key: str) -> anthropic.Anthropic:
    # trust_env: a proxy named in the environment has no business on the loopback interface.
    transport = anthropic.DefaultHttpxClient(trust_env=False)
    return anthropic.Anthropic(base_url=url, api_key=key, max_retries=0, http_client=transport)


def _stream(
    client: anthropic.Anthropic, probe: Probe, model: str, answers: Sequence[Answered], before: int
) -> Outcome:
    text, error = "", ""
    source: object = None
    try:
        with client.messages.stream(**probe.request(model)) as stream:
            for event in stream:
                if event.type == "text":
                    text += event.text
            source = stream
            stream.get_final_message()
    except anthropic.AnthropicError as failed:
        error, source = type(failed).__name__, failed
    cut = any(one.cut for one in answers[before:])
    received = "".join(_text(one) for one in answers[before : before + 1] if one.cut)
    return Outcome(probe, report(source), error, cut, received, text)


def _text(answer: Answered) -> str:
    deltas = [event.get("delta") or {} for event in answer.events()]
    return "".join(str(delta.get("text", "")) for delta in deltas if delta.get("type") == "text_delta")


def _prefill(client: anthropic.Anthropic, model: str) -> int | None:
    """The status of the answer to a request whose last turn is the assistant's."""
    messages: Any = [{"role": "user", "content": "Count to ten."}, {"role": "assistant", "content": "1, 2,"}]
    try:
        client.messages.create(model=model, max_tokens=16, messages=messages)
    except anthropic.APIStatusError as error:
        return error.status_code
    except anthropic.AnthropicError:
        return None
    return 200
