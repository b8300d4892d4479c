import contextlib
import io
import os
import sys
import threading

import pytest

from resilient_stream._gateway.printer import Printer


def test_what_is_written_is_printed_in_order() -> None:
    """At the latest when it is closed."""
    out = io.StringIO()
    printer = Printer(out)
    for number in range(100):
        printer.write(f"{number}\n")
        printer.flush()
    printer.close()
    assert out.getvalue().split() == [str(number) for number in range(100)]
    assert not printer.isatty()


def test_a_pipe_that_nobody_reads_stops_nobody() -> None:
    """What is too much is dropped, writing and closing do not wait, and what fits is there."""
    there, here = os.pipe()
    os.set_blocking(here, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(here, b"\n" * 1024)
    os.set_blocking(here, True)
    with os.fdopen(here, "w", encoding="ascii") as out:
        printer = Printer(out, most=2, last=0.01)
        for _ in range(1_000):
            printer.write("\u00b7\n")
        printer.close()
        assert printer._thread.is_alive()
        read = bytearray()

        def drain() -> None:
            while piece := os.read(there, 65536):
                read.extend(piece)

        reader = threading.Thread(target=drain)
        reader.start()
        printer._last = 10.0
        printer.close()
        assert not printer._thread.is_alive()
    reader.join(60)
    os.close(there)
    assert bytes(read).split() in ([b"?"] * 2, [b"?"] * 3)


@pytest.mark.skipif(sys.platform == "win32", reason="it tells of no reader in another way")
def test_a_reader_that_has_gone_is_not_missed() -> None:
    """The thread ends, and later texts are nobody's."""
    there, here = os.pipe()
    os.close(there)
    with os.fdopen(here, "w", encoding="utf-8") as out:
        printer = Printer(out, most=1, last=0.01)
        printer.write("a")
        printer._thread.join(60)
        assert not printer._thread.is_alive()
        printer.write("b")
        printer.close()
