"""Who may write a stream: pure rules over a `Head`."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

from .entries import OVER, Head, Status, Verdict

TTL: Final = 15.0
"""Seconds that a lease lasts without being renewed. It is renewed three times as often."""


def verdict(head: Head | None, now: float, void: int | None = None) -> Verdict:
    """The answer to a claim, before anything is written.

    Args:
        head: the state of the stream; None if there is none.
        now: by the store's clock.
        void: the epoch of a lease that the claimant knows to be nobody's: its holder is dead.
    """
    if head is None or head.status is Status.EXPIRED:
        return Verdict.UNKNOWN
    leased = is_leased(head, now) and head.epoch != void
    if head.status in OVER or (head.stopping and not leased):
        return Verdict.OVER
    return Verdict.LEASED if leased else Verdict.TAKEN


def is_leased(head: Head, now: float) -> bool:
    """Whether a process writes the stream, as far as the lease says."""
    return head.status is Status.RUNNING and head.until > now


def is_abandoned(head: Head, now: float) -> bool:
    """Whether its writer is gone before its end."""
    return head.status is Status.RUNNING and not is_leased(head, now)


def holder() -> str:
    """The name of this process, by which other processes of the machine can look it up: machine, process id,
    start time."""
    pid = os.getpid()
    return f"{_machine()}/{pid}/{_birth(pid)}"


def is_dead(name: str) -> bool:
    """Whether a holder is a process of this machine that has ended. False if that can't be known."""
    machine, _, process = name.partition("/")
    pid, _, birth = process.partition("/")
    if machine != _machine() or not pid.isdigit():
        return False
    return _birth(int(pid)) != birth


def _birth(pid: int) -> str:
    """The start time of a process, in a form that differs for every process with that id; empty if there is
    none."""
    with suppress(OSError):
        stat = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return "" if stat[0] in (b"Z", b"X") else stat[19].decode()  # field 22 of proc(5)
    return "" if Path("/proc/self/stat").exists() else _unknown_birth(pid)


def _unknown_birth(pid: int) -> str:
    """For systems without ``/proc``: whether the process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except OSError:  # it belongs to another user
        return "?"
    return "?"


@cache
def _machine() -> str:
    """This boot of this machine, and the namespace of its process ids."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip())
    with suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return "|".join(parts).replace("/", "_")
