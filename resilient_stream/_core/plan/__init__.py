"""What to send next: the forms of a continuation, the request's body, the words it asks in, the models to
fall back on.
"""
