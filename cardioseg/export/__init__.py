"""Checkpoints become a model folder: model.onnx and its card."""
