"""The assistant turn as the consumer has it: what was delivered, what of it can be kept in a later request,
and histories that the API will accept.
"""
