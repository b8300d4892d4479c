"""``resilient-stream journal``: list, show, read and remove the streams of a journal."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from resilient_stream._core.record.ledger import Attempt, Ledger
from resilient_stream.errors import JournalError

from .entries import Head, Status
from .journal import Journal

COLUMNS: Final = "{:<10} {:>6} {:>9} {:<16} {}\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "act",
        choices=sorted(ACTS),
        metavar="ls|show|read|rm",
        help="ls lists the streams, show shows the attempts and the cost of some, read prints their events, "
        "rm removes them",
    )
    parser.add_argument("url", metavar="URL", help="the journal: sqlite:///streams.db or redis://host:6379/0")
    parser.add_argument("keys", nargs="*", metavar="KEY", help="the streams; ls without a key lists all")


def run(args: argparse.Namespace) -> int:
    """Run the command. Return the exit status: 0, or 1 if a stream does not exist."""
    try:
        journal = Journal(args.url)
    except ValueError as error:
        raise JournalError(str(error)) from None
    with journal:
        status: int = ACTS[args.act](journal, args.keys)
        return status


def _list(journal: Journal, keys: list[str]) -> int:
    sys.stdout.write(COLUMNS.format("status", "frames", "bytes", "last written", "key"))
    gone = {head.key for head in journal.abandoned()}
    for head in journal.streams():
        if not keys or head.key in keys:
            status = "abandoned" if head.key in gone else head.status.value
            sys.stdout.write(COLUMNS.format(status, head.last, head.size, _date(head.touched), head.key))
    return 0


def _each(act: Callable[[Journal, Head], object]) -> Callable[[Journal, list[str]], int]:
    def do(journal: Journal, keys: list[str]) -> int:
        missing = 0
        for key in keys:
            head = journal.store.head(key)
            if head is None:
                sys.stderr.write(f"there is no stream {key!r}\n")
                missing = 1
            else:
                act(journal, head)
        return missing

    return do


def _show(journal: Journal, head: Head) -> None:
    said = [f"{head.key}: {head.status.value}, {head.last} frames, begun {_date(head.created)}"]
    if head.status is not Status.EXPIRED:
        request, kept = journal.entrance.kept(head.key)
        body, ledger = request["body"], kept.ledger or Ledger()
        said.append(f"model {body.get('model')}, {len(body.get('messages', ()))} messages")
        said += map(_attempt, ledger.attempts)
        said += [f"cut and joined at {seam.at} characters ({seam.joined})" for seam in ledger.seams]
        said += [f"{name}: {number}" for name, number in ledger.totals().items()]
    sys.stdout.write("\n".join(said) + "\n")


def _attempt(attempt: Attempt) -> str:
    how = "whole" if attempt.failure is None else attempt.failure.kind.value
    how = "runs" if attempt.ended is None else how
    what = f"attempt {attempt.number} ({attempt.form}, {attempt.model})"
    return f"{what}: {how}, {attempt.characters} characters"


def _read(journal: Journal, head: Head) -> None:
    last = 0
    while (page := journal.store.read(head.key, last, 1024)) is not None and page.frames:
        for number, frame in page.frames:
            sys.stdout.write(journal.codec.load(frame).decode(errors="replace"))
            last = number


def _remove(journal: Journal, head: Head) -> None:
    journal.remove(head.key)


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


ACTS: Final[dict[str, Any]] = {"ls": _list, "show": _each(_show), "read": _each(_read), "rm": _each(_remove)}
