"""Where a text can be finished."""

from __future__ import annotations

import time

import pytest

from resilient_stream._core.seam.ending import can_end

FINISHED = (
    "The end.",
    "Yes!",
    "Really?",
    "Done...",
    "It was in 1984.",
    "It costs 5 dollars.",
    "\u4ed6\u8d70\u4e86\u3002",
    "\u201c\u4ed6\u8d70\u4e86\u3002\u201d",
    "\u0648\u0635\u0644\u061f",
    "\u03c4\u03b9 \u03ba\u03ac\u03bd\u03b5\u03b9\u03c2;",
    'He said "go."',
    "(See above.)",
    "**Done.**",
    "*Fin.*",
    "Use `x`.",
    "> Quoted.",
    "- [x] Done.",
    "1. One.\n2. Two.",
    "2 * 3 is 6, he said.",
    "Good luck! \U0001f340",
    "Ends with a note.[3]",
    "He is 6'2\" tall.",
    "see [1](https://x.yy/z).",
    "Visit https://example.com.",
    "An interval is [0, 1).",
    "Text:\n\n```python\nx = 1\n```",
    "1. So:\n\n    ```sh\n    ls\n    ```",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    '{"a": [1, 2]}',
    '{"a": "}"}\n{"b": "]"}',
    "<ul><li>a</li></ul>",
    '<?xml version="1.0"?>\n<a>\n<b/>\n</a>',
    "<p>a</p>\n<p>b</p>",
    "<details><summary>a</summary></details>\n\nIt <b>ends</b>.",
    "a { b: c }\nd {\n  e: f\n}",
    "$$x = 1$$",
    "So\n\\begin{align}\nx\n\\end{align}",
    "So\n\\[\nx\n\\]",
    "So it is $x = 1$.",
    "It costs $5 a day.",
    "The $PATH is set.",
    "It is the keepers\u2019 light.",
    "He said: \u2018Go.\u2019",
    "\u27e6It ends.\u27e7",
    "a | b\n--- | ---\n1 | It ends.",
    "So:\n\n```html\n<div>\n```\n\nIt is open.",
    "<div>\nIt ends.\n</div>\n\nIt ends.",
    "It is so.\n<br>\nIt ends.",
    "It has 1,284 boats, 12 of them old.",
)

UNFINISHED = (
    "",
    "Once upon a time",
    "He found a le",
    "and,",
    "Baker:",
    "- **Check the Bi",
    "- ",
    "One.\n2.",
    "   -",
    "- **",
    "- [x]",
    "(see fig. 3.",
    'He said: "I go.',
    "\u201cI go.",
    "\u00abJe viens.",
    "\u300c\u884c\u304f\u3002",
    "**Note.",
    "*Note.",
    "`a.",
    "```python\nx = 1.",
    "Sure, here:\n\n    ```py\n    x.",
    "| a | b |",
    "| a | b |\n|---|---|",
    "| a | b |\n|---|---|\n| 1 | 2",
    "| a | b |\n|---|---|\n| 1 |",
    "| a | b |\n|---|---|\n| 1 | 2 \\|",
    '{"a": [1, 2]',
    '{"a": "x.',
    '[{"a": 1},',
    "<ul><li>a.</li>",
    "<p>a.</p>\n<p>b",
    "<p>a.</p>\n<div>b.",
    "<3 is a heart",
    "<3 is a heart.",
    "So said Dr.",
    "as in e.g.",
    "in dem Fall, z. B.",
    "by J.",
    "Wait..",
    "## Heading.",
    "### FAQ?",
    "https://example.",
    "bob@example.",
    "id,a\n1,2,3,4.",
    "pi is\n3.",
    "So\n\\begin{align}\nx.",
    "$$ x = 1.",
    "So\n\\[\nx.",
    "See [the docs](https://x.yy.",
    "a {\n  b: c\n}\nd {\n  e: {\n  }",
    "So it is $x + y.",
    "The law says that $E = mc^2 and so on.",
    "He said: \u2018Go.",
    "\u27e6It goes on.",
    "\uff3bIt goes on.",
    "a | b | c\n--- | --- | ---\n1 | It goes on.",
    "a | b\n--- | ---\n1 | It goes on",
    'The record:\n\n{\n  "a": "It is.",\n\n  "b": "It is."',
    "It is so.\n\n<details>\n<summary>More</summary>\n\nIt goes on.",
    "He worked for the U.S.",
    "as did Smith et al.",
    "It needs Python 3.",
    "1,Gannet,North Pier,It is old.",
    "**1. The keeper of the light.**",
    "So:\n\n> ```sh\n> ls.",
    "1. So:\n\n      ```sh\n      ls.",
)


@pytest.mark.parametrize("text", FINISHED)
def test_behind_a_stop_or_at_the_end_of_a_document_it_can(text: str) -> None:
    """A sentence, a fence, a row, a bracket, a document is closed; one line break changes nothing."""
    assert can_end(text)
    assert can_end(text, "\n")


@pytest.mark.parametrize("text", UNFINISHED)
def test_in_the_middle_of_something_it_can_not(text: str) -> None:
    """A word, a sentence, an abbreviation, a quotation, a fence, a list, a table, a formula, a document."""
    assert not can_end(text)


@pytest.mark.parametrize("space", [" ", "\n\n", "  ", "\n \n"])
def test_what_ends_in_a_space_or_an_empty_line_was_going_on(space: str) -> None:
    """Whatever stands before it."""
    assert not can_end("The end.", space)


def test_every_proper_part_of_a_document_is_unfinished() -> None:
    """Of JSON, and of a table inside its rows: at no place but the end."""
    for text in ('{"a": [1, {"b": "c. d."}], "e": "f!"}', '[\n  {"a": "b."},\n  {"c": 2}\n]'):
        assert [end for end in range(len(text) + 1) if can_end(text[:end])] == [len(text)]


@pytest.mark.parametrize(
    "part",
    [
        '("',
        "`",
        "[:",
        "|",
        "a.\n",
        " ",
        "\\[",
        "<?",
        '{"\\',
        "@",
        "://",
        "* ",
        "\n",
        "1",
        "<!",
        "\U0001f340",
        "</a",
    ],
)
def test_it_costs_as_much_as_the_text_is_long(part: str) -> None:
    """Whatever the text repeats: eight times as much of it takes far less than eight times eight as long."""

    def cost(size: int) -> float:
        text = part * (size // len(part)) + "x"
        began = time.process_time()
        can_end(text)
        return time.process_time() - began

    short, long = (min(cost(size) for _ in range(3)) for size in (20_000, 160_000))
    assert long < 24 * short + 0.01
