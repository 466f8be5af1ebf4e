"""Convolutions in 8-bit integers: what becomes of them, how far from torch they are, and what is refused."""

import logging
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper
from test_graph import images, trained_looking

from cardioseg.errors import RefusedError
from cardioseg.export.onnx_export import combine, prove_parity, to_onnx
from cardioseg.export.quantization import to_int8
from cardioseg.image.preprocessing import Floats

CONVOLUTIONS = 19  # of a network; the first and the head stay as they are


def slices(count: int = 6) -> list[Floats]:
    """Something to see: blobs in noise."""
    rows, columns = np.mgrid[:64, :64]
    blobs = [np.exp(-((rows - 20 - 4 * n) ** 2 + (columns - 32) ** 2) / 90) for n in range(count)]
    return [
        np.asarray(0.8 * blob + 0.2 * noise[0], np.float32)
        for blob, noise in zip(blobs, images(count, 64, 64), strict=True)
    ]


@pytest.fixture(scope="module")
def quantized() -> bytes:
    return to_int8(to_onnx([trained_looking("iln")]), slices())


def test_the_inner_convolutions_have_weights_of_seven_bits(quantized: bytes) -> None:
    graph = onnx.load_from_string(quantized).graph
    weights = [numpy_helper.to_array(one) for one in graph.initializer if one.name.endswith("_quantized")]
    kernels = [one for one in weights if one.ndim == 4]
    assert len(kernels) == CONVOLUTIONS - 2
    assert all(one.dtype == np.int8 and np.abs(one).max() <= 64 for one in kernels)
    assert all(one.shape[1] > 1 and one.shape[2:] == (3, 3) for one in kernels)
    assert len(quantized) < 0.5 * len(to_onnx([trained_looking("iln")]))


def test_they_compute_in_integers(quantized: bytes, tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(quantized, options, providers=["CPUExecutionProvider"])
    kinds = [node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node]
    assert kinds.count("QLinearConv") == CONVOLUTIONS - 2


@pytest.mark.parametrize("members", [1, 2])
def test_the_labels_are_nearly_those_of_torch(members: int) -> None:
    """Of a network that knows nothing, whose labels stand less firm than those of one that was trained."""
    networks = [trained_looking("iln", seed=seed) for seed in range(members)]
    parity = prove_parity(combine(networks), to_int8(to_onnx(networks), slices()), slices(), "int8")
    assert 0.9 <= parity.agreement < 1
    assert parity.label_changes
    assert parity.max_logit_difference < 0.4


def test_the_bytes_are_the_same_each_time(quantized: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert to_int8(to_onnx([trained_looking("iln")]), slices()) == quantized
    assert not caplog.records
    assert b"/tmp" not in quantized


def test_an_image_does_not_depend_on_its_batch(quantized: bytes) -> None:
    session = onnxruntime.InferenceSession(quantized, providers=["CPUExecutionProvider"])
    batch = np.stack(slices())[:, None]
    together = session.run(None, {"image": batch})[0]
    np.testing.assert_array_equal(
        together, np.concatenate([session.run(None, {"image": one[None]})[0] for one in batch])
    )


def test_it_passes_for_nothing_but_integers(quantized: bytes) -> None:
    with pytest.raises(RefusedError, match="disagree"):
        prove_parity(trained_looking("iln"), quantized, slices())
    with pytest.raises(RefusedError, match="disagree"):
        prove_parity(trained_looking("iln", seed=1), quantized, slices(), "int8")
