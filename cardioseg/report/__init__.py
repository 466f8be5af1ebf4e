"""Numbers and masks become tables and pictures."""
