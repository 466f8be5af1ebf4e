"""A model folder and a scan become a mask."""
