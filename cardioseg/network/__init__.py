"""The U-Net and its normalization layers."""
