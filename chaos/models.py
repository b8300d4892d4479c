"""How a real model continues a reply that was cut: ``python -m chaos.models --weights FILE.gguf``.

The model answers behind the stand-in, each reply is cut at a place drawn by a seed, and the library joins
what the model writes next. The table counts, for each wording, what was delivered behind the cut. Only what a
program can see is judged, not whether it reads well: `Judged` has the results. The rates of one model do not
apply to another.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import anthropic

from resilient_stream import RetryPolicy, StreamReport, report, resilient
from resilient_stream.testing import Cut, StandIn, sse_events

from .local_model import LocalModel

MODEL: Final = "claude-sonnet-5"
"""The model name in requests to the stand-in: a model without prefill."""
MAX_TOKENS: Final = 300
CONTINUED: Final = 120
"""Output tokens of a continuation: enough to judge it."""
DELTA: Final = 4
"""Characters of a delta."""
ENDING: Final = 3
"""Events behind the last delta: the block's stop, the message's delta and its stop."""
TOLD_AGAIN: Final = 24
"""Letters behind the cut that make a repetition if they occur before it as well."""

PROMPTS: Final = (
    "Tell a short story about a lighthouse keeper.",
    "Explain how tides work in three paragraphs.",
    "Write a Python function that merges two sorted lists, with an explanation.",
    "Give a recipe for onion soup as a numbered list.",
    "Make a Markdown table of eight European capitals with population and river.",
    "Write a JSON document describing three books.",
    "Schreibe einen kurzen Text über Berlin.",
    "List ten tips for better sleep, a sentence each.",
    "Write a polite email asking for a refund.",
    "Compare TCP and UDP.",
)

WORDINGS: Final[Mapping[str, str | None]] = {"continue": "continue", "repeat": "repeat"}
"""The built-in ones."""


class Judged(StrEnum):
    """The result behind one cut."""

    ON = "new text"
    """New text, and none of the cases below."""
    NOTHING = "nothing"
    """The stream ended at the cut: the model stopped."""
    AGAIN = "repeated"
    """The text begins with text from before the cut."""
    WORDS = "words of the request"
    """It contains a sentence of the request."""
    FAILED = "failed"
    """The stream ended with an exception."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A reply, as far as it was received."""

    prompt: str
    received: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one cut."""

    judged: Judged
    joined: str
    verified: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print. Return the exit status."""
    parser = argparse.ArgumentParser("models", description=__doc__)
    parser.add_argument("--weights", type=Path, help="a GGUF file with an instruction-tuned model")
    parser.add_argument("--cuts", type=int, default=3, help="cuts of each reply (3)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, help="half of the processors by default")
    parser.add_argument("--wording", action="append", help="a text with {quote} in it; again for another")
    told = parser.parse_args(arguments)
    if told.weights is None or not told.weights.is_file():
        sys.stderr.write(
            "models needs a model: --weights FILE.gguf, an instruction-tuned one of any size. "
            "Nothing is downloaded by itself.\n"
        )
        return 2
    wordings = {**WORDINGS, **{f"own {n}": text for n, text in enumerate(told.wording or (), 1)}}
    measure(LocalModel(told.weights, told.threads), wordings, told.cuts, told.seed, sys.stdout.write)
    return 0


Author = Callable[[Mapping[str, Any]], str]


def measure(
    model: Author,
    wordings: Mapping[str, str | None],
    count: int,
    seed: int,
    write: Callable[[str], object],
    prompts: Sequence[str] = PROMPTS,
) -> dict[str, list[Outcome]]:
    """Cut replies of ``model``, have each continued in each wording, and write a row for each wording."""
    found = cuts(model, prompts, count, random.Random(seed))
    write(f"{len(found)} cuts\n\n| wording | {' | '.join(Judged)} | verified | verified, with new text |\n")
    write("|---|" + "---:|" * (len(Judged) + 2) + "\n")
    outcomes: dict[str, list[Outcome]] = {}
    for name, text in wordings.items():
        outcomes[name] = [continued(model, cut, text) for cut in found]
        write(_row(name, outcomes[name]))
    for name, told in outcomes.items():
        write(f"\njoined, {name}: {dict(Counter(one.joined for one in told).most_common())}\n")
    return outcomes


def cuts(model: Author, prompts: Sequence[str], count: int, rng: random.Random) -> list[Begun]:
    """Replies, each cut at ``count`` places behind their first 60 characters."""
    found = []
    for prompt in prompts:
        text = model({"messages": [{"role": "user", "content": prompt}], "max_tokens": MAX_TOKENS})
        places = [rng.randrange(60, len(text) - 20) for _ in range(count if len(text) > 100 else 0)]
        found += [Begun(prompt, text[:place].rstrip()) for place in places]
    return found


def continued(model: Author, cut: Begun, wording: str | None) -> Outcome:
    """Play the cut reply, have the model continue, and judge what was delivered behind the cut."""
    said: list[str] = []

    def author(request: Mapping[str, Any]) -> str:
        if len(request["messages"]) == 1:
            return cut.received
        said.append(str(request["messages"][-1]["content"]))
        return model({**request, "max_tokens": CONTINUED})

    deltas_end = len(sse_events(cut.received, delta_size=DELTA)) - ENDING
    policy = RetryPolicy(continuation_template=wording, wait_initial=0, wait_max=0, budget=None)
    with StandIn(
        reply=author, faults=[Cut(after=deltas_end)], manner=lambda text, *_: text, delta_size=DELTA
    ) as server:
        text, told = _stream(server.url, cut.prompt, policy)
    seam = told.seams[-1] if told.seams else None
    judged = judge(cut.received, text[len(cut.received) :], said)
    if told.outcome != "completed":
        judged = Judged.FAILED
    return Outcome(judged, str(seam.joined) if seam else "none", bool(seam and seam.verified))


def _stream(url: str, prompt: str, policy: RetryPolicy) -> tuple[str, StreamReport]:
    text = ""
    transport = anthropic.DefaultHttpxClient(trust_env=False)
    with anthropic.Anthropic(base_url=url, api_key="k", http_client=transport) as bare:
        try:
            with resilient(bare, policy).messages.stream(
                model=MODEL, max_tokens=4 * MAX_TOKENS, messages=[{"role": "user", "content": prompt}]
            ) as stream:
                for piece in stream.text_stream:
                    text += piece
        except anthropic.AnthropicError as error:
            return text, report(error)
        return text, report(stream)


def judge(received: str, after: str, said: Sequence[str]) -> Judged:
    """Judge what was delivered behind the cut.

    Args:
        received: the text before it.
        after: the text behind it.
        said: what the model was asked.
    """
    before, behind = _letters(received), _letters(after)
    if not behind:
        return Judged.NOTHING
    if len(behind) >= TOLD_AGAIN and behind[:TOLD_AGAIN] in before:
        return Judged.AGAIN
    asked = [
        _letters(sentence)
        for text in said
        for sentence in text.replace(received, "").replace("\n", ". ").split(". ")
    ]
    if any(
        len(sentence) >= TOLD_AGAIN and sentence in behind and sentence not in before for sentence in asked
    ):
        return Judged.WORDS
    return Judged.ON


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _row(name: str, outcomes: Sequence[Outcome]) -> str:
    counted = Counter(one.judged for one in outcomes)
    verified = sum(one.verified for one in outcomes)
    good = sum(one.verified and one.judged is Judged.ON for one in outcomes)
    cells = " | ".join(str(counted[judged]) for judged in Judged)
    return f"| {name} | {cells} | {verified} | {good} |\n"


if __name__ == "__main__":
    sys.exit(main())
