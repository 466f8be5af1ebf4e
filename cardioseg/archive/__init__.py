"""Archives: scans in zip files are read in place. Nothing is unpacked to disk."""
