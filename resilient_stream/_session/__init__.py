"""What every adapter needs to protect a stream, apart from its own way of sending requests.

`layer` decides which calls are protected and heals their histories; `context` holds the parts of one stream:
its settings, planner, judge, record and observers. Adapters import this package; it knows no HTTP client and
no SDK.
"""
