"""The folder that `predict` and `measure` write: its files, its records, its cases and their edits.

No other package names a file in it, or opens one.
"""
