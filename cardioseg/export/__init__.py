"""Export checkpoints to a model folder: model.onnx and its card."""
