"""Labelled data sets in the layouts people have them in, one file a layout."""
