"""The state machine of a stream, its table of states, and its timeouts."""
