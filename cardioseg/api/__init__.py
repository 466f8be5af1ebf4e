"""The Python API: the commands as functions, and what they wrote as arrays and rows.

It goes the way of the command line: cases, a prediction, results, their evaluation. It prints nothing. Every failure
that a person can act on is an exception of `cardioseg.errors`. `cardioseg` itself hands out its names.
"""
