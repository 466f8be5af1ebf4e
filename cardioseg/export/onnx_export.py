"""ONNX export: networks become one ONNX model, with a proof that both give the same results.

A model of several folds averages their logits.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from cardioseg.errors import RefusedError
from cardioseg.export.card import Parity, Precision
from cardioseg.export.graph import Graph
from cardioseg.image.preprocessing import Floats, pad
from cardioseg.network.unet import MULTIPLE, UNet

MAX_LOGIT_DIFFERENCE = 1e-3
TIE = 1e-4  # pixels whose two largest logits differ by less may have either label
LEAST_AGREEMENT = 0.9  # of a quantized model
_BATCH_SIZES = (1, 2, 3, 5, 8)
_CROPS = (0, 17, 0, 35, 0, 51)  # pixels cut off; odd, and small enough to leave the chest at 2 mm


class Ensemble(nn.Module):
    """The mean logits of several networks."""

    def __init__(self, networks: Sequence[UNet]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, image: Tensor) -> Tensor:
        """Logits [n, classes, h, w] of images [n, 1, h, w]."""
        return torch.stack([network(image) for network in self.networks]).mean(0)


def combine(networks: Sequence[UNet]) -> nn.Module:
    """One network unchanged; several as the mean of their logits. In evaluation mode."""
    return (networks[0] if len(networks) == 1 else Ensemble(networks)).eval()


def to_onnx(networks: Sequence[UNet]) -> bytes:
    """The graph of `Graph.model` as bytes; h and w are multiples of 16."""
    graph = Graph()
    members = [graph.unet(network.eval(), "image") for network in networks]
    model = graph.model(members, networks[0].head.out_channels)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def prove_parity(
    network: nn.Module, model: bytes, slices: Sequence[Floats], precision: Precision = "float32"
) -> Parity:
    """Compare torch and ONNX Runtime on prepared slices [h, w], also cropped to odd sizes, in batches of several sizes.

    Raises:
        RefusedError: a logit differs by more than 1e-3, or a label differs outside ties; for a quantized model, the
            labels agree on less than 90 % of the structures' pixels.
    """
    session = _session(model)
    batches = list(_batches(slices))
    differences, changes, marked = [], 0, 0
    for batch in batches:
        with torch.inference_mode():
            expected = network(torch.from_numpy(batch)).numpy()
        (logits,) = session.run(["logits"], {"image": batch})
        differences.append(float(np.abs(logits - expected).max()))
        two_best = np.sort(expected, axis=1)[:, -2:]
        tie = two_best[:, 1] - two_best[:, 0] <= TIE
        labels, expected_labels = logits.argmax(1), expected.argmax(1)
        changes += int(((labels != expected_labels) & ~tie).sum())
        marked += int(((labels > 0) | (expected_labels > 0)).sum())
    agreement = 1 - changes / max(marked, changes, 1)
    is_same = max(differences) <= MAX_LOGIT_DIFFERENCE and not changes
    if agreement < LEAST_AGREEMENT or not (is_same or precision == "int8"):
        raise RefusedError(
            f"ONNX Runtime and torch disagree: logits by up to {max(differences):.1e}, labels of {changes} pixels"
        )
    return Parity(
        slices=sum(len(batch) for batch in batches),
        sizes=len({batch.shape[2:] for batch in batches}),
        batch_sizes=tuple(sorted({len(batch) for batch in batches})),
        max_logit_difference=max(differences),
        label_changes=changes,
        agreement=agreement,
    )


def _batches(slices: Sequence[Floats]) -> list[Floats]:
    """The slices in batches of varying size; every other batch is cropped to an odd size and padded."""
    batches: list[Floats] = []
    start = 0
    while start < len(slices):
        size = _BATCH_SIZES[len(batches) % len(_BATCH_SIZES)]
        equally_large = [image for image in slices[start : start + size] if image.shape == slices[start].shape]
        crop = _CROPS[len(batches) % len(_CROPS)]
        h, w = (side - crop if side - crop > MULTIPLE else side for side in equally_large[0].shape)
        batches.append(pad(np.stack(equally_large)[:, None, :h, :w], MULTIPLE))
        start += len(equally_large)
    return batches


def _session(model: bytes) -> Any:  # noqa: ANN401 - onnxruntime is untyped
    import onnxruntime  # noqa: PLC0415 - an optional extra

    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
