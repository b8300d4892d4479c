"""The health of an API as the streams of one account see it, and which of them may send a retry."""
