"""An answer, and where it was cut."""

ANSWER = "It is said.\n\nThe tide\nrises slowly and it falls again at noon."
RECEIVED = "It is said.\n\nThe tide\nrises slowly and"
QUOTE = "tide\nrises slowly and"
REST = " it falls again at noon."
