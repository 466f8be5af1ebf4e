"""Samples and a network become checkpoints."""
