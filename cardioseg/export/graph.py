"""Graph: the U-Net written out in ONNX operators.

Written by hand rather than traced: a trace of the norms is three times as long, takes a minute and carries the paths of
the machine that made it. `to_onnx.prove_parity` shows that the result is the same network.
"""

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from cardioseg.network.normalization import EPSILON, ChannelNorm
from cardioseg.network.unet import UNet

_OPSET = 20
_IR_VERSION = 10


class Graph:
    """ONNX nodes and weights as they are added; every method takes and returns names of values."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, onnx.TensorProto] = {}

    def add(self, operator: str, *inputs: str, **attributes: object) -> str:
        """Add one node; the name of its output."""
        output = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def weight(self, values: NDArray[np.generic] | Tensor) -> str:
        """Add a constant; the name of its value."""
        array = values.detach().cpu().numpy() if isinstance(values, Tensor) else values
        name = f"w{len(self.weights)}"
        self.weights[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def scalar(self, value: float) -> str:
        """Add a float32 constant."""
        return self.weight(np.asarray(value, np.float32))

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
        """Layers one after another, sequences within sequences too."""
        for layer in layers.children():
            x = self.sequence(layer, x) if isinstance(layer, nn.Sequential) else self.layer(layer, x)
        return x

    def layer(self, layer: nn.Module, x: str) -> str:
        """One layer of the kinds that the U-Net is made of."""
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
        """A f + B, as in `cardioseg.network.normalization`, with rho, gamma and beta known."""
        m = self.mean_of_pixels(f)
        distance = self.add("Sub", f, m)
        v = self.mean_of_pixels(self.add("Mul", distance, distance))
        if layer.gate is not None and layer.rho is not None:
            a, b = self.mix(m, v, *(float(weight.detach()) for weight in layer.gate(layer.rho)))
        else:
            a, b = self.scalar(1), self.scalar(0)
        if isinstance(layer.groups, int):
            a, b = self.normalize_groups(m, v, a, b, layer.groups)
        gamma, beta = (self.weight(p.detach()[None, :, None, None]) for p in (layer.gamma, layer.beta))
        scale, shift = self.add("Mul", gamma, a), self.add("Add", self.add("Mul", gamma, b), beta)
        return self.add("Add", self.add("Mul", f, scale), shift)

    def mean_of_pixels(self, f: str) -> str:
        """[n, c, h, w] to [n, c, 1, 1]: along rows, then down; one sum of all in float32 loses four digits."""
        along, down = self.weight(np.array([3])), self.weight(np.array([2]))
        return self.add("ReduceMean", self.add("ReduceMean", f, along, keepdims=1), down, keepdims=1)

    def mix(self, m: str, v: str, instance: float, layer: float) -> tuple[str, str]:
        """Equation 4; see `normalization.mix`."""
        channels = self.weight(np.array([1]))
        mean = self.add("ReduceMean", m, channels, keepdims=1)
        variance = self.variance(m, v, mean, channels)
        a_instance = self.add("Mul", self.scalar(instance), self.inverse_deviation(v))
        a_layer = self.add("Mul", self.scalar(layer), self.inverse_deviation(variance))
        b = self.add("Neg", self.add("Add", self.add("Mul", a_instance, m), self.add("Mul", a_layer, mean)))
        return self.add("Add", a_instance, a_layer), b

    def normalize_groups(self, m: str, v: str, a: str, b: str, groups: int) -> tuple[str, str]:
        """Equations 5 and 6; see `normalization.normalize_groups`."""
        by_group, by_channel = self.weight(np.array([0, groups, -1, 1])), self.add("Shape", m)
        members = self.weight(np.array([2]))
        mean_c = self.add("Reshape", self.add("Add", self.add("Mul", a, m), b), by_group)
        variance_c = self.add("Reshape", self.add("Mul", self.add("Mul", a, a), v), by_group)
        mean = self.add("ReduceMean", mean_c, members, keepdims=1)
        scale = self.inverse_deviation(self.variance(mean_c, variance_c, mean, members))
        shift = self.add("Neg", self.add("Mul", mean, scale))
        wide = self.add("Shape", mean_c)
        scale, shift = (self.add("Reshape", self.add("Expand", value, wide), by_channel) for value in (scale, shift))
        return self.add("Mul", scale, a), self.add("Add", self.add("Mul", scale, b), shift)

    def variance(self, m: str, v: str, mean: str, axis: str) -> str:
        """Mean over an axis of v + (m - mean)^2: the variance of a union from the moments of its parts."""
        distance = self.add("Sub", m, mean)
        return self.add("ReduceMean", self.add("Add", v, self.add("Mul", distance, distance)), axis, keepdims=1)

    def inverse_deviation(self, variance: str) -> str:
        """1 / sqrt(variance + epsilon)."""
        return self.add("Reciprocal", self.add("Sqrt", self.add("Add", variance, self.scalar(EPSILON))))

    def model(self, members: Sequence[str], classes: int) -> onnx.ModelProto:
        """The finished model: `image` float32 [n, 1, h, w] to `logits` [n, classes, h, w], the mean of all members'.

        With several members also `labels` uint8 [n, members, h, w], the class that each would choose alone.
        """
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, "h", "w"])
        outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", classes, "h", "w"])]
        self.nodes.append(helper.make_node("Mean", members, ["logits"]))
        if len(members) > 1:
            chosen = [self.add("ArgMax", logits, axis=1, keepdims=1) for logits in members]
            alone = self.add("Concat", *chosen, axis=1)
            self.nodes.append(helper.make_node("Cast", [alone], ["labels"], to=TensorProto.UINT8))
            shape = ["n", len(members), "h", "w"]
            outputs.append(helper.make_tensor_value_info("labels", TensorProto.UINT8, shape))
        graph = helper.make_graph(self.nodes, "unet", [image], outputs, list(self.weights.values()))
        opset = [helper.make_opsetid("", _OPSET)]
        return helper.make_model(graph, opset_imports=opset, ir_version=_IR_VERSION, producer_name="cardioseg")
