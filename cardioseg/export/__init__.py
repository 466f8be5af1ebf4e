"""Export: checkpoints become a model folder, and a prepared dataset becomes one of nnU-Net."""
