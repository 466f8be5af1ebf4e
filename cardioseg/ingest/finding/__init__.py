"""Find the scans in a tree and classify them."""
