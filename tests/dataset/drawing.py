"""Subjects of noise and discs, for the tests beside this file."""

import numpy as np

from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Grid
from cardioseg.ingest.labels.subject import LabelledVolume, Subject

SPACING_MM = (8.0, 1.5, 1.25)


def noise_volume(
    seed: int,
    shape: tuple[int, int, int] = (3, 12, 10),
    spacing_mm: tuple[float, float, float] | None = SPACING_MM,
    labels: tuple[Label, ...] = STRUCTURES,
    kind: str = "i2",
) -> LabelledVolume:
    """Noise with every label, annotated on all slices but the last."""
    rng = np.random.default_rng(seed)
    annotated = np.zeros((shape[0], len(Label)), np.bool_)
    annotated[:-1, list(labels)] = True
    return LabelledVolume(
        name=f"phase {seed}",
        image=rng.integers(0, 1000, shape).astype(kind),
        mask=rng.integers(0, len(Label), shape).astype(np.uint8),
        annotated=annotated,
        spacing_mm=spacing_mm,
        case_ids=(f"case{seed}",),
        phase=seed,
        sources=tuple(f"slice {i}.png" for i in range(shape[0])),
        grid=Grid(shape, spacing_mm, (1.0, 2.0, 3.0)) if spacing_mm else None,
    )


def noise_subject(subject_id: str, seed: int = 0, volumes: int = 1) -> Subject:
    """A subject of noise volumes."""
    return Subject(subject_id, tuple(noise_volume(1000 * seed + i) for i in range(volumes)), "healthy")
