"""Laws that hold whatever arrives, in whatever pieces, wherever it breaks."""
