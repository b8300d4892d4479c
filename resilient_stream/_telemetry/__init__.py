"""What is reported while a stream runs: observers, log records, spans and metrics, under the same names.

Built on the records of the core; nothing here is needed for a stream to survive.
"""
