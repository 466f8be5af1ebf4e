"""Scored images: those whose reference has the structure, so that every network is scored on the same images.

On an image without the structure, Dice is 0 where a network draws it, and undefined where it does not: a mean over the
defined values would be over other images for each network. Such images are counted apart. The paper's images of the
right ventricle lie between the atrioventricular ring and the apex, so all of them show it.
"""

from collections.abc import Mapping, Set
from functools import cache
from pathlib import Path

import numpy as np

from cardioseg.dataset.store import open_dataset
from cardioseg.image.labels import Label
from cardioseg.reproduce.job_outcome import CHOOSING, EXTERNAL, TEST
from cardioseg.reproduce.protocol import Protocol
from cardioseg.training.slice_scores import Image


def scored_images(protocol: Protocol) -> Mapping[str, Set[Image]]:
    """The images with the organ's structure by part of the subjects: `test`, `choosing`, `external`."""
    label = Label[protocol.organ.label.upper()]
    own = _with_structure(protocol.dataset.folder, label)
    external = _with_structure(protocol.external.folder, label) if protocol.external else frozenset[Image]()
    return {TEST: own, CHOOSING: own, EXTERNAL: external}


@cache
def _with_structure(folder: Path, label: Label) -> frozenset[Image]:
    return frozenset(
        (subject.subject_id, volume.name, index)
        for subject in open_dataset(folder).subjects()
        for volume in subject.volumes
        for index in np.flatnonzero((volume.mask == label).any(axis=(1, 2))).tolist()
    )
