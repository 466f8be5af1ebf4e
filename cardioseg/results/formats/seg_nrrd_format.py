"""Seg NRRD: the mask for 3D Slicer: segmentations of end-diastole and end-systole, and a sequence of all phases.

Slicer opens a `.seg.nrrd` as one segmentation, with names and colours; it holds one phase. A `.seq.nrrd` of label maps
is what Slicer plays beside the scan: Slicer stores a sequence of segmentations only in an archive of MRML nodes.
"""

from pathlib import Path

from cardioseg.files import write_bytes
from cardioseg.image.alignment import as_stored
from cardioseg.image.nrrd_encoding import encode_sequence, encode_volume
from cardioseg.image.volume import Volume
from cardioseg.report.slicer_keys import segmentation_keys, sequence_axis, sequence_keys
from cardioseg.results.folder import CaseFolder
from cardioseg.results.formats.predicted import PredictedCase

NAME = "seg-nrrd"
REFERS_TO_IMAGES = False
REFERS_TO: tuple[str, ...] = ()


def files(folder: CaseFolder) -> tuple[Path, ...]:
    """The files that are written: the first of a volume, the others of a cine."""
    names = ("mask.seg.nrrd", "mask_ed.seg.nrrd", "mask_es.seg.nrrd", "mask.seq.nrrd")
    return tuple(folder.path / name for name in names)


def write(predicted: PredictedCase, folder: CaseFolder) -> str:
    """Write a segmentation of a volume; of a cine, one of each of the two moments, and the sequence.

    Returns:
        A remark on what cannot be written and why, or nothing.

    Raises:
        ResourceError: the file system refuses the write.
    """
    stored = as_stored(predicted.mask)
    of_volume, *of_moments, of_cine = files(folder)
    if not predicted.is_4d:
        _write_segmentation(of_volume, stored.phase(0), predicted)
        return ""
    write_bytes(of_cine, encode_sequence(stored, *sequence_axis(stored), sequence_keys(stored)))
    unknown = []
    for (moment, phase), path in zip(predicted.moments, of_moments, strict=True):
        if phase is None:
            unknown.append(f"no segmentation for 3D Slicer of {moment.name}, which is not known")
        else:
            _write_segmentation(path, stored.phase(phase), predicted)
    return "; ".join(unknown)


def _write_segmentation(path: Path, mask: Volume, predicted: PredictedCase) -> None:
    write_bytes(path, encode_volume(mask, segmentation_keys(predicted.structures, mask.grid)))
