"""Scans and labels on disk become cines, volumes and masks."""
