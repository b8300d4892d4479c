"""What the library costs: processor time, instructions, memory, recovery, throughput and import time.

``nox -s bench`` runs everything and writes ``docs/performance.md``. Each module runs alone, too:
``python -m benchmarks.overhead``. Nothing here is imported by the library or its tests.
"""
