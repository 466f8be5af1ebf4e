"""Graph: the U-Net in ONNX operators.

Written by hand and not traced: a trace of the norms is three times as long, takes a minute and contains paths of the
machine that made it. `onnx_export.prove_parity` proves that the result is the same network.
"""

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from cardioseg.network.coefficients import EPSILON
from cardioseg.network.normalization import ChannelNorm
from cardioseg.network.unet import UNet

_OPSET = 20
_IR_VERSION = 10


class Graph:
    """ONNX nodes and weights as they are added; every method takes and returns names of values."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, onnx.TensorProto] = {}

    def add(self, operator: str, *inputs: str, **attributes: object) -> str:
        """Add one node; returns the name of its output."""
        output = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def weight(self, values: NDArray[np.generic] | Tensor) -> str:
        """Add a constant; returns the name of its value."""
        array = values.detach().cpu().numpy() if isinstance(values, Tensor) else values
        name = f"w{len(self.weights)}"
        self.weights[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def scalar(self, value: float) -> str:
        """Add a float32 constant; returns the name of its value."""
        return self.weight(np.asarray(value, np.float32))

    def integers(self, *values: int) -> str:
        """Add an int64 vector: axes, or a shape in which 0 keeps a size and -1 is the remaining size."""
        return self.weight(np.array(values, np.int64))

    def unet(self, network: UNet, image: str) -> str:
        """Logits of the images."""
        skips: list[str] = []
        x = image
        for level in network.down:
            x = self.sequence(level, self.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2]) if skips else x)
            skips.append(x)
        for level, skip in zip(network.up, reversed(skips[:-1]), strict=True):
            up, merge = level.children()
            x = self.sequence(merge, self.add("Concat", self.sequence(up, x), skip, axis=1))
        return self.layer(network.head, x)

    def sequence(self, layers: nn.Module, x: str) -> str:
        """Layers one after another, including nested sequences."""
        for layer in layers.children():
            x = self.sequence(layer, x) if isinstance(layer, nn.Sequential) else self.layer(layer, x)
        return x

    def layer(self, layer: nn.Module, x: str) -> str:
        """One layer, of a kind that the U-Net uses."""
        match layer:
            case nn.Conv2d():
                return self.add("Conv", x, *self.kernel(layer), pads=[layer.padding[0]] * 4)
            case nn.ConvTranspose2d():
                return self.add(
                    "ConvTranspose", x, *self.kernel(layer), pads=[1] * 4, strides=[2, 2], output_padding=[1, 1]
                )
            case nn.ReLU():
                return self.add("Relu", x)
            case nn.Identity():
                return x
            case nn.BatchNorm2d():
                parameters = (layer.weight, layer.bias, layer.running_mean, layer.running_var)
                return self.add("BatchNormalization", x, *map(self.weight, parameters), epsilon=layer.eps)  # type: ignore[arg-type]
            case ChannelNorm():
                return self.norm(layer, x)
        raise TypeError(f"no operator for {type(layer).__name__}")

    def kernel(self, layer: nn.Conv2d | nn.ConvTranspose2d) -> list[str]:
        """A convolution's weights."""
        return [self.weight(tensor) for tensor in (layer.weight, layer.bias) if tensor is not None]

    def norm(self, layer: ChannelNorm, f: str) -> str:
        """A (f - m) + B: the steps of `network.coefficients` with constant parameters.

        The pixels are read twice for the moments and once for the affine map. The map is a BatchNormalization of one
        image that has the channels of all images: its scale, shift and mean may be computed values, and no other
        operator of ONNX Runtime multiplies and adds in one pass. Its variance is 0 and its epsilon 1.
        """
        channels = layer.gamma.numel()
        groups = layer.groups if isinstance(layer.groups, int) else 1
        grouped = (groups, channels // groups)
        pixels = self.add("Reshape", f, self.integers(1, -1, 0, 0))
        m, v = self.moments(pixels, grouped)
        a, t = self.mix(m, v, layer)
        if isinstance(layer.groups, int):
            a, t = self.normalize_groups(v, a, t)
        gamma, beta = (self.weight(p.detach().reshape(1, *grouped)) for p in (layer.gamma, layer.beta))
        zero = self.add("Sub", m, m)
        scale = self.add("Mul", gamma, a) if a else self.add("Add", gamma, zero)
        shift = self.add("Add", self.add("Mul", gamma, t), beta)
        vectors = [self.add("Reshape", value, self.integers(-1)) for value in (scale, shift, m, zero)]
        normalized = self.add("BatchNormalization", pixels, *vectors, epsilon=1.0)
        return self.add("Reshape", normalized, self.integers(-1, channels, 0, 0))

    def moments(self, pixels: str, grouped: tuple[int, int]) -> tuple[str, str]:
        """Mean and variance [n, groups, members] of each channel of [1, n x channels, h, w]."""
        m, square = (self.mean_of_pixels(x) for x in (pixels, self.add("Mul", pixels, pixels)))
        v = self.add("Relu", self.add("Sub", square, self.add("Mul", m, m)))  # rounding must not make it negative
        shape = self.integers(-1, *grouped)
        return self.add("Reshape", m, shape), self.add("Reshape", v, shape)

    def mean_of_pixels(self, pixels: str) -> str:
        """[1, c, h, w] to [1, c]: first along rows, then along columns; a single sum in float32 loses four digits."""
        rows = self.add("ReduceMean", pixels, self.integers(3), keepdims=0)
        return self.add("ReduceMean", rows, self.integers(2), keepdims=0)

    def mix(self, m: str, v: str, layer: ChannelNorm) -> tuple[str, str]:
        """Equation 4, see `coefficients.mix`, as a (f - m) + t; without a gate a is 1, given as an empty name."""
        if layer.gate is None or layer.rho is None:
            return "", m
        in_weight, ln_weight = (self.scalar(float(weight.detach())) for weight in layer.gate(layer.rho)[:2])
        distance, variance = self.union(m, v, 1, 2)
        by_layer = self.add("Div", ln_weight, self.deviation(variance))
        a = self.add("Add", self.add("Div", in_weight, self.deviation(v)), by_layer)
        return a, self.add("Mul", by_layer, distance)

    def normalize_groups(self, v: str, a: str, t: str) -> tuple[str, str]:
        """Equations 5 and 6 of a (f - m) + t; see `coefficients.normalize_groups`."""
        spread = self.add("Mul", self.add("Mul", a, a), v) if a else v
        distance, variance = self.union(t, spread, 2)
        deviation = self.deviation(variance)
        scale = a or self.add("Add", self.scalar(1), self.add("Sub", v, v))
        return self.add("Div", scale, deviation), self.add("Div", distance, deviation)

    def union(self, m: str, v: str, *axes: int) -> tuple[str, str]:
        """M - mean(m) over the axes, and the mean of v + (m - mean(m))^2: the variance of a union from its parts."""
        axes_of_union = self.integers(*axes)
        distance = self.add("Sub", m, self.add("ReduceMean", m, axes_of_union, keepdims=1))
        spread = self.add("Add", v, self.add("Mul", distance, distance))
        return distance, self.add("ReduceMean", spread, axes_of_union, keepdims=1)

    def deviation(self, variance: str) -> str:
        """sqrt(variance + epsilon)."""
        return self.add("Sqrt", self.add("Add", variance, self.scalar(EPSILON)))

    def model(self, members: Sequence[str], classes: int) -> onnx.ModelProto:
        """The complete model: `image` float32 [n, 1, h, w] to `logits` [n, classes, h, w], the mean over all members.

        With several members also `labels` uint8 [n, members, h, w], the classes of each member.
        """
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, "h", "w"])
        outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", classes, "h", "w"])]
        self.nodes.append(helper.make_node("Mean", members, ["logits"]))
        if len(members) > 1:
            chosen = [self.add("ArgMax", logits, axis=1, keepdims=1) for logits in members]
            member_labels = self.add("Concat", *chosen, axis=1)
            self.nodes.append(helper.make_node("Cast", [member_labels], ["labels"], to=TensorProto.UINT8))
            shape = ["n", len(members), "h", "w"]
            outputs.append(helper.make_tensor_value_info("labels", TensorProto.UINT8, shape))
        graph = helper.make_graph(self.nodes, "unet", [image], outputs, list(self.weights.values()))
        opset = [helper.make_opsetid("", _OPSET)]
        return helper.make_model(graph, opset_imports=opset, ir_version=_IR_VERSION, producer_name="cardioseg")
