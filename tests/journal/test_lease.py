"""Who may write a stream."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from resilient_stream._journal import lease as rules
from resilient_stream._journal.entries import Head, Status, Verdict

from .heads import head

OLD = head(until=90.0)


@pytest.mark.parametrize(
    ("stream", "void", "verdict"),
    [
        (None, None, Verdict.UNKNOWN),
        (head(status=Status.EXPIRED), None, Verdict.UNKNOWN),
        (head(), None, Verdict.LEASED),
        (head(), 7, Verdict.LEASED),
        (head(), 1, Verdict.TAKEN),
        (OLD, None, Verdict.TAKEN),
        (head(until=100.0), None, Verdict.TAKEN),
        (head(status=Status.FAILED, until=0.0), None, Verdict.TAKEN),
        (head(status=Status.LEFT, until=0.0), None, Verdict.TAKEN),
        (head(status=Status.COMPLETE), None, Verdict.OVER),
        (head(status=Status.STOPPED), None, Verdict.OVER),
        (head(stopping=True), None, Verdict.LEASED),
        (head(stopping=True, until=90.0), None, Verdict.OVER),
        (head(stopping=True), 1, Verdict.OVER),
    ],
)
def test_the_verdict(stream: Head | None, void: int | None, verdict: Verdict) -> None:
    """Leased, over, unknown and free are told apart, at the moment when a lease ends, too."""
    assert rules.verdict(stream, 100.0, void) is verdict


@pytest.mark.parametrize("status", list(Status))
def test_only_what_runs_is_abandoned(status: Status) -> None:
    """Once its lease is over, not before."""
    assert rules.is_abandoned(head(status=status, until=90.0), 100.0) is (status is Status.RUNNING)
    assert not rules.is_abandoned(head(status=status), 100.0)


def test_this_process_lives() -> None:
    """As far as others can tell by its name as a holder."""
    assert not rules.is_dead(rules.holder())


def test_a_process_that_has_ended_is_dead() -> None:
    """Once somebody has waited for it, even if another process has its number by now. Where there is a table of
    processes, before that, too."""
    table = Path("/proc/self/stat").exists()
    machine = rules.holder().partition("/")[0]
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        name = f"{machine}/{child.pid}/{rules._birth(child.pid)}"
        assert not rules.is_dead(name)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert rules.is_dead(name) is table, "it is a zombie"
    assert rules.is_dead(name)
    assert rules.is_dead(f"{machine}/{os.getpid()}/1")


@pytest.mark.parametrize("name", ["", "elsewhere/1/2", "x", "{machine}/word/2", "{machine}"])
def test_of_others_nothing_is_known(name: str) -> None:
    """A process of another machine, or a name that tells of none, may live."""
    assert not rules.is_dead(name.format(machine=rules.holder().partition("/")[0]))


def test_without_a_table_of_processes_the_system_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether there is a process of that number."""
    monkeypatch.setattr(Path, "read_bytes", _refuse)
    monkeypatch.setattr(Path, "exists", lambda _: False)
    assert rules._birth(os.getpid()) == "?"
    monkeypatch.setattr(os, "kill", _raising(ProcessLookupError()))
    assert rules._birth(7) == ""
    monkeypatch.setattr(os, "kill", _raising(PermissionError()))
    assert rules._birth(7) == "?"


def test_a_machine_without_files_of_its_own_is_known_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the host."""
    monkeypatch.setattr(Path, "read_text", _refuse)
    monkeypatch.setattr(Path, "readlink", _refuse)
    monkeypatch.setattr("socket.gethostname", lambda: "a/host")
    assert rules._machine.__wrapped__() == "a_host"


def _refuse(*_: object) -> bytes:
    raise FileNotFoundError


def _raising(error: Exception) -> object:
    def act(*_: object) -> None:
        raise error

    return act
