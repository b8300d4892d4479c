"""Draw the pictures of the README from a run of the demo: `nox -s pictures`.

The demo runs in a terminal of its own; what it writes there becomes `docs/_static/demo-light.svg` and
`demo-dark.svg`. Of the streamed text only the lines around one break are kept.
"""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

HERE: Final = Path(__file__).parent / "_static"
COLUMNS: Final = 80
LINE: Final = 24.4
"""The height of a line in rich's SVG."""
RULE: Final = "\u2500" * 79
LIGHT: Final = TerminalTheme(
    (255, 255, 255),
    (31, 35, 40),
    [
        (36, 41, 47),
        (207, 34, 46),
        (17, 99, 41),
        (77, 45, 0),
        (9, 105, 218),
        (130, 80, 223),
        (27, 124, 131),
        (110, 119, 129),
    ],
)
DARK: Final = TerminalTheme(
    (22, 27, 34),
    (230, 237, 243),
    [
        (72, 79, 88),
        (255, 123, 114),
        (86, 211, 100),
        (210, 153, 34),
        (88, 166, 255),
        (210, 168, 255),
        (57, 197, 207),
        (177, 186, 196),
    ],
)
FRAME: Final = """\
<svg class="rich-terminal" viewBox="0 0 {terminal_width} HEIGHT" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>{lines}</defs>
<rect width="{terminal_width}" height="HEIGHT" rx="8" fill="BACKGROUND" stroke="#8884" />
<g transform="translate(18, 14)" clip-path="url(#{unique_id}-clip-terminal)">{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""
"""As rich's own, without its window and its fonts, which would come from another host."""


def ran(*command: str) -> str:
    """What a command writes to a terminal.

    Raises:
        CalledProcessError: it failed.
    """
    ours, theirs = pty.openpty()
    env = {**os.environ, "COLUMNS": str(COLUMNS), "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=env) as process:  # noqa: S603 -- our own
        os.close(theirs)
        written = bytearray()
        while True:
            try:
                written += os.read(ours, 65536)
            except OSError:  # the terminal's other side was closed
                break
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, bytes(written))
    return written.decode().replace("\r\n", "\n")


def shortened(text: str) -> list[str]:
    """The lines of the picture: the text around one break, then the tables."""
    plain = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in text.splitlines()]
    lines = text.splitlines()
    first, second = (number for number, line in enumerate(plain) if line == RULE)
    broken = next(number for number in range(first, second) if "\u27eatruncated" in plain[number])
    around = range(max(first + 1, broken - 1), min(broken + 2, second))
    return [
        "$ resilient-stream demo",
        "\x1b[2m...\x1b[0m",
        *(lines[number] for number in around),
        "\x1b[2m...\x1b[0m",
        *lines[second:],
    ]


def drawn(lines: list[str], theme: TerminalTheme) -> str:
    """The SVG."""
    console = Console(
        record=True, width=COLUMNS + 3, file=io.StringIO(), force_terminal=True, color_system="standard"
    )
    for line in lines:
        console.print(Text.from_ansi(line), overflow="ignore", crop=True, soft_wrap=False)
    height = round(LINE * len(lines) + 32)
    frame = FRAME.replace("BACKGROUND", theme.background_color.hex).replace("HEIGHT", str(height))
    return console.export_svg(theme=theme, code_format=frame, unique_id="demo")


def main() -> None:
    """Draw both."""
    lines = shortened(ran(sys.executable, "-m", "resilient_stream", "demo"))
    for name, theme in (("light", LIGHT), ("dark", DARK)):
        (HERE / f"demo-{name}.svg").write_text(drawn(lines, theme), encoding="utf-8")


if __name__ == "__main__":
    main()
