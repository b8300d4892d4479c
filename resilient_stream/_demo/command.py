"""The command ``resilient-stream demo``: its arguments, and the run that they start."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from resilient_stream import Observer, RetryPolicy
from resilient_stream._policy.switch import SWITCH
from resilient_stream.testing import ANSWER, CATALOGUE, StandIn

from .bare import Bare, meet
from .live import live
from .marks import Mark, Marker
from .run import MODEL, Call, Hear, Told, listen, nobody, run
from .schedule import DEFAULT, FAST, WATCHABLE, Pace, Strike, UnknownFaultError, chosen, faults
from .usage import UsageError

if TYPE_CHECKING:
    from .screen import Screen
    from .spans import Recorder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the demo's arguments."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--fault", metavar="KIND", action="append", help="run only this fault; repeat the option for more"
    )
    where.add_argument(
        "--live", action="store_true", help="use the real API, through a proxy that cuts it (billed)"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--list", action="store_true", help="list the faults and exit")
    how.add_argument("--spans", action="store_true", help="also draw the trace of the stream")
    how.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    parser.add_argument(
        "--model",
        default=MODEL,
        help=f"the model to name in requests; default {MODEL}. Models of the 4.5 family show prefill",
    )
    parser.add_argument(
        "--fast", action="store_true", help="leave out the pauses between words, and use short timeouts"
    )
    parser.add_argument("--async", dest="in_async", action="store_true", help="use the async client")


def demo(args: argparse.Namespace) -> int:
    """Run the demo. Return the exit status.

    Raises:
        UsageError: it can't run with these arguments.
    """
    if word := os.environ.get(SWITCH, "").strip():
        raise UsageError(f"{SWITCH}={word} in the environment switches the library; unset it to see the demo")
    if args.live and not os.environ.get("ANTHROPIC_API_KEY"):
        raise UsageError("--live needs a key in ANTHROPIC_API_KEY; without --live the demo needs none")
    if args.list:
        return _list(_screen())
    try:
        told = _json(args) if args.json else _shown(args, _screen())
    except UnknownFaultError as error:
        raise UsageError(str(error)) from error
    return 0 if told.is_whole(_expected(args)) else 1


def _screen() -> Screen:
    try:
        from .screen import Screen
    except ModuleNotFoundError as error:
        raise UsageError("the demo draws with rich: pip install 'resilient-stream[cli]'") from error
    return Screen(sys.stdout)


def _expected(args: argparse.Namespace) -> str | None:
    """The author's text, if there is an author."""
    return None if args.live else ANSWER


def _recorder() -> Recorder:
    try:
        from .spans import Recorder
    except ModuleNotFoundError as error:
        raise UsageError("--spans needs an SDK: pip install 'resilient-stream[cli,telemetry]'") from error
    return Recorder()


def _stream(args: argparse.Namespace, hear: Hear = nobody, observers: Sequence[Observer] = ()) -> Told:
    """The call that the demo shows."""
    if args.live:
        policy = RetryPolicy(observers=observers)
        return live(os.environ, args.model, hear, policy=policy, in_async=args.in_async)
    strikes, pace = _strikes(args), _pace(args)
    with StandIn(faults=faults(strikes), pace=pace.between) as server:
        before = [pause for strike in strikes for pause in strike.pauses(server)]
        policy = pace.policy().replace(observers=observers)
        call = Call(server.url, policy, model=args.model, before=before)
        return run(call, hear, in_async=args.in_async)


def _strikes(args: argparse.Namespace) -> list[Strike]:
    return chosen(args.fault or DEFAULT)


def _pace(args: argparse.Namespace) -> Pace:
    return FAST if args.fast else WATCHABLE


def _uninterrupted(args: argparse.Namespace) -> dict[str, int] | None:
    """The tokens of the same answer in one call without faults, from the stand-in, so that nothing is
    billed."""
    if args.live:
        return None
    with StandIn() as server:
        return listen(Call(server.url, model=args.model)).usage


def _bare(args: argparse.Namespace) -> Iterator[Bare]:
    """What the bare SDK does with the faults; nothing is billed to the user."""
    return iter(()) if args.live else meet(_strikes(args), args.model, _pace(args).patience)


def _json(args: argparse.Namespace) -> Told:
    told = _stream(args)
    expected = _expected(args)
    document: dict[str, Any] = {
        "text_identical": None if expected is None else told.is_whole(expected),
        "characters": len(told.text),
        "of": None if expected is None else len(expected),
        "stop_reason": told.stop_reason,
        "error": told.error or None,
        "seconds": round(told.seconds, 3),
        "report": told.report and told.report.model_dump(mode="json"),
        "uninterrupted": _uninterrupted(args),
        "bare": [asdict(row) | {"error": row.error or None} for row in _bare(args)],
    }
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    return told


def _list(screen: Screen) -> int:
    from . import show

    show.catalogue(screen, CATALOGUE.values())
    return 0


def _shown(args: argparse.Namespace, screen: Screen) -> Told:
    from . import show

    recorder = _recorder() if args.spans else None
    observers = [recorder.telemetry] if recorder else []
    strikes = [] if args.live else _strikes(args)
    show.opening(screen, [strike.entry for strike in strikes])
    told = _flowing(args, screen, observers) if screen.marks else _stream(args, observers=observers)
    if told.report is not None:
        show.attempts(screen, told.report)
        show.cost(screen, told, _uninterrupted(args))
    if recorder is not None:
        from .spans import timeline

        timeline(screen, recorder.trace)
    if not args.live:
        show.bare(screen, _bare(args))
    show.verdict(screen, told, _expected(args))
    if not screen.marks:  # nobody watches the text arrive, so the tables come first
        screen.rule()
        screen.write(f"{told.text}\n")
    return told


def _flowing(args: argparse.Namespace, screen: Screen, observers: Sequence[Observer]) -> Told:
    """The call, its text written as it arrives, with a mark wherever a request broke."""
    marker = Marker()

    def put(parts: Iterable[str | Mark]) -> None:
        for part in parts:
            screen.mark(part) if isinstance(part, Mark) else screen.write(part)

    screen.rule()
    told = _stream(args, lambda text, report: put(marker.split(text, report)), observers)
    put(marker.rest(told.report))
    screen.line()
    screen.rule()
    return told
