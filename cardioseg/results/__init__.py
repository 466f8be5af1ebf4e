"""What a folder that `predict` wrote knows of its cases: their records, and masks that somebody edited since."""
