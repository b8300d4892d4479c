"""The command ``resilient-stream serve``."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from importlib.metadata import version

from .console import Console
from .metrics import MISSING, MissingExtraError
from .options import Options, ServeError, declare
from .printer import Printer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments, with defaults from the environment."""
    declare(parser, os.environ)


def serve(args: argparse.Namespace) -> int:
    """Run the gateway until it is stopped. Return the exit status.

    Raises:
        ServeError: it can't be started as asked.
        PolicyError: its policy is not valid.
    """
    options = Options.of(args)
    with (
        contextlib.closing(Printer(sys.stdout)) as out,
        options.opened_journal() as journal,
        options.opened_budget() as budget,
    ):
        worker = None if options.fd is None else os.getpid()
        console = Console(out, as_json=options.log_format == "json", process=worker)
        try:
            from .server import Server, allow_connections, gateway, listen

            app = gateway(options, console, journal, budget)
        except MissingExtraError as error:
            raise ServeError(str(error)) from error
        except ModuleNotFoundError as error:
            raise ServeError(MISSING) from error
        allow_connections()
        with listen(options) as sock:
            if options.fd is None:
                _tell(options, sock.getsockname()[1], console)
            if options.workers > 1:
                from .workers import Workers, starting

                start = starting(options.arguments(), sock.fileno(), options.environment())
                return Workers(start, options.workers, console).run()
            Server(app, options, console).run([sock])
        return 0


def _tell(options: Options, port: int, console: Console) -> None:
    """Print where it listens, and what to do next."""
    url = options.url(port)
    name = f"resilient-stream {version('resilient-stream')}"
    console.say(
        "listening", f"{name} listens on {url}, for {options.upstream}", url=url, upstream=options.upstream
    )
    console.say(
        "hint", f"set ANTHROPIC_BASE_URL={url} where your program runs; {url}/resilient/ shows its streams"
    )
