"""The ONNX graph against torch, for every norm."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from cardioseg.errors import RefusedError
from cardioseg.export.graph import Graph
from cardioseg.export.onnx_export import combine, prove_parity, to_onnx
from cardioseg.network.norms import NORMS
from cardioseg.network.unet import UNet


def trained_looking(norm: str, classes: int = 3, seed: int = 0) -> UNet:
    """A network whose norms are not in their initial state."""
    network = UNet(classes, norm, torch.Generator().manual_seed(seed))
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in network.named_parameters():
        if name.endswith(("gamma", "beta", "rho")):
            nn.init.uniform_(parameter, 0.1, 0.9, generator=generator)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_mean, -0.3, 0.3, generator=generator)  # type: ignore[arg-type]
            nn.init.uniform_(layer.running_var, 0.5, 1.5, generator=generator)  # type: ignore[arg-type]
    return network.eval()


def images(count: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).random((count, 1, height, width), np.float32)


@pytest.mark.parametrize("norm", NORMS)
def test_agrees_with_torch(norm: str) -> None:
    network = trained_looking(norm)
    session = onnxruntime.InferenceSession(to_onnx([network]), providers=["CPUExecutionProvider"])
    for shape in ((1, 32, 32), (3, 48, 16)):
        image = images(*shape)
        with torch.inference_mode():
            expected = network(torch.from_numpy(image)).numpy()
        (logits,) = session.run(None, {"image": image})
        assert np.abs(logits - expected).max() < 1e-3


def test_an_ensemble_is_the_mean_of_its_networks() -> None:
    networks = [trained_looking("iln", seed=seed) for seed in range(3)]
    parity = prove_parity(combine(networks), to_onnx(networks), list(images(11, 64, 64)[:, 0]))
    assert parity.max_logit_difference < 1e-3
    assert parity.slices == 11
    assert parity.batch_sizes == (1, 2, 3, 5)


def test_each_member_of_an_ensemble_votes() -> None:
    networks = [trained_looking("iln", seed=seed) for seed in range(3)]
    image = images(2, 32, 48)
    session = onnxruntime.InferenceSession(to_onnx(networks), providers=["CPUExecutionProvider"])
    logits, labels = session.run(None, {"image": image})
    alone = [
        onnxruntime.InferenceSession(to_onnx([network]), providers=["CPUExecutionProvider"]).run(None, {"image": image})
        for network in networks
    ]
    assert labels.shape == (2, 3, 32, 48)
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, np.stack([one.argmax(1) for (one,) in alone], 1))
    np.testing.assert_allclose(logits, np.mean([one for (one,) in alone], 0), atol=1e-5)


def test_an_image_does_not_depend_on_its_batch() -> None:
    """To the bit: the norms take every image for channels of one, and each channel is summed by itself."""
    session = onnxruntime.InferenceSession(to_onnx([trained_looking("iln")]), providers=["CPUExecutionProvider"])
    image = images(3, 32, 48)
    together = session.run(None, {"image": image})[0]
    alone = np.concatenate([session.run(None, {"image": one[None]})[0] for one in image])
    np.testing.assert_array_equal(together, alone)


def test_another_network_is_refused() -> None:
    with pytest.raises(RefusedError, match="disagree"):
        prove_parity(trained_looking("iln", seed=1), to_onnx([trained_looking("iln")]), list(images(2, 32, 32)[:, 0]))


def test_bytes_are_the_same_each_time_and_hold_nothing_else() -> None:
    network = trained_looking("iln")
    content = to_onnx([network])
    assert content == to_onnx([network])
    model = onnx.load_from_string(content)
    assert {node.op_type for node in model.graph.node} <= {
        "Add", "BatchNormalization", "Concat", "Conv", "ConvTranspose", "Div", "MaxPool", "Mean", "Mul", "ReduceMean",
        "Relu", "Reshape", "Sqrt", "Sub",
    }  # fmt: skip
    assert not any(node.doc_string or node.metadata_props for node in model.graph.node)
    assert not any(weight.external_data for weight in model.graph.initializer)


def test_unknown_layers_are_refused() -> None:
    with pytest.raises(TypeError, match="Dropout"):
        Graph().layer(nn.Dropout(), "x")
