"""Stack images into a cine: slices by place, phases by time."""
