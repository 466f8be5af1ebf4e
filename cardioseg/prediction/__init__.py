"""Cases become a folder of results, one after the other or side by side."""
