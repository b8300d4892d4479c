"""Many streams, broken in every way, and what must hold whatever happens."""
