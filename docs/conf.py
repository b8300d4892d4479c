"""How Sphinx builds the site. `nox -s docs` runs it; warnings are errors."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from docutils.nodes import abbreviation

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HERE = Path(__file__).parent
PROJECT = tomllib.loads((HERE.parent / "pyproject.toml").read_text("utf-8"))["project"]
sys.path[:0] = [str(HERE / "_ext")]

project = "resilient-stream"
author = "The resilient-stream maintainers"
copyright = f"2026, {author}"  # noqa: A001 -- Sphinx's name for it
release = version = PROJECT["version"]
html_title = f"resilient-stream {release}"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.doctest",
    "sphinx_copybutton",
    "sphinx_llm.txt",  # llms.txt, and each page as Markdown, for agents that read
    "command_line",
    "outside",
    "state_diagram",
]
root_doc = "index"
exclude_patterns = ["_build"]
llms_txt_description = PROJECT["description"]

myst_enable_extensions = ["attrs_block", "colon_fence", "deflist"]
myst_fence_as_directive = ["mermaid"]  # GitHub draws it by itself; here `state_diagram` does
myst_heading_anchors = 3

default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
python_use_unqualified_type_names = True
doctest_test_doctest_blocks = "default"

html_theme = "furo"
pygments_dark_style = "github-dark"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
copybutton_exclude = ".linenos, .gp, .go"


def _drop_empty_globs(app: Sphinx, name: str, source: list[str]) -> None:
    """A pattern of the table of contents may be of pages that are not written yet."""
    if name == root_doc:
        lines = source[0].splitlines()
        kept = [line for line in lines if not line.endswith("*") or list(HERE.glob(f"{line}.md"))]
        source[0] = "\n".join(kept) + "\n"


def _keep_colons(app: Sphinx) -> None:
    """Keep the docstrings of attributes as they are: Napoleon reads `Seconds: ...` in one as its type."""
    written: list[str] = []

    def before(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
        written[:] = lines

    def after(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
        if what in {"attribute", "data", "property"}:
            lines[:] = written

    app.connect("autodoc-process-docstring", before, priority=100)
    app.connect("autodoc-process-docstring", after, priority=900)


def setup(app: Sphinx) -> None:
    """Teach the writer of Markdown one node that it does not know: the `*` and `/` of a signature."""
    nothing = (lambda writer, node: None, lambda writer, node: None)
    _keep_colons(app)
    app.connect("source-read", _drop_empty_globs)
    app.add_node(abbreviation, override=True, markdown=nothing)
