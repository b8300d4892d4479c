"""The engine: every decision about a stream, and no I/O.

The packages here use no clock, no randomness, no socket and no vendor; `pyproject.toml` has the contract. A
driver reports what happened to the `loop.machine.Machine` and carries out the action that it answers with.

Where to look:

- which failures there are, and what an HTTP status means: `failures`
- what comes next after an event: `loop/machine`, with the table of states in `loop/states`
- which request continues a turn, and in which wording: `plan`
- how a continuation is joined to the text before it: `seam`
- what is delivered to the consumer: `relay`; what it has so far, and what can be kept: `turn`
- what is recorded of attempts, usage and seams: `record`

Every package of the library may import it.
"""
