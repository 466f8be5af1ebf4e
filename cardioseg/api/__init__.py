"""The Python API: the commands as functions, and what they wrote as arrays and rows.

It takes the way of the command line through `inference`, `evaluation` and `results`. It prints nothing. Every failure
that a person can act on is an exception of `cardioseg.errors`. `cardioseg` itself hands out its names.
"""
