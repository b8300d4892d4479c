"""A reverse proxy for the Messages API whose streams survive, for programs in any language.

`app` is the ASGI application. It sends `protected` streams through the engine and `forward`s everything else
as it is; `upstream` is the API behind it, `downstream` the client in front. `pages` has what the gateway says
of itself. `command`, `server` and `protocol` make a server of it, with uvicorn, and are imported by nothing
else here. It imports httpx2 and, for metrics, what the extra ``serve`` installs; never the SDK.
"""
