"""The options of ``resilient-stream serve``, from arguments or the environment."""

from __future__ import annotations

import argparse
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from resilient_stream._policy.blackboard import SCHEMES
from resilient_stream._policy.model import RetryPolicy
from resilient_stream._policy.redis_budget import RedisBudget
from resilient_stream.errors import JournalUnavailable

from .admission import LOOPBACK

if TYPE_CHECKING:
    from resilient_stream._journal.journal import Journal

PORT: Final = 8642
API: Final = "https://api.anthropic.com"
DRAIN: Final = 600
"""Seconds. A long answer takes some minutes."""

ENVIRONMENT: Final = "RESILIENT_STREAM_"
"""The beginning of the variables' names; an option's name follows: ``RESILIENT_STREAM_DRAIN_TIMEOUT``."""


class ServeError(Exception):
    """The gateway can't be started with these options. The text is for the user."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options."""

    host: str = "127.0.0.1"
    port: int = PORT
    upstream: str = API
    policy: str | None = None
    allow_host: tuple[str, ...] = ()
    workers: int = 1
    drain_timeout: int = DRAIN
    log_format: str = "text"
    journal: str | None = None
    fd: int | None = None
    """A socket that listens already: the parent's, in a worker."""

    @classmethod
    def of(cls, args: argparse.Namespace) -> Options:
        """From parsed arguments.

        Raises:
            ServeError: they do not fit together.
        """
        known: dict[str, Any] = {name: getattr(args, name) for name in cls.__slots__}
        known["allow_host"] = tuple(known["allow_host"])
        options = cls(**known)
        if options.is_open and not options.allow_host:
            raise ServeError(
                f"--host {options.host} can be reached from other machines: name with --allow-host the host "
                "names that clients use; requests for any other are refused"
            )
        return options

    @property
    def is_open(self) -> bool:
        """Whether it listens on more than the loopback interface."""
        try:
            return not ip_address(self.host).is_loopback
        except ValueError:
            return self.host != "localhost"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names that it answers to."""
        return (*LOOPBACK, _in_url(self.host).lower(), *self.allow_host)

    def url(self, port: int) -> str:
        """The URL at which it listens."""
        return f"http://{_in_url(self.host)}:{port}"

    def chosen_policy(self) -> RetryPolicy | None:
        """The policy.

        Raises:
            PolicyError: there is no such preset, or the file can't be read as one.
        """
        if self.policy is None:
            return None
        return (
            RetryPolicy.from_toml(self.policy)
            if self.policy.endswith(".toml")
            else RetryPolicy.preset(self.policy)
        )

    @contextmanager
    def opened_journal(self) -> Generator[Journal | None]:
        """The journal, open within the block; None if there is none.

        Raises:
            ServeError: the journal can't be opened.
        """
        if self.journal is None:
            yield None
            return
        from resilient_stream._journal.journal import Journal  # sqlite3 is loaded only if it is needed

        try:
            journal = Journal(self.journal)
        except (ValueError, JournalUnavailable) as error:
            raise ServeError(f"--journal: {error}") from error
        with journal:
            yield journal

    @contextmanager
    def opened_budget(self) -> Generator[RedisBudget | None]:
        """The retry budget that workers and machines share, open within the block: in the Redis of the
        journal. None where the journal is not in one."""
        if self.journal is None or not self.journal.startswith(SCHEMES):
            yield None
            return
        with RedisBudget(self.journal) as budget:
            yield budget

    def arguments(self) -> list[str]:
        """The arguments with the same meaning, without the number of workers and the journal. Its URL may
        have a password, so it is passed in the environment, which others can't see."""
        given = {"host": self.host, "port": self.port, "upstream": self.upstream, "policy": self.policy}
        given |= {"drain-timeout": self.drain_timeout, "log-format": self.log_format}
        told = [f"--{name}={value}" for name, value in given.items() if value is not None]
        return [*told, *(f"--allow-host={name}" for name in self.allow_host), "--workers=1"]

    def environment(self) -> dict[str, str]:
        """The variables for what `arguments` leaves out."""
        return {} if self.journal is None else {f"{ENVIRONMENT}JOURNAL": self.journal}


def declare(parser: argparse.ArgumentParser, environ: Mapping[str, str]) -> None:
    """Declare the arguments; the environment has the defaults."""

    def add(name: str, default: object, about: str, kind: Any = str, **more: Any) -> None:
        variable = ENVIRONMENT + name.replace("-", "_").upper()
        said = f"{about} (environment: {variable})"
        parser.add_argument(f"--{name}", default=environ.get(variable, default), type=kind, help=said, **more)

    add("host", "127.0.0.1", "the address to listen on; default 127.0.0.1, which other machines can't reach")
    add("port", PORT, f"the port to listen on; default {PORT}; 0 chooses a free one", _port)
    add("upstream", API, f"the API's base URL; default {API}", metavar="URL")
    add(
        "policy",
        None,
        "the name of a preset, or a .toml file with a policy; without it, the default policy",
        metavar="NAME|FILE",
    )
    add("workers", 1, "the number of processes that share the address; default 1", _count, metavar="N")
    add(
        "drain-timeout",
        DRAIN,
        f"seconds that running streams have to finish after a signal to stop; default {DRAIN}",
        _seconds,
        metavar="SECONDS",
    )
    add(
        "log-format",
        "text",
        "the format of log lines: text or json; default text",
        _format,
        metavar="text|json",
    )
    add(
        "journal",
        None,
        "where streams are kept, so that they outlive this process and their readers: "
        "sqlite:///streams.db or redis://host:6379/0; without it, nowhere",
        metavar="URL",
    )
    allowed = environ.get(f"{ENVIRONMENT}ALLOW_HOST", "")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[name.strip() for name in allowed.split(",") if name.strip()],
        metavar="NAME",
        help="a host name, without a port, by which clients reach the gateway; repeat the option for more "
        f"(environment: {ENVIRONMENT}ALLOW_HOST, separated by commas)",
    )
    parser.add_argument("--fd", type=int, help=argparse.SUPPRESS)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _number(said: str, least: int, most: int) -> int:
    try:
        number = int(said)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"{said!r}: should be a whole number from {least} to {most}")
    return number


def _port(said: str) -> int:
    return _number(said, 0, 65_535)


def _count(said: str) -> int:
    return _number(said, 1, 1_024)


def _seconds(said: str) -> int:
    return _number(said, 0, 86_400)


def _format(said: str) -> str:
    if said not in ("text", "json"):
        raise argparse.ArgumentTypeError(f"{said!r}: should be text or json")
    return said
