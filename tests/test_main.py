from __future__ import annotations

import contextlib
import os
import re
import runpy
import select
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from importlib.metadata import version

import pytest

from resilient_stream import RetryPolicy
from resilient_stream.__main__ import main
from resilient_stream._demo import command
from resilient_stream.testing import ANSWER

PROGRAM = [sys.executable, "-W", "error", "-m", "resilient_stream"]
DEMO = [*PROGRAM, "demo", "--fast", "--fault", "s529", "--fault", "rst_mid_chunk"]
ENVIRON = {**os.environ, "TERM": "xterm", "PYTHONIOENCODING": "utf-8"}
ENVIRON.pop("NO_COLOR", None)
ENVIRON.pop("RESILIENT_STREAM", None)

unix = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals, no such signals")


def completed(
    arguments: Sequence[str], environ: Mapping[str, str] = ENVIRON
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(arguments, check=False, capture_output=True, encoding="utf-8", env=environ)


def test_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    """--version prints the name and the installed version."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"resilient-stream {version('resilient-stream')}\n"


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["demo", "--help"], ["policy", "--help"], ["check", "--help"], ["serve", "--help"]],
)
def test_help_helps(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """--help goes to the output and is a success."""
    assert main(arguments) == 0
    assert "resilient-stream" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["demo", "--nope"], ["demo", "--live", "--fault", "ok"]]
)
def test_bad_arguments_are_a_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What can't be meant ends with status 2 and says why, on the error output."""
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert "resilient-stream" in told.err
    assert told.out == ""


def test_a_policy_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """A preset by its name, the defaults without one."""
    for arguments, policy in ((["batch"], RetryPolicy.preset("batch")), ([], RetryPolicy())):
        assert main(["policy", *arguments]) == 0
        assert capsys.readouterr().out == policy.explain() + "\n"


def test_an_unknown_policy_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong preset is a sentence that names the right ones."""
    assert main(["policy", "lenient"]) == 2
    assert "there are: agent, batch" in capsys.readouterr().err


def test_an_interrupt_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C ends with the status that shells expect."""

    def interrupted(_args: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "demo", interrupted)
    assert main(["demo"]) == 130
    assert "interrupted" in capsys.readouterr().err


@unix
def test_a_reader_that_left_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken pipe ends quietly, and nothing is complained about at exit."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w", encoding="utf-8") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert main(["policy"]) == 141


def test_an_output_without_an_encoding_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that put something of its own in the place of the output is not refused."""

    class Plain:
        """Just enough of a file."""

        written = ""

        def write(self, text: str) -> None:
            self.written += text

        def flush(self) -> None:
            """Nothing is kept back."""

    out = Plain()
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["policy", "off"]) == 0
    assert out.written


def test_the_module_is_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m resilient_stream` exits with the status of the command."""
    monkeypatch.setattr(sys, "argv", ["resilient-stream", "policy", "nonsense"])
    monkeypatch.delitem(sys.modules, "resilient_stream.__main__")  # or runpy warns of a second one
    with pytest.raises(SystemExit, match="2"):
        runpy.run_module("resilient_stream", run_name="__main__")


def test_piped_output_is_plain() -> None:
    """In a pipe: the author's text as it is, no escape code, no mark, and not one complaint."""
    done = completed(DEMO)
    assert (done.returncode, done.stderr) == (0, "")
    assert ANSWER in done.stdout
    assert not set("\x1b\u27ea") & set(done.stdout)


def test_a_poor_encoding_is_enough() -> None:
    """Where the output can only say ASCII, the demo still ends well, and its own words are all there."""
    done = completed(DEMO, {**ENVIRON, "PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert "echo ok" in done.stdout
    assert "identical to the uncut answer" in done.stdout


@unix
def test_head_closes_the_pipe_without_a_complaint() -> None:
    """A reader that has seen enough costs no traceback."""
    done = completed(["sh", "-c", f"'{sys.executable}' -m resilient_stream demo | head -n 1"])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1


@unix
def test_ctrl_c_in_the_middle_of_the_text() -> None:
    """A real interrupt while text flows ends with 130 and one sentence, also where this run is in the background."""
    with terminal(80) as (mine, theirs):
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            running = interruptible([*PROGRAM, "demo"], theirs)
        finally:
            signal.signal(signal.SIGINT, before)
        with running:
            shown = b""
            while ANSWER[:10].encode() not in shown:
                shown += shown_on(mine)
            running.send_signal(signal.SIGINT)
            _, complaint = running.communicate()
    assert running.returncode == 130
    assert complaint == "\nresilient-stream: interrupted\n"


@unix
def test_a_terminal_shows_marks_and_colours_within_its_width() -> None:
    """On a terminal of 80 columns the seams are marked in colour, and no line of the tables is longer."""
    text = on_a_terminal(DEMO, columns=80)
    assert "\x1b[1;35m\u27eareset\u27eb\x1b[0m" in text
    plain = re.sub(r"\x1b\[[\d;]*m", "", text).replace("\r\n", "\n")
    assert plain.count("\u27ea") == 3  # one of them in the legend
    marked = plain.replace("\u27eaoverloaded\u27eb", "").replace("\u27eareset\u27eb", "")
    before, after = marked.split(ANSWER)
    assert max(len(line) for line in (before + after).splitlines()) <= 80
    assert "identical to the uncut answer" in after


def interruptible(arguments: Sequence[str], out: int) -> subprocess.Popen[str]:
    """A program that an interrupt reaches: a child ignores what its parent ignores, as a shell's background does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(arguments, stdout=out, stderr=subprocess.PIPE, encoding="utf-8", env=ENVIRON)
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def terminal(columns: int) -> Generator[tuple[int, int]]:
    """A pseudo-terminal: our end, and the end that a program writes to."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        yield ours, theirs
    finally:
        os.close(ours)
        with contextlib.suppress(OSError):  # it may be closed, so that only the program has it
            os.close(theirs)


def shown_on(ours: int) -> bytes:
    """What comes next on a terminal; nothing once the program has closed it."""
    assert select.select([ours], [], [], 60)[0], "nothing was shown"
    try:
        return os.read(ours, 65536)
    except OSError:  # Linux: the other side has closed
        return b""


def on_a_terminal(arguments: Sequence[str], columns: int) -> str:
    """What a program shows on a pseudo-terminal."""
    environ = {name: value for name, value in ENVIRON.items() if name != "COLUMNS"}
    with (
        terminal(columns) as (ours, theirs),
        subprocess.Popen(arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=environ) as running,
    ):
        os.close(theirs)
        shown = b"".join(iter(lambda: shown_on(ours), b""))
    assert running.returncode == 0
    return shown.decode()
