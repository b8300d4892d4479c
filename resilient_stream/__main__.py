"""The command line: ``resilient-stream``, or ``python -m resilient_stream``.

Exit status: 0 all is well; 1 the demo's text was not whole, or the check found something wrong; 2 it can't
be done as asked; 130 interrupted; 141 whoever read the output has left.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence

from resilient_stream import PolicyError, RetryPolicy, __version__
from resilient_stream._check import command as check_command
from resilient_stream._demo import command

PROGRAM = "resilient-stream"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status.

    Args:
        argv: the arguments; None for those of the process.
    """
    try:
        return _run(argv)
    except (command.UsageError, PolicyError) as error:
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(PROGRAM, description="Claude streams that survive.")
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        help="stream a long answer through faults (no key needed)",
        description="Stream a long answer through six faults, then show what the SDK alone makes of each. "
        "Needs no key and no network.",
    )
    command.add_arguments(demo)
    demo.set_defaults(run=command.demo)
    checked = commands.add_parser(
        "check",
        help="check how a model of the real API continues (billed)",
        description="Cut a dozen replies of a model, and show how each was continued and joined. Needs a key "
        "in ANTHROPIC_API_KEY and is billed to its account. ANTHROPIC_BASE_URL sets another address.",
    )
    check_command.add_arguments(checked)
    checked.set_defaults(run=check_command.run)
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
