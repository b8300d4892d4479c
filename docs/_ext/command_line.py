"""The reference of the command line, from the parser itself: ``{command-line}``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser, and those of its commands, each once."""
    yield parser
    for action in parser._actions:  # noqa: SLF001 -- argparse has no public way to its commands
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for command in dict.fromkeys(action.choices.values()):
                yield from parsers(command)


def helped(parser: argparse.ArgumentParser) -> str:
    """What ``--help`` prints, in lines of one length whatever the terminal is."""

    def narrow(prog: str) -> argparse.HelpFormatter:
        return argparse.HelpFormatter(prog, width=90, max_help_position=28)

    parser.formatter_class = narrow
    if hasattr(parser, "color"):  # Python 3.14 colours it
        parser.color = False
    return parser.format_help()


class CommandLine(SphinxDirective):
    """A section for each command, with its ``--help``."""

    def run(self) -> list[nodes.Node]:
        """The sections."""
        from resilient_stream import __main__ as command_line

        sections: list[nodes.Node] = []
        for parser in parsers(command_line._parser()):  # noqa: SLF001 -- the command's own
            section = nodes.section(ids=[nodes.make_id(parser.prog)])
            text = helped(parser)
            section += nodes.title(parser.prog, "", nodes.literal("", parser.prog))
            section += nodes.literal_block(text, text, language="text")
            self.state.document.note_explicit_target(section)
            sections.append(section)
        return sections


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True}
