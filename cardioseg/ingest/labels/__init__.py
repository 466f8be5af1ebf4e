"""Read labels: contours and masks that experts drew become subjects with labelled volumes."""
