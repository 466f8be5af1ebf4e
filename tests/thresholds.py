"""A model folder whose graph labels by brightness: a real graph in ONNX Runtime, but no network, so it takes no time.

For tests of all that is around a network. Its masks are whole hearts rather than the confetti of untrained weights.
"""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from cardioseg.export.card import MODEL_FILE, Card, Parity, Training, write_card
from cardioseg.files import write_bytes
from cardioseg.image.preprocessing import Preprocessing

THREE = ("rv_cavity", "lv_myocardium", "lv_cavity")
LEVELS = {"background": 0.0, "lv_myocardium": 0.17, "lv_cavity": 0.32, "rv_cavity": 0.5}  # of the phantom, normalized
_WIDTH = 3  # pixels that are averaged


def write_threshold_model(
    folder: Path,
    labels: Sequence[str] = THREE,
    brighter: float = 0.0,
    preprocessing: Preprocessing = Preprocessing("percentile", 2.0),  # noqa: B008 - frozen
) -> Path:
    """A model that gives each pixel the label whose brightness is nearest; `brighter` makes it another one."""
    levels = np.array([LEVELS[name] + brighter for name in ("background", *labels)], np.float32)
    content = _graph(levels).SerializeToString(deterministic=True)
    write_bytes(folder / MODEL_FILE, content)
    training = Training(
        dataset="none", dataset_sha256="", subjects=0, subjects_sha256="", held_out=(), seed=0, steps=0, folds=1,
        weights_sha256=(), recipe={},
    )  # fmt: skip
    card = Card(
        name="thresholds", sha256=sha256(content).hexdigest(), labels=tuple(labels), norm="none", parameters=0,
        preprocessing=preprocessing, licence="CC0-1.0", citation="", training=training, metrics=(),
        parity=Parity(slices=0, sizes=0, batch_sizes=(), max_logit_difference=0, label_changes=0), versions={},
    )  # fmt: skip
    write_card(folder, card)
    return folder


def _graph(levels: np.ndarray) -> ModelProto:
    """Of brightness x and levels a: logits a x - a²/2, the largest of which has the level nearest to x."""
    slopes = numpy_helper.from_array(levels.reshape(-1, 1, 1, 1), "slopes")
    offsets = numpy_helper.from_array(-(levels**2) / 2, "offsets")
    kernel = {"kernel_shape": [_WIDTH] * 2, "pads": [_WIDTH // 2] * 4}
    nodes = [
        helper.make_node("AveragePool", ["image"], ["smooth"], **kernel),
        helper.make_node("Conv", ["smooth", "slopes", "offsets"], ["logits"]),
    ]
    image, logits = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", channels, "h", "w"])
        for name, channels in (("image", 1), ("logits", len(levels)))
    )
    graph = helper.make_graph(nodes, "thresholds", [image], [logits], [slopes, offsets])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
