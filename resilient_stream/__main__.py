"""The command line: ``resilient-stream``, or ``python -m resilient_stream``.

Exit status: 0 for success; 1 if the demo's text was not whole, or if the check found something wrong; 2 if
the command can't do what was asked; 130 if it was interrupted; 141 if the reader of its output has gone.
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
    """Run the command line. Return the exit status.

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
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains as it exits
        return 141


def _run(argv: Sequence[str] | None) -> int:
    for out in (sys.stdout, sys.stderr):
        if isinstance(out, io.TextIOWrapper):
            out.reconfigure(errors="replace")  # a character that the terminal lacks must not end the demo
    try:
        args = _parser().parse_args(argv)
    except SystemExit as done:  # --help and --version have done their work, or bad arguments were reported
        return int(done.code or 0)
    run: Callable[[argparse.Namespace], int] = args.run
    status = run(args)
    sys.stdout.flush()
    return status


class _Command(argparse.ArgumentParser):
    """A command's parser. The module behind it is imported when the command is used: two of them need the
    SDK, whose import takes a second and about 60 MB."""

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
        "show a long answer surviving faults (no key needed)",
        (
            "Stream a long answer through six faults, then show what the SDK alone does in each case. "
            "Needs no key and no network."
        ),
    ),
    (
        "check",
        "_check.command",
        "run",
        "check how a model of the real API continues (billed)",
        (
            "Cut a dozen replies of a model, and show how each was continued and joined. Uses the key in "
            "ANTHROPIC_API_KEY; the requests are billed to its account. ANTHROPIC_BASE_URL sets another "
            "address."
        ),
    ),
    (
        "serve",
        "_gateway.command",
        "serve",
        "run a gateway to the API for programs in any language",
        (
            "Forward requests to the API and resume its streams when they break. To use the gateway, set "
            "ANTHROPIC_BASE_URL in your program; nothing else changes. Requires resilient-stream[serve]."
        ),
    ),
    (
        "journal",
        "_journal.command",
        "run",
        "list, show, read or remove the streams of a journal",
        "List the streams of a journal, show the attempts and cost of one, print its events, or remove it.",
    ),
)
"""Each command's name, module, function, and what its help says, in short and in full."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        PROGRAM,
        description="Claude streams that survive dropped connections, overloads, stalls and truncation.",
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Command)
    for name, module, function, short, full in COMMANDS:
        commands.add_parser(name, help=short, description=full).behind = (module, function)
    policy = commands.add_parser(
        "policy",
        help="explain a retry policy",
        description="Show what a retry policy does after each kind of failure, and its limits.",
    )
    policy.add_argument("name", metavar="NAME", nargs="?", help="a preset; without one, the default policy")
    policy.set_defaults(run=_policy)
    return parser


def _policy(args: argparse.Namespace) -> int:
    policy = RetryPolicy() if args.name is None else RetryPolicy.preset(args.name)
    sys.stdout.write(policy.explain() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
