"""The report of a stream, built from the core's books when it is asked for."""
