"""Observers, log records, spans and metrics of running streams, under the same names.

They are built on the records of the core. No stream depends on this package to survive.
"""
