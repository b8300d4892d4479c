"""How much a continuation may write: what is left of the user's ``max_tokens``, and of the model's window.

``max_tokens`` limits what is written over all attempts together. An attempt that was cut does not report what
it had written, so the visible text is estimated. The estimate is low as long as the API itself can report
that the limit is reached: too low an estimate costs one more short request, and too high a one costs text.
Thinking does not count, because each attempt thinks for itself.

The input grows by what was received and by the wording that asks for more. A first request that was accepted
fitted into the window together with its ``max_tokens``. So a continuation fits too if its ``max_tokens`` is
lower by as much as its input has grown. Far from the end of the window this does not matter to a small
``max_tokens``, and near it only a high estimate is safe.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from resilient_stream._core import tokens

from . import models
from .request_body import field_of

ABOVE_BUDGET: Final = 1024
"""``max_tokens`` must be greater than a thinking budget [platform docs, "Extended thinking"]; this much is
for the text."""
LAST_SIXTEENTH: Final = 16
"""Text within this part of the limit counts as having reached it: the model is not asked for a few words
more."""
SMALL: Final = 1024
"""This much, beside a thinking budget, may always be asked for far from the end of the window, however much
the input has grown."""
FEW: Final = 256
"""The least that is asked for if a high estimate leaves nothing of the window. The estimate may be too
high."""


class Growth(NamedTuple):
    """What a continuation adds to the request that it continues."""

    visible: str
    """The visible text that was written."""
    blocks: list[dict[str, Any]]
    """Everything that is kept of the turn, including the text."""
    wording: str = ""
    """The text of the user turn that asks for more."""
    quoted: str = ""
    """The fragment that the reply is to repeat, which is not new text."""
    whole: bool = False
    """Whether everything will be written again, so that nothing is subtracted for it."""


def visible(blocks: Iterable[Mapping[str, Any]]) -> str:
    """The visible text of blocks."""
    return "".join(block["text"] for block in blocks if block["type"] == "text")


def cap(request: Mapping[str, Any]) -> int | None:
    """The user's ``max_tokens``; None if it is not a number."""
    given = request.get("max_tokens")
    return given if isinstance(given, int) and not isinstance(given, bool) and given > 0 else None


def spent(request: Mapping[str, Any], visible: str, *, held: bool) -> bool:
    """Whether the visible text has reached ``max_tokens``, as far as can be known.

    The estimate is low: it takes 4.2 bytes of text for each token of the limit. If the next continuation
    could not be limited to what is left, the usual estimate is used.

    Args:
        request: the user's own.
        visible: the text.
        held: False if the next continuation gets all of ``max_tokens``, whatever was written.
    """
    most = cap(request)
    if most is None:
        return False
    left = most - tokens.at_least(visible)
    if not held or left < _floor(request, most):
        left = most - tokens.estimated(visible)
    return left < max(1, most // LAST_SIXTEENTH)


def allowed(
    request: Mapping[str, Any], most: int, growth: Growth, served: Mapping[str, Any], *, held: bool
) -> int:
    """The ``max_tokens`` of a continuation.

    Args:
        request: the one that it continues.
        most: the user's own ``max_tokens``.
        growth: what it adds.
        served: the message of the first reply, which has its model and its input.
        held: if False, it gets all of the user's, as far as the window allows.
    """
    written = tokens.at_least(growth.visible) - tokens.at_most(growth.quoted)
    left = most - written if held and not growth.whole else most
    added = tokens.of_request(growth.blocks) * tokens.USUAL_BYTES / tokens.FEWEST_BYTES
    highest = int(added) + tokens.at_most(growth.wording)
    if _input(request, served) + highest + left > models.window(models.named(request), models.named(served)):
        room = max(most - highest, FEW)
    elif held:
        room = max(most - tokens.estimated(growth.visible + growth.wording), SMALL + _budget(request))
    else:
        room = most
    return min(most, max(min(left, room), _floor(request, most)))


def _floor(request: Mapping[str, Any], most: int) -> int:
    """The least that the API accepts beside a thinking budget; less than all there was."""
    budget = _budget(request)
    return budget + ABOVE_BUDGET if 0 < budget < most - ABOVE_BUDGET else budget + 1


def _budget(request: Mapping[str, Any]) -> int:
    """The thinking budget; 0 without one."""
    budget = field_of(request.get("thinking"), "budget_tokens")
    return budget if isinstance(budget, int) else 0


def _input(request: Mapping[str, Any], served: Mapping[str, Any]) -> int:
    """The input tokens of a request: as reported, or a high estimate."""
    usage = served.get("usage")
    given = [field_of(usage, name) for name in tokens.INPUT_FIELDS]
    count = sum(filter(tokens.is_count, given))
    return count or int(tokens.of_request(request) * tokens.USUAL_BYTES / tokens.FEWEST_BYTES)
