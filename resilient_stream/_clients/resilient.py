"""One function for every client: the SDK's, httpx's and httpx2's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar, cast

from resilient_stream._transport import client as http

if TYPE_CHECKING:
    from resilient_stream._journal.journal import Journal
    from resilient_stream._policy.model import RetryPolicy


class _SdkClient(Protocol):
    """What is needed of a client of the SDK; every class of it has that."""

    @property
    def middleware(self) -> tuple[Any, ...]: ...
    @property
    def timeout(self) -> Any: ...
    def with_options(self, *, middleware: Any) -> Self: ...


class _HttpClient(Protocol):
    """What a client of httpx or httpx2 has."""

    @property
    def timeout(self) -> Any: ...
    def build_request(self, method: str, url: Any) -> Any: ...


ClientT = TypeVar("ClientT", bound=_SdkClient | _HttpClient)


def resilient(
    client: ClientT, policy: RetryPolicy | str | None = None, *, journal: Journal | None = None
) -> ClientT:
    """Return a client of the same type whose streams are continued when they break.

    The new client shares the connections of ``client``, which is not changed. A client that is already
    resilient gets the new policy instead of a second layer.

    A client of the SDK: its ``max_retries`` has no effect on streams. Its timeouts count where they are
    shorter than the policy's.

    A client of httpx or httpx2: its transport and mounts are wrapped, so its proxies, ``verify``, ``http2``
    and limits stay. Its timeouts count where they are shorter, except for the packages' default of 5 s,
    which looks the same whether it was set or not.

    Args:
        client: any client of the SDK, of httpx or of httpx2, sync or async.
        policy: a `RetryPolicy`, the name of a preset ("interactive", "batch", "agent", "observe",
            "off"), or None for the defaults.
        journal: a `Journal`, where the streams that have a key are kept; None for nowhere.

    Raises:
        PolicyError: there is no such preset, or ``RESILIENT_STREAM`` has a value it can't have.
        TypeError: ``client`` is none of these, or is a class.
    """
    if http.is_client(client):
        return cast("ClientT", http.resilient(client, policy, journal))
    from resilient_stream._sdk import (
        middleware,  # the SDK takes a second to import, and not everybody has use for it
    )

    return cast("ClientT", middleware.resilient(cast("Any", client), policy, journal=journal))
