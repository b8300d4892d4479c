"""How an API fares, as the streams on one account see it, and which of them may ask it again."""
