"""Samples: a few randomly chosen test images of a job with their masks, kept for the paper's Figure 2."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardioseg.files import write_bytes
from cardioseg.image.preprocess import Floats, center
from cardioseg.ingest.subject import Subject
from cardioseg.network.unet import UNet
from cardioseg.training.crossval import slices_for
from cardioseg.training.recipe import Recipe
from cardioseg.training.validation import logits

COUNT = 8  # the paper's
SAMPLES_FILE = "samples.npz"


@dataclass(frozen=True)
class Samples:
    """Images float32 [n, h, w] in [0, 1] with reference and predicted class numbers uint8 [n, h, w]."""

    images: Floats
    references: NDArray[np.uint8]
    predictions: NDArray[np.uint8]


def draw(network: UNet, recipe: Recipe, subjects: Iterable[Subject], rng: np.random.Generator) -> Samples:
    """Choose test images at random, among those that hold the structure, and segment them."""
    slices = slices_for(recipe, subjects)
    holding = np.flatnonzero(slices.targets.flatten(1).any(1))
    chosen = rng.choice(holding, min(COUNT, len(holding)), replace=False)
    images = center(slices.images[chosen].numpy(), slices.look_size).astype(np.float32)
    references = center(slices.targets[chosen].numpy(), slices.look_size).astype(np.uint8)
    return Samples(images, references, logits(network, images).argmax(1).astype(np.uint8))


def write(samples: Samples, folder: Path) -> None:
    """Write `samples.npz`."""
    stream = io.BytesIO()
    np.savez_compressed(stream, images=samples.images, references=samples.references, predictions=samples.predictions)
    write_bytes(folder / SAMPLES_FILE, stream.getvalue())


def read(folder: Path) -> Samples:
    """Read `samples.npz`."""
    with np.load(folder / SAMPLES_FILE, allow_pickle=False) as arrays:
        return Samples(arrays["images"], arrays["references"], arrays["predictions"])
