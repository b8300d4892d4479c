"""`resilient`: any client in, one of the same type out, through the adapter that fits it.

It knows the adapters and is known by nothing but the root.
"""
