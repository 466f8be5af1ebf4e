"""Find the scans in a tree, and say what each of them is."""
