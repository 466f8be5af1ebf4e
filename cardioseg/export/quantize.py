"""Quantize: an exported model whose convolutions compute in 8-bit integers, for CPUs.

Weights have 7 bits for each output channel, so that no CPU's sum of two products saturates: all give the same integers.
Activations have 8 bits over the range that they have on real slices. Norms, transposed convolutions, the first
convolution and the head stay in float32: they take little of the time and carry the most. Done by ONNX Runtime's static
quantization.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx

from cardioseg.image.preprocess import Floats

_QUANTIZED = "Conv"


def to_int8(model: bytes, slices: Sequence[Floats]) -> bytes:
    """The same model in integers; inputs and outputs stay float32.

    Args:
        model: what `to_onnx` made.
        slices: prepared slices [h, w] of subjects that the model was trained on; they give the ranges.
    """
    from onnxruntime.quantization import (  # noqa: PLC0415 - an extra, and only these models need it
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata  # noqa: PLC0415

    class Slices(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.feeds: Iterator[dict[str, Any]] = ({"image": image[None, None]} for image in slices)

        def get_next(self) -> dict[str, Any] | None:
            return next(self.feeds, None)

    graph = onnx.load_from_string(model)
    convolutions = _named(graph)
    add_pre_process_metadata(graph)  # a graph that is written by hand has nothing to fold before
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        quantize_static(
            graph,
            path,
            Slices(),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            op_types_to_quantize=[_QUANTIZED],
            nodes_to_quantize=convolutions,
        )
        quantized = onnx.load(path)
    onnx.checker.check_model(quantized, full_check=True)
    return bytes(quantized.SerializeToString(deterministic=True))


def _named(model: onnx.ModelProto) -> list[str]:
    """Give every node a name; those of the convolutions between the first and the head."""
    weights = {weight.name: tuple(weight.dims) for weight in model.graph.initializer}
    inner = []
    for number, node in enumerate(model.graph.node):
        node.name = f"n{number}"
        if node.op_type == _QUANTIZED:
            _, channels, *kernel = weights[node.input[1]]
            if channels > 1 and np.prod(kernel) > 1:
                inner.append(node.name)
    return inner
