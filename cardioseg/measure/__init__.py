"""Masks become numbers."""
