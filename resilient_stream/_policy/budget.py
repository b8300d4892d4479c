"""The retry budget: what keeps a thousand streams from answering an outage with a storm.

Counting per stream does not help when all streams fail at once: each may be modest and the sum
still several times the normal load, at the moment when the API can bear it least. So streams that
share an API share a budget. Finagle's ``RetryBudget`` is the model: retries are paid from a share of
the ordinary traffic, plus a floor so that a quiet client may retry too, and both are forgotten after
a while. As with gRPC and the AWS SDKs only what was served counts as traffic: an API that serves nobody
earns no retries.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, NoReturn

from resilient_stream._core.failures import OVERLOAD_KINDS, Kind

__all__ = ["BudgetState", "RetryBudget", "account", "cost", "shared_budget"]

WINDOW: Final = 60.0
"""Seconds after which starts and costs are forgotten. Finagle allows 1 to 60 and defaults to 10; a
stream lives longer than an RPC, so the longest."""

RESERVE: Final = 60.0
"""Units there are without any traffic: 1 per second of the window. (Finagle: 10 per second, for RPC.)"""

RATIO: Final = 0.2
"""Units each stream adds once its reply has begun. Finagle's ``percentCanRetry``."""

OVERLOAD_COST: Final = 2
"""Asking an overloaded API again costs double. (AWS prices its error classes apart as well.)"""

CONNECTION_COST: Final = 1
"""Any other failure: the API was never asked, or had no trouble."""

SLOTS: Final = 60
"""What happens within a 60th of the window is added up, so memory does not grow with the traffic."""

LARGEST_REGISTRY: Final = 1024
"""Shared budgets kept per process; beyond that the one longest unused is dropped."""


def cost(kind: Kind) -> int:
    """Units that a retry after a failure of this kind costs."""
    return OVERLOAD_COST if kind in OVERLOAD_KINDS else CONNECTION_COST


class _Tally:
    """Numbers added up over a sliding window, in at most ``SLOTS`` + 2 entries of one slot each.

    The collector may run a method of it within another one of the same thread: no count is lost by that.
    """

    def __init__(self, window: float, *, late: bool) -> None:
        self._window, self._late = window, late
        self._entries: deque[tuple[float, float, int]] = deque()
        """From, until, amount."""
        self._total = 0

    def add(self, now: float, amount: int) -> None:
        """Count ``amount``; it joins the newest entry if that is younger than one slot."""
        self._total += amount
        first = now
        if self._entries and now - self._entries[-1][0] < self._window / SLOTS:
            first, _, before = self._entries.pop()
            amount += before
        self._entries.append((first, now, amount))

    def total(self, now: float) -> int:
        """What was added within the window that ends now; of the oldest entry all, or none, if it leaves."""
        while self._entries:
            oldest = self._entries.popleft()  # taken first: what comes between finds it gone
            if now - oldest[self._late] < self._window:
                self._entries.appendleft(oldest)
                break
            self._total -= oldest[2]
        return self._total


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A budget at one moment, for looking at."""

    balance: float
    """Units left."""
    streams: int
    """Streams that count within the window."""
    spent: int
    """Units that retries cost within the window."""
    denied: int
    """Retries refused since the budget was made."""


class RetryBudget:
    """How many retries all streams together may make. Made to be shared, by threads and event loops too.

    The balance is ``reserve``, plus ``ratio`` for each stream that started, less what retries have cost;
    streams and costs older than ``window`` are forgotten. A stream has started when its reply has begun,
    and counts from the end of the attempt that began it. A retry after an overload costs 2, any other 1.
    A retry that the balance does not cover is refused, and the failure that it would have answered is
    raised.

    Args:
        reserve: units that are there without any traffic; default 60, 1 per second of the window.
        ratio: units that each started stream adds; default 0.2, as in Finagle.
        window: seconds after which starts and costs are forgotten; default 60.
        clock: a monotonic clock in seconds; default ``time.monotonic``.
    """

    def __init__(
        self,
        reserve: float = RESERVE,
        ratio: float = RATIO,
        window: float = WINDOW,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not (0 <= reserve < float("inf") and 0 <= ratio < float("inf") and 0 < window < float("inf")):
            raise ValueError(
                f"reserve={reserve!r}, ratio={ratio!r}, window={window!r}: should be finite numbers; "
                "reserve and ratio at least 0, window (seconds) above 0"
            )
        self.reserve, self.ratio, self.window = reserve, ratio, window
        self._clock = clock
        # One that a thread may take twice: a stream that the collector ends meanwhile counts itself.
        self._lock = threading.RLock()
        # In doubt against the retry: costs are forgotten a slot late rather than early.
        self._streams, self._costs = _Tally(window, late=False), _Tally(window, late=True)
        self._denied = 0

    def deposit(self) -> None:
        """A stream has started: its reply began. Call it once per stream, not per attempt."""
        with self._lock:
            now = self._clock()
            self._streams.total(now)  # forgets what is old even if nothing is ever withdrawn
            self._streams.add(now, 1)

    def withdraw(self, kind: Kind) -> bool:
        """Pay for a retry after a failure of this kind; False, and nothing taken, if it is too little."""
        price = cost(kind)
        with self._lock:
            now = self._clock()
            if self._balance(now) < price:
                self._denied += 1
                return False
            self._costs.add(now, price)
            return True

    @property
    def balance(self) -> float:
        """Units left now."""
        return self.state.balance

    @property
    def state(self) -> BudgetState:
        """The budget as it stands now."""
        with self._lock:
            now = self._clock()
            balance = self._balance(now)
            return BudgetState(balance, self._streams.total(now), self._costs.total(now), self._denied)

    def _balance(self, now: float) -> float:
        # Rounded, because 0.2 is no binary fraction: five streams must buy one retry, not 0.999... of it.
        return round(self.reserve + self.ratio * self._streams.total(now) - self._costs.total(now), 6)

    def __repr__(self) -> str:
        now = self.state
        return (
            f"<RetryBudget reserve={self.reserve:g} ratio={self.ratio:g} window={self.window:g}: "
            f"{now.balance:g} units left; in the window {now.streams} streams, {now.spent} units spent; "
            f"{now.denied} denied>"
        )

    def __copy__(self) -> RetryBudget:
        """The same budget: a copied policy still draws on it."""
        return self

    def __deepcopy__(self, memo: object) -> RetryBudget:
        """As ``__copy__``."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse: two budgets where one was meant would allow twice as much."""
        raise TypeError(
            "a RetryBudget can't be pickled: it counts the streams of its own process. Make one in each "
            'process, or leave the policy at budget="shared", which does'
        )


