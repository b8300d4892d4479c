"""What to send next: the forms of a continuation, the request's body, the wording, the fallback models."""
