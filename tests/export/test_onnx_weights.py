"""The networks of an exported model come back with their weights."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from cardioseg.errors import RefusedError
from cardioseg.export.card import read_card
from cardioseg.export.onnx_export import combine, to_onnx
from cardioseg.export.onnx_weights import read_networks
from cardioseg.export.quantization import to_int8
from cardioseg.network.unet import UNet

MODELS = Path(__file__).parents[2] / "models"


def network(norm: str, seed: int = 1, classes: int = 3) -> UNet:
    """Weights, scales, shifts and gates that differ from layer to layer."""
    made = UNet(classes, norm, torch.Generator().manual_seed(seed)).eval()
    generator = torch.Generator().manual_seed(seed + 1)
    for parameter in made.parameters():
        parameter.data += 0.1 * torch.rand(parameter.shape, generator=generator)
    return made


@pytest.mark.parametrize("norm", ["none", "bn", "gn4", "il-clip", "iln", "iln-softmax"])  # each kind of layer and gate
def test_every_norm(norm: str) -> None:
    given = network(norm)
    (found,) = read_networks(to_onnx([given]), 1, 3, norm)
    image = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        torch.testing.assert_close(found(image), given(image), rtol=1e-4, atol=1e-4)
    for (name, expected), actual in zip(given.state_dict().items(), found.state_dict().values(), strict=True):
        if not name.endswith("rho"):
            torch.testing.assert_close(actual, expected, rtol=0, atol=0, msg=name)
        else:  # of two, only the difference has an effect
            actual_rho, expected_rho = (rho.diff() if len(rho) == 2 else rho for rho in (actual, expected))
            torch.testing.assert_close(actual_rho, expected_rho, rtol=1e-5, atol=1e-5, msg=name)


def test_each_network_of_an_ensemble() -> None:
    given = [network("iln", seed) for seed in (1, 2)]
    for expected, found in zip(given, read_networks(to_onnx(given), 2, 3, "iln"), strict=True):
        torch.testing.assert_close(found.head.weight, expected.head.weight, rtol=0, atol=0)


def test_a_gate_that_is_closed_stays_closed() -> None:
    given = network("iln-clip")
    for rho in given.rhos().values():
        rho.data[:] = -1.0
    (found,) = read_networks(to_onnx([given]), 1, 3, "iln-clip")
    assert all(rho.item() == pytest.approx(0, abs=1e-9) for rho in found.rhos().values())


@pytest.mark.parametrize("name", ["sax", "sax_ensemble"])
def test_the_built_in_models(name: str) -> None:
    runtime = pytest.importorskip("onnxruntime")
    card, content = read_card(MODELS / name), (MODELS / name / "model.onnx").read_bytes()
    networks = read_networks(content, card.training.folds, len(card.labels) + 1, card.norm)
    image = np.random.default_rng(1).random((1, 1, 64, 64), np.float32)
    (expected,) = runtime.InferenceSession(content).run(["logits"], {"image": image})
    with torch.inference_mode():
        found = combine(networks)(torch.from_numpy(image)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_what_another_program_wrote_is_refused() -> None:
    model = onnx.load_model_from_string(to_onnx([network("in")]))
    del model.graph.node[-1]
    for content, count, norm in (
        (model.SerializeToString(), 1, "in"),
        (b"not a model at all", 1, "in"),
        (to_onnx([network("in")]), 1, "iln"),
        (to_onnx([network("in")]), 2, "in"),
        (to_int8(to_onnx([network("in")]), [np.random.default_rng(1).random((32, 32), np.float32)]), 1, "in"),
    ):
        with pytest.raises(RefusedError, match="not one of this version"):
            read_networks(content, count, 3, norm)
