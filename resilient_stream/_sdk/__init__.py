"""The adapter for the official SDK: its middleware, the request and response of each attempt, its exceptions.

Nothing imports it but the public modules at the root.
"""
