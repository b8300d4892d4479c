"""A reverse proxy for the Messages API that continues broken streams, for programs in any language.

`app` is the ASGI application. It sends `protected` streams through the engine, and `forward`s everything else
unchanged. `upstream` is the API behind it, `downstream` the client in front. `pages` has the gateway's own
pages. `command`, `server` and `protocol` make a server of it, with uvicorn; nothing else here imports them.
The package imports httpx2 and, for metrics, what the extra ``serve`` installs; never the SDK.
"""
