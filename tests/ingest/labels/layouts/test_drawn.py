"""The myocardium tells which cavity is the LV, whatever number it has."""

from pathlib import Path

from cardioseg.image.labels import CONVENTIONS
from cardioseg.image.nifti import read_cine
from cardioseg.ingest.labels.numbered_labels import labels_of


def test_no_real_volume_looks_swapped(shared_data: Path) -> None:
    for folder in ("acdc", "mnms"):
        for path in sorted((shared_data / folder).rglob("*_gt.nii.gz"))[::8]:
            labels_of(read_cine(path).voxels, CONVENTIONS["acdc"])
