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
    """What a claim comes to, before anything is written.

    Args:
        head: how the stream stands; None where there is none.
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
    """Whether somebody writes it, as far as the lease tells."""
    return head.status is Status.RUNNING and head.until > now


def is_abandoned(head: Head, now: float) -> bool:
    """Whether it ought to be written and is not: its writer is gone."""
    return head.status is Status.RUNNING and not is_leased(head, now)


def holder() -> str:
    """This process, as other processes of the same machine can look it up: machine, number, time of birth."""
    pid = os.getpid()
    return f"{_machine()}/{pid}/{_birth(pid)}"


def is_dead(name: str) -> bool:
    """Whether a holder is a process of this machine that has ended. False where that can't be known."""
    machine, _, process = name.partition("/")
    pid, _, birth = process.partition("/")
    if machine != _machine() or not pid.isdigit():
        return False
    return _birth(int(pid)) != birth


def _birth(pid: int) -> str:
    """When a process was started, in a form that no other process of that number has; empty where there is
    none."""
    with suppress(OSError):
        stat = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return "" if stat[0] in (b"Z", b"X") else stat[19].decode()  # field 22 of proc(5)
    return "" if Path("/proc/self/stat").exists() else _unknown_birth(pid)


def _unknown_birth(pid: int) -> str:
    """Where the system has no ``/proc``: whether it is there at all."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except OSError:  # it is somebody else's
        return "?"
    return "?"


@cache
def _machine() -> str:
    """This machine since it was started, and the space that its process numbers count in."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip())
    with suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return "|".join(parts).replace("/", "_")
