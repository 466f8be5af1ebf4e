"""ONNX weights: the networks of an exported model, to train them further.

The graph of a network of the same kind is built again. If the model has the same nodes, its constants have the same
order, so each is the weight of a known layer.
"""

from collections.abc import Callable, Iterator
from math import log
from typing import Any

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor

from cardioseg.errors import RefusedError
from cardioseg.export.graph import Graph
from cardioseg.network.coefficients import clip, sigmoid, softmax
from cardioseg.network.normalization import ChannelNorm
from cardioseg.network.unet import UNet

_TINY = 1e-12  # a weight of 0 has no finite rho
_RHOS: dict[object, Callable[[float, float], list[float]]] = {  # gate -> rho from the weights of IN and LN
    clip: lambda instance, _: [instance],
    sigmoid: lambda instance, layer: [log(instance / layer)],
    softmax: lambda instance, layer: [log(instance), log(layer)],
}


class _TracedGraph(Graph):
    """A graph that knows which parameter each of its constants is.

    Attributes:
        parameters: name of a constant -> index of the network and name of the parameter.
        gates: names of the constants with the weights of IN and LN -> index of the network and name of rho.
    """

    def __init__(self, networks: list[UNet]) -> None:
        super().__init__()
        self.parameters: dict[str, tuple[int, str]] = {}
        self.gates: dict[tuple[str, str], tuple[int, str]] = {}
        self._names = {
            tensor.untyped_storage().data_ptr(): (index, name)
            for index, network in enumerate(networks)
            for name, tensor in network.state_dict(keep_vars=True).items()
        }

    def weight(self, values: NDArray[np.generic] | Tensor) -> str:
        constant = super().weight(values)
        if isinstance(values, Tensor):
            self.parameters[constant] = self._names[values.untyped_storage().data_ptr()]
        return constant

    def mix(self, m: str, v: str, layer: ChannelNorm) -> tuple[str, str]:
        first = len(self.weights)
        if layer.rho is not None:
            self.gates[f"w{first}", f"w{first + 1}"] = self._names[layer.rho.untyped_storage().data_ptr()]
        return super().mix(m, v, layer)


def read_networks(content: bytes, count: int, classes: int, norm: str) -> list[UNet]:
    """The networks of a model.

    Args:
        content: the model that `to_onnx` wrote.
        count: number of its networks.
        classes: number of output channels, including background.
        norm: the normalization layer, one of `norms.NORMS`.

    Returns:
        The networks in the order of the folds. Their gates are equal up to rounding, all other weights exactly.

    Raises:
        RefusedError: another program, or another version of cardioseg, wrote the model, or its convolutions are in
            8-bit integers.
    """
    networks = [UNet(classes, norm).eval() for _ in range(count)]
    graph = _TracedGraph(networks)
    expected = graph.model([graph.unet(network, "image") for network in networks], classes)
    model = _parsed(content)
    if list(_structure(model)) != list(_structure(expected)):
        raise RefusedError(
            "the model's graph is not one of this version of cardioseg",
            "start from a model that this version exported, with 32-bit convolutions",
        )
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    states = [network.state_dict() for network in networks]
    for constant, (index, name) in graph.parameters.items():
        state = states[index][name]
        state.copy_(torch.from_numpy(constants[constant].copy()).reshape(state.shape))
    layers = {(index, name): layer for index, network in enumerate(networks) for name, layer in _gated(network)}
    for names, (index, name) in graph.gates.items():
        instance, layer_weight = (max(constants[constant].item(), _TINY) for constant in names)
        states[index][name].copy_(torch.tensor(_RHOS[layers[index, name].gate](instance, layer_weight)))
    return networks


def _parsed(content: bytes) -> onnx.ModelProto:
    """The model; an empty one if the bytes are none, whose structure no network has."""
    try:
        return onnx.load_model_from_string(content)
    except DecodeError:
        return onnx.ModelProto()


def _structure(model: onnx.ModelProto) -> Iterator[Any]:
    """All of a model but the values of its constants."""
    yield from (tensor.SerializeToString() for tensor in (*model.graph.input, *model.graph.output))
    yield from (node.SerializeToString(deterministic=True) for node in model.graph.node)
    yield from ((tensor.name, tensor.data_type, tuple(tensor.dims)) for tensor in model.graph.initializer)


def _gated(network: UNet) -> Iterator[tuple[str, ChannelNorm]]:
    """The layers with a gate, by the name of their rho."""
    for name, layer in network.named_modules():
        if isinstance(layer, ChannelNorm) and layer.rho is not None:
            yield f"{name}.rho", layer
