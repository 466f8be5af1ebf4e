"""References: expert labels, from any labelled layout or from a plain folder of masks."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cardioseg.errors import UnusableError
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Cine
from cardioseg.ingest import layouts
from cardioseg.ingest.masks import MaskFolder, find_masks, read_mask
from cardioseg.ingest.subject import LabelledVolume, Skipped, Subject


def read_references(root: Path) -> Iterator[Subject | Skipped]:
    """Read the reference labels below `root`, one subject at a time.

    Where the folder lies in no layout that `ingest` knows, each NIfTI mask is a subject of its own, and every structure
    counts as annotated on every slice. Of a 4D mask, phases without any label are taken as not annotated: experts often
    draw ED and ES only.
    """
    layout = layouts.detect(root)
    return layout.read(root) if layout else _read_plain(find_masks(root))


def _read_plain(folder: MaskFolder) -> Iterator[Subject | Skipped]:
    yield from folder.clashes
    for case, path in folder.paths.items():
        try:
            mask = read_mask(path)
        except UnusableError as error:
            yield folder.skipped(path, error)
        else:
            yield Subject(case, tuple(_volumes(case, mask, folder.where(path))))


def _volumes(case: str, mask: Cine, source: str) -> Iterator[LabelledVolume]:
    annotated = np.zeros((mask.grid.shape[0], len(Label)), np.bool_)
    annotated[:, STRUCTURES] = True
    for phase, voxels in enumerate(mask.voxels):
        if mask.phases == 1 or voxels.any():
            yield LabelledVolume(
                name=f"phase{phase:02d}" if mask.phases > 1 else "",
                image=voxels,  # a reference is not shown; there is no scan here
                mask=voxels,
                annotated=annotated,
                spacing_mm=mask.grid.spacing_mm,
                case_ids=(case,),
                phase=phase if mask.phases > 1 else None,
                sources=(source,) * len(voxels),
                grid=mask.grid,
            )
