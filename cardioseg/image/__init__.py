"""What an image is: voxels on a grid in millimetres."""
