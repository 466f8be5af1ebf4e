"""Stack images into a cine: slices by position, phases by time."""
