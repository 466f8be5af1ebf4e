"""Masks that a person edited, corrected or reviewed become numbers again, and labels for training."""
