"""A model folder with untrained weights: real bytes, quickly made."""

from hashlib import sha256
from pathlib import Path

import torch

from cardioseg.export.card import MODEL_FILE, Card, Parity, Training, write_card
from cardioseg.export.onnx_export import to_onnx
from cardioseg.files import write_bytes
from cardioseg.image.preprocessing import Preprocessing
from cardioseg.network.unet import UNet


def write_model(
    folder: Path,
    labels: tuple[str, ...] = ("lv_cavity",),
    seeds: tuple[int, ...] = (0,),
    preprocessing: Preprocessing = Preprocessing("percentile", 2.0),  # noqa: B008 - frozen
) -> Path:
    content = to_onnx([UNet(len(labels) + 1, "iln", torch.Generator().manual_seed(seed)) for seed in seeds])
    write_bytes(folder / MODEL_FILE, content)
    digest = sha256(content).hexdigest()
    training = Training(
        dataset="none", dataset_sha256="", subjects=0, subjects_sha256="", held_out=(), seed=0, steps=0,
        folds=len(seeds), weights_sha256=(), recipe={},
    )  # fmt: skip
    parity = Parity(slices=0, sizes=0, batch_sizes=(), max_logit_difference=0, label_changes=0)
    card = Card(
        name="untrained", sha256=digest, labels=labels, preprocessing=preprocessing, norm="iln",
        parameters=0, licence="CC0-1.0", citation="", training=training, metrics=(), parity=parity, versions={},
    )  # fmt: skip
    write_card(folder, card)
    return folder
