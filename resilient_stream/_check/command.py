"""The command ``resilient-stream check``: its arguments, the question before it starts, and its output."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import anthropic

import resilient_stream
from resilient_stream._demo.live import API
from resilient_stream._demo.usage import UsageError
from resilient_stream._policy.switch import SWITCH

from .findings import Finding, Verdict, findings
from .probes import PROBES, Probe, expected_requests, expected_tokens
from .run import Outcome, check

COLUMNS: Final = "{:<12} {:<9} {:<10} {:<10} {:<9} {}\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--model", required=True, help="the model to check")
    parser.add_argument(
        "--yes", action="store_true", help="start; without it, the command only says what it would cost"
    )
    parser.add_argument(
        "--json",
        metavar="FILE",
        help="write the results, without the texts, to FILE; '-' is the standard output",
    )
    parser.add_argument("--texts", action="store_true", help="include the texts")
    parser.add_argument(
        "--only",
        metavar="NAME",
        action="append",
        choices=[probe.name for probe in PROBES],
        help="use only this prompt; repeat the option for more",
    )


def run(args: argparse.Namespace) -> int:
    """Run the command. Return the exit status: 0 if no reply was lost and nothing was contradicted, else 1.

    Raises:
        UsageError: it can't run with these arguments.
    """
    probes = [probe for probe in PROBES if args.only is None or probe.name in args.only]
    cost = _cost(args.model, probes)
    if word := os.environ.get(SWITCH, "").strip():
        raise UsageError(f"{SWITCH}={word} in the environment switches the library; unset it for the check")
    if not os.environ.get("ANTHROPIC_API_KEY"):
        raise UsageError(f"check needs a key in ANTHROPIC_API_KEY. {cost}")
    if not args.yes:
        raise UsageError(f"{cost} Start with --yes.")
    quiet = args.json == "-"
    if not quiet:
        sys.stdout.write(f"{cost}\n\n")
        sys.stdout.write(COLUMNS.format("prompt", "cut after", "form", "joined", "verified", "ended"))
    upstream = os.environ.get("ANTHROPIC_BASE_URL") or API
    outcomes, seen = check(
        os.environ,
        upstream,
        args.model,
        probes,
        lambda told: None if quiet else _tell(told, texts=args.texts),
    )
    found = findings(seen)
    if not quiet:
        _conclude(found)
    if args.json:
        _write(args.json, _document(args.model, outcomes, found, texts=args.texts))
    lost = any(told.error for told in outcomes)
    return int(lost or any(one.verdict is Verdict.CONTRADICTED for one in found))


def _cost(model: str, probes: Sequence[Probe]) -> str:
    input_tokens, output_tokens = expected_tokens(probes)
    return (
        f"The check sends about {expected_requests(probes)} requests to {model} and is billed about "
        f"{input_tokens:,} input and at most {output_tokens:,} output tokens."
    )


def _tell(told: Outcome, *, texts: bool) -> None:
    """Print one row as soon as it is known."""
    verified = {None: "-", True: "yes", False: "no"}[told.verified]
    cut = f"{len(told.received)}" if told.cut else "not cut"
    ended = told.error or told.report.outcome
    sys.stdout.write(COLUMNS.format(told.probe.name, cut, told.form, told.joined or "-", verified, ended))
    if texts and told.cut:
        at = len(told.received)
        sys.stdout.write(f"    {told.text[max(0, at - 60) : at]!r} | {told.text[at : at + 60]!r}\n")
    sys.stdout.flush()


def _conclude(found: Sequence[Finding]) -> None:
    sys.stdout.write("\nWhat the library relies on:\n")
    for one in found:
        detail = f" ({one.detail})" if one.detail else ""
        sys.stdout.write(f"  {one.verdict:<12}  {one.statement}{detail}\n")
    sys.stdout.write("\n'not seen': no reply showed whether the statement is true.\n")


def _document(
    model: str, outcomes: Sequence[Outcome], found: Sequence[Finding], *, texts: bool
) -> Mapping[str, Any]:
    return {
        "model": model,
        "versions": {"resilient-stream": resilient_stream.__version__, "anthropic": anthropic.__version__},
        "replies": [
            {
                "prompt": told.probe.name,
                "cut_after_characters": len(told.received) if told.cut else None,
                "error": told.error or None,
                "report": told.report.model_dump(mode="json"),
                **({"received": told.received, "text": told.text} if texts else {}),
            }
            for told in outcomes
        ],
        "findings": [
            {"statement": one.statement, "verdict": one.verdict, "detail": one.detail} for one in found
        ],
    }


def _write(where: str, document: Mapping[str, Any]) -> None:
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if where == "-":
        sys.stdout.write(text)
        return
    try:
        with open(where, "w", encoding="utf-8") as file:  # noqa: PTH123 -- a name from the command line
            file.write(text)
    except OSError as error:
        raise UsageError(f"can't write {where}: {error.strerror}") from error