class Registry:
    """The shared budgets of a process, by base URL and credential.

    The key is a digest under a secret of this process, so a dump of its memory does not show the
    credential here, and digests of two processes cannot be compared.
    """

    def __init__(self, largest: int = LARGEST_REGISTRY) -> None:
        self._largest = largest
        self._secret = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._budgets: OrderedDict[bytes, RetryBudget] = OrderedDict()

    def budget(self, base_url: str, credential: str | None) -> RetryBudget:
        """The budget of that pair, made at the first call. A trailing slash makes no difference."""
        key = self._key(base_url.rstrip("/"), credential)
        with self._lock:
            found = self._budgets.setdefault(key, RetryBudget())
            self._budgets.move_to_end(key)
            if len(self._budgets) > self._largest:
                self._budgets.popitem(last=False)
        return found

    def _key(self, *parts: str | None) -> bytes:
        # repr keeps ("a", "bc") and ("ab", "c"), and None and "None", apart.
        return blake2b(repr(parts).encode(), key=self._secret).digest()


_REGISTRY: Final = Registry()


def account(url: str, headers: Mapping[str, str]) -> tuple[str, str | None]:
    """Where a request goes and on whose account: the base URL and the credential.

    Args:
        url: the request's. What follows ``/v1/`` is no part of the base.
        headers: the request's, names in any case or in lower case. Of a signature of AWS's, which is
            another one for every request, only the key's id counts.
    """
    base, versioned, _ = url.partition("/v1/")
    if not versioned:  # the older Bedrock paths hold the model
        base = "/".join(url.split("/", 3)[:3])
    credential = headers.get("x-api-key") or headers.get("authorization")
    if credential is not None and "Credential=" in credential:
        credential = credential.partition("Credential=")[2].partition("/")[0]
    return base, credential


def shared_budget(base_url: str, credential: str | None) -> RetryBudget:
    """The one budget of this process for an API and a credential.

    Args:
        base_url: where requests go; a trailing slash makes no difference.
        credential: the API key or token, or None. Only a keyed digest of it is kept.
    """
    return _REGISTRY.budget(base_url, credential)
