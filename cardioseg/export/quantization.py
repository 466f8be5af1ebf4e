"""Quantization: turn an exported model into one with 8-bit convolutions, for CPUs.

Weights have 7 bits, with a scale per output channel, so that the sum of two products saturates on no CPU and all give
the same integers. Activations have 8 bits over their range on real slices. Norms, transposed convolutions, the first
convolution and the head stay in float32: they take little time and matter most for accuracy. Uses ONNX Runtime's static
quantization.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx

from cardioseg.image.preprocessing import Floats

_QUANTIZED = "Conv"


def to_int8(model: bytes, slices: Sequence[Floats]) -> bytes:
    """The quantized model; inputs and outputs stay float32.

    Args:
        model: a model from `to_onnx`.
        slices: prepared slices [h, w] of training subjects; they give the ranges of the activations.
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
    convolutions = _name_nodes(graph)
    add_pre_process_metadata(graph)  # the graph is written by hand and needs no preprocessing
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


def _name_nodes(model: onnx.ModelProto) -> list[str]:
    """Name every node; returns the names of the convolutions between the first and the head."""
    weights = {weight.name: tuple(weight.dims) for weight in model.graph.initializer}
    inner = []
    for number, node in enumerate(model.graph.node):
        node.name = f"n{number}"
        if node.op_type == _QUANTIZED:
            _, channels, *kernel = weights[node.input[1]]
            if channels > 1 and np.prod(kernel) > 1:
                inner.append(node.name)
    return inner
