"""The prepared data set: on disk, in folds, in batches."""
