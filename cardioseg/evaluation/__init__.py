"""Predicted masks meet reference masks."""
