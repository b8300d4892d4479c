"""The command line: ``resilient-stream``, or ``python -m resilient_stream``.

Exit status: 0 all is well; 1 the demo's text was not whole, or the check found something wrong; 2 it can't
be done as asked; 130 interrupted; 141 whoever read the output has left.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from resilient_stream import PolicyError, RetryPolicy, __version__
from resilient_stream._demo.usage import UsageError
from resilient_stream._gateway.options import ServeError
from resilient_stream.errors import JournalError

PROGRAM = "resilient-stream"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status.

    Args:
        argv: the arguments; None for those of the process.
    """
    try:
        return _run(argv)
    except (UsageError, ServeError, PolicyError, JournalError) as error:
        sys.stderr.write(f"{PROGRAM}: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write(f"\n{PROGRAM}: interrupted\n")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains while it exits
        return 141


def _run(argv: Sequence[str] | None) -> int:
    for out in (sys.stdout, sys.stderr):
        if isinstance(out, io.TextIOWrapper):
            out.reconfigure(errors="replace")  # a character that the terminal lacks must not end the demo
    try:
        args = _parser().parse_args(argv)
    except SystemExit as done:  # --help and --version are done, bad arguments are reported
        return int(done.code or 0)
    run: Callable[[argparse.Namespace], int] = args.run
    status = run(args)
    sys.stdout.flush()
    return status


class _Command(argparse.ArgumentParser):
    """A command's parser. The module behind it is imported when the command is used: two of them need the
    SDK, whose import takes a second and some 60 MB."""

    behind: tuple[str, str] | None = None
    """The module, which has ``add_arguments``, and the name of its function that runs the command."""

    def parse_known_args(  # pyright: ignore[reportIncompatibleMethodOverride] -- its overloads are of the types
        self, args: Any = None, namespace: Any = None
    ) -> Any:
        """Declare the arguments, and parse them."""
        if self.behind is not None:
            module, function = self.behind
            command = importlib.import_module(f"resilient_stream.{module}")
            command.add_arguments(self)
            self.set_defaults(run=getattr(command, function))
        return super().parse_known_args(args, namespace)


COMMANDS: Final = (
    (
        "demo",
        "_demo.command",
        "demo",
        "stream a long answer through faults (no key needed)",
        (
            "Stream a long answer through six faults, then show what the SDK alone makes of each. "
            "Needs no key and no network."
        ),
    ),
    (
        "check",
        "_check.command",
        "run",
        "check how a model of the real API continues (billed)",
        (
            "Cut a dozen replies of a model, and show how each was continued and joined. Needs a key in "
            "ANTHROPIC_API_KEY and is billed to its account. ANTHROPIC_BASE_URL sets another address."
        ),
    ),
    (
        "serve",
        "_gateway.command",
        "serve",
        "run a gateway to the API for programs in any language",
        (
            "Forward requests to the API, and have its streams survive. A program uses it by setting "
            "ANTHROPIC_BASE_URL; nothing else in it changes. Needs the extra: serve."
        ),
    ),
    (
        "journal",
        "_journal.command",
        "run",
        "show what a journal of streams has",
        "List the streams of a journal, show what ran and what it cost, read or remove some.",
    ),
)
"""Each command's name, module, function, and what its help says, in short and in full."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(PROGRAM, description="Claude streams that survive.")
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Command)
    for name, module, function, short, full in COMMANDS:
        commands.add_parser(name, help=short, description=full).behind = (module, function)
    policy = commands.add_parser(
        "policy",
        help="explain a retry policy",
        description="Show what a retry policy does after each kind of failure, and its limits.",
    )
    policy.add_argument("name", metavar="NAME", nargs="?", help="a preset; default: the defaults")
    policy.set_defaults(run=_policy)
    return parser


def _policy(args: argparse.Namespace) -> int:
    policy = RetryPolicy() if args.name is None else RetryPolicy.preset(args.name)
    sys.stdout.write(policy.explain() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
