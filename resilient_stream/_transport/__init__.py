"""The adapter for httpx and httpx2: transports that protect the streams of any client.

`request` reads what is asked for, `door` sends one attempt, `transport` assembles a stream, and `client`
wraps the transports of a client. The package imports neither HTTP package, and never the SDK. Only public
modules at the root import it.
"""
