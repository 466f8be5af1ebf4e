"""Train networks: from labelled slices to checkpoints."""
