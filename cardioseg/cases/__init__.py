"""Scans become cases: found, named, read, and described by what a user says of them."""
