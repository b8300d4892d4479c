"""Other statuses than 200, and redirects."""

from __future__ import annotations

from collections.abc import Iterable

from resilient_stream.testing.faults import Fault, Redirect, RetryAfter, Status

from .entry import CLOSED, CONNECTION, LIMITED, SERVER, SILENCE, STATUS, Entry, entry


def statuses() -> Iterable[Entry]:
    """Statuses with all their headers and bodies, and redirects."""
    waits: list[tuple[str, str, Fault]] = [
        ("s429", "no word about waiting", Status(429)),
        ("s429_ra_1", "retry-after: 1", RetryAfter(seconds=1)),
        ("s429_ra_date", "retry-after: a date in two seconds", RetryAfter(date=2)),
        ("s429_ra_ms", "retry-after-ms: 250", RetryAfter(ms=250)),
        ("s429_ra_0", "retry-after: 0", RetryAfter(seconds=0)),
        ("s429_ra_neg", "retry-after: a date in the past", RetryAfter(date=-60)),
        ("s429_ra_junk", "retry-after: soon", RetryAfter(text="soon")),
    ]
    for name, about, fault in waits:
        yield entry(name, f"429, {about}", fault, raises=LIMITED, retried=True)
    final = Status(429, headers=(("x-should-retry", "false"),))
    yield entry("s429_no_retry", "429, x-should-retry: false", final, raises=LIMITED)
    again = Status(400, headers=(("x-should-retry", "true"),))
    refused = "anthropic.BadRequestError"
    yield entry("s400_do_retry", "400, x-should-retry: true", again, raises=refused, retried=True)
    overloaded = Status(529, message="Overloaded")
    yield entry("s529", "529", overloaded, raises="anthropic.OverloadedError", retried=True)
    for code, raised in (
        (500, SERVER),
        (502, SERVER),
        (503, "anthropic.ServiceUnavailableError"),
        (504, "anthropic.GatewayTimeoutError"),
    ):
        yield entry(
            f"s{code}_html", f"{code} with a proxy's page", Status.html(code), raises=raised, retried=True
        )
    for code, raised, retried in (
        (400, refused, False),
        (401, "anthropic.AuthenticationError", False),
        (403, "anthropic.PermissionDeniedError", False),
        (404, "anthropic.NotFoundError", False),
        (408, "anthropic.RequestTimeoutError", True),
        (409, "anthropic.ConflictError", True),
        (413, "anthropic.ContentTooLargeError", False),
        (425, STATUS, False),
        (499, "anthropic.ClientClosedRequestError", False),
    ):
        yield entry(f"s{code}", f"{code}", Status(code), raises=raised, retried=retried)
    for code in (301, 302, 303, 307, 308):
        yield entry(f"r{code}", f"{code} to a good answer", Redirect(code))
    loop = Redirect(307, loop=True)
    yield entry("redirect_loop", "307 to itself", loop, raises=CONNECTION, retried=True)
    cut = Status(500, fate="cut")
    yield entry("s500_body_cut", "500 with half a body, FIN", cut, raises=CLOSED, retried=True)
    stalled = Status(500, fate="stall")
    yield entry("s500_body_stall", "500 with half a body, silence", stalled, raises=SILENCE, retried=True)
