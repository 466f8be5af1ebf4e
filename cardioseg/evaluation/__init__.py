"""Comparison of predicted masks with reference masks."""
